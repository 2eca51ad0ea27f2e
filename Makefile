# The two commands of the README, `make serve` and `make test`, work on a fresh checkout. Each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := ingest/query/dashboard
SDK := client_sdk_spec/web
SDK_SOURCES := $(shell find $(SDK)/src $(SDK)/package-lock.json $(SDK)/build.mjs $(SDK)/build.py -type f -print)
SERVED_SDK := ingest/edge/sdk/firsthop.js
PAGE_SOURCES := $(shell find $(PAGE) client_sdk_spec/snippets -path $(PAGE)/node_modules -prune -o -path $(PAGE)/dist -prune -o -type f -print)

.PHONY: serve demo install page sdk setup test check format conformance bench bench-query truth clean
.DEFAULT_GOAL := serve

serve: install  ## Start everything; Ctrl-C stops it in order.
	$(BIN)/firsthop serve

demo: setup install  ## As serve, with seeded realistic traffic.
	$(BIN)/firsthop demo

install: $(VENV)/.installed page sdk  ## The service and its page, nothing for tests.

page: $(PAGE)/dist/index.html

sdk: $(SERVED_SDK)  ## The browser SDK, where the edge serves it from.

setup: $(VENV)/.setup  ## What tests, checks and benchmarks need beside the service.

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.setup: requirements-test.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

$(PAGE)/dist/index.html: $(VENV)/.installed $(PAGE_SOURCES)
	$(BIN)/python $(PAGE)/build.py

$(SERVED_SDK): $(VENV)/.installed $(SDK_SOURCES)
	$(BIN)/python $(SDK)/build.py

test: setup install  ## Every test, Chromium, Prometheus and npm parts included; a file's tests stay in one process, in order.
	$(BIN)/python tests/browser/setup.py
	$(BIN)/python tests/debian.py
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: setup  ## Format, lint, types, import contracts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

conformance: setup install  ## The client specification, both sides and every language; see client_sdk_spec/README.md.
	$(BIN)/python -m tests.conformance

bench: setup install  ## CPU µs per span by stage and end to end; see loadtest/README.md.
	$(BIN)/python -m loadtest.bench

bench-query: setup install  ## How long questions take on the rollups of 50 million spans; see loadtest/README.md.
	$(BIN)/python -m loadtest.query_bench

truth: setup install  ## Clocks and samples against a simulated world whose truth is known; see loadtest/README.md.
	$(BIN)/python -m loadtest.truth

clean:
	rm -rf $(VENV) $(PAGE)/dist $(PAGE)/node_modules $(SDK)/dist $(SDK)/node_modules client_sdk_spec/jvm/target $(dir $(SERVED_SDK))
