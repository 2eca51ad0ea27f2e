"""CPU µs per span of every stage between a compressed body and the rows to store, measured in this process."""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from ingest.aggregate.catalog import Catalog
from ingest.aggregate.turn import gather, settle
from ingest.decode.formats import DECODERS, Format
from ingest.decode.inflate import inflate
from ingest.journal import record as records
from ingest.model import Processed, Reception, SendStamp
from ingest.settings import AppPolicy, Settings
from loadtest.bodies import Prepared, bodies
from privacy import Ring

MICRO_BATCH_SPANS = 1800
"""Spans of a micro-batch when an edge worker is busy."""
ROUNDS = 12
WARM_UP = 3

VERBS = (
    "validate",
    "honour_consent",
    "scrub",
    "anchor_clock",
    "judge_phases",
    "tell_signals",
    "classify_device",
    "locate",
    "name_networks",
    "name_routes",
    "identify",
    "weigh",
    "place_sketches",
    "name_sketched",
    "tell_sketched",
    "count",
    "sample",
    "link_traces",
    "compact",
)
"""What `process` calls."""
STAGES = ("inflate", "decode", *VERBS, "process, rest", "record encode", "record decode", "aggregate windows")

FORMATS = {
    "native": Format.NATIVE,
    "native-json": Format.NATIVE,
    "otlp": Format.OTLP_PROTOBUF,
    "otlp-json": Format.OTLP_JSON,
}


def measure_stages(format_name: str, encoding: str, spans: int) -> dict[str, float]:
    """CPU µs per span by `STAGES`: the median over micro-batches of many bodies of `spans` spans each."""
    settings = Settings.from_env({})
    policy = settings.policy(Ring(0, b"k" * 32))
    count = max(1, MICRO_BATCH_SPANS // spans)
    endless = bodies(format_name, encoding, spans, sealed_at_us=time.time_ns() // 1000, seed=7)
    rounds: list[dict[str, float]] = []
    process_module = importlib.import_module("ingest.pipeline.process")
    catalog = Catalog(time.time_ns() // 86_400_000_000_000, {}, settings["FIRSTHOP_SERIES_LIMIT"])
    for _ in range(WARM_UP + ROUNDS):
        prepared = list(islice(endless, count))
        clock = _Clock()
        inflated = clock("inflate", lambda: [inflate(one.body, encoding, 2 << 20) for one in prepared])  # noqa: B023
        decoded = clock("decode", lambda: DECODERS[FORMATS[format_name]](inflated, policy.limits))  # noqa: B023
        receptions = [reception(one) for one in prepared]
        run = partial(process_module.process, policy=policy, policy_of=_built_in, country_of=lambda _: "BR")
        with _verbs_timed(process_module, clock):
            processed: Processed = clock(
                "process, rest",
                lambda: run(decoded.batch, receptions),  # noqa: B023
            )
        clock.spent["process, rest"] -= sum(clock.spent[verb] for verb in VERBS)
        encoded = clock("record encode", lambda: records.encode(processed))  # noqa: B023
        read = clock("record decode", lambda: records.decode(encoded))  # noqa: B023
        clock("aggregate windows", lambda: _settle([read], catalog))  # noqa: B023
        rounds.append({stage: clock.spent[stage] / (count * spans) / 1000 for stage in STAGES})
    kept = rounds[WARM_UP:]
    return {stage: sorted(one[stage] for one in kept)[len(kept) // 2] for stage in STAGES}


def _settle(read: Sequence[Processed], catalog: Catalog) -> None:
    found = gather(read)
    update = settle(read, found, {(app_id, batch_id) for app_id, batch_id, _ in found.claims}, catalog)
    catalog.add(update.series)


def reception(one: Prepared) -> Reception:
    """How a body arrived: 40 ms after it was sealed."""
    now_us = one.batch.sealed_at_us + 40_000
    send = SendStamp(
        mono_us=now_us - one.batch.sender.epoch_at_us,
        wall_us=now_us + one.batch.sender.wall_error_us,
        epoch=one.batch.sender.epoch,
        rtt_us=25_000,
    )
    return Reception(
        app_id=1, received_at_us=now_us, address=one.batch.sender.address, send=send if one.query else None
    )


class _Clock:
    """Adds up the thread's CPU time by stage, in ns."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = defaultdict(int)

    def __call__(self, stage: str, work: Callable[[], Any]) -> Any:
        before = time.thread_time_ns()
        result = work()
        self.spent[stage] += time.thread_time_ns() - before
        return result


@contextmanager
def _verbs_timed(module: Any, clock: _Clock) -> Iterator[None]:
    """Times every verb that `process` calls, for as long as the context lasts."""
    originals = {verb: getattr(module, verb) for verb in VERBS}

    def timed(verb: str, original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: clock(verb, lambda: original(*given, **named))

    try:
        for verb, original in originals.items():
            setattr(module, verb, timed(verb, original))
        yield
    finally:
        for verb, original in originals.items():
            setattr(module, verb, original)


def _built_in(app_id: int) -> AppPolicy:
    del app_id
    return AppPolicy()
