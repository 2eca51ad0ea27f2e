"""Makes the vectors: `python -m client_sdk_spec.make_vectors`. `vectors/README.md` says how to use them.

Each group comes from a module of its own; `vectors/phases.json` is written by hand.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from client_sdk_spec import clock_backend, eviction_cases, retry_cases, sampling_cases
from client_sdk_spec.clock_cases import CASES, EXCHANGES
from client_sdk_spec.clock_stories import STORIES
from client_sdk_spec.encoder import HERE, compress, encode
from client_sdk_spec.expected_columns import expected
from client_sdk_spec.odd_bodies import malformed, tolerated
from client_sdk_spec.samples import batch, consent_case, edge_case, signals_case
from client_sdk_spec.sketch_vectors import sketch_cases, sketched_case

VECTORS = HERE / "vectors"
SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "deflate": ".zz", "identity": ""}
"""Content encoding → how a vector's file name ends; `.zz` is deflated with the preset dictionary."""


def main(target: Path = VECTORS) -> None:
    """Writes all vectors anew; `phases.json` is written by hand."""
    for folder in ("golden", "tolerated", "malformed", "clock"):
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder).mkdir(parents=True)
    random = Random(30)
    batches = {f"n{spans:03}": batch(random, spans) for spans in (0, 1, 30, 120)} | {"edge": edge_case()}
    batches |= {f"consent_{state}": consent_case(state) for state in ("granted", "pending", "denied")}
    batches["signals"] = signals_case()
    batches["sketched"] = sketched_case(random)
    for name, logical in batches.items():
        golden(target / "golden", name, logical)
    for name, (body, columns) in tolerated().items():
        (target / "tolerated" / name).write_bytes(body)
        _write_json(target / "tolerated" / f"{name}.columns.json", columns)
    clocks(target / "clock")
    refused = malformed()
    for name, (body, _) in refused.items():
        (target / "malformed" / name).write_bytes(body)
    _write_json(target / "malformed" / "reasons.json", {name: reason for name, (_, reason) in refused.items()})
    _write_cases(target / "retry.json", {"cases": retry_cases.CASES})
    _write_cases(target / "sampling.json", sampling_cases.VECTORS)
    _write_cases(target / "eviction.json", eviction_cases.VECTORS)
    _write_cases(target / "sketches.json", sketch_cases())


def clocks(folder: Path) -> None:
    """Requests with clocks and what a server must make of them; answers and what a client must."""
    for name, made in CASES.items():
        _write_json(folder / f"case_{name}.json", made)
    _write_json(folder / "exchanges.json", {"exchanges": EXCHANGES})
    _write_cases(folder / "backend.json", {"cases": clock_backend.CASES})
    _write_cases(folder / "stories.json", {"stories": STORIES})


def golden(folder: Path, name: str, logical: Mapping[str, Any]) -> None:
    """A batch, the columns expected of it, and its bodies in every encoding and compression."""
    _write_json(folder / f"{name}.batch.json", logical)
    _write_json(folder / f"{name}.columns.json", expected(logical))
    for encoding in ("json", "msgpack"):
        body = encode(logical, encoding)
        for compression, suffix in SUFFIXES.items():
            (folder / f"{name}.{encoding}{suffix}").write_bytes(compress(body, compression))


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _write_cases(path: Path, groups: Mapping[str, Any]) -> None:
    """One line for each case of each group."""
    written = [f"{_compact(group)}: {_one_a_line(cases)}" for group, cases in groups.items()]
    path.write_text("{\n" + ",\n".join(written) + "\n}\n")


def _one_a_line(cases: Mapping[str, Any] | Sequence[Any]) -> str:
    if isinstance(cases, Mapping):
        return "{\n" + ",\n".join(f"  {_compact(key)}: {_compact(case)}" for key, case in cases.items()) + "\n}"
    return "[\n" + ",\n".join(f"  {_compact(case)}" for case in cases) + "\n]"


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    """One line for each key: a change of a vector can be read in a diff."""
    lines = ",\n".join(f"{_compact(key)}: {_compact(part)}" for key, part in value.items())
    path.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
