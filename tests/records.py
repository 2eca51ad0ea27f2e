"""Makes `Processed` records: what the pipeline would hand to a journal, drawn from a seed."""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from ingest import sketch
from ingest.model import (
    NOT_MEASURED,
    REUSED,
    UNKNOWN,
    WINDOW_US,
    Assigned,
    Attributes,
    Bodies,
    Counted,
    Drops,
    Events,
    Kept,
    Ledger,
    Links,
    Notes,
    Processed,
    Resources,
    Scrubs,
    Series,
    SpanBatch,
    Spans,
    no_sketches,
)
from ingest.outcome import Outcome
from ingest.pipeline.count import no_summaries
from ingest.pipeline.strings import compact

NOW_US = 1_790_000_000_000_000


class Strings:
    """A string table that grows."""

    def __init__(self) -> None:
        self.table = [""]
        self._codes = {"": 0}

    def __call__(self, text: str) -> int:
        if text not in self._codes:
            self._codes[text] = len(self.table)
            self.table.append(text)
        return self._codes[text]

    def choose(self, rng: np.random.Generator, count: int, texts: list[str], skew: float = 1.0) -> Any:
        """`count` codes of these texts, the first ones more often."""
        weights = 1 / np.arange(1, len(texts) + 1) ** skew
        return np.array([self(text) for text in texts], np.int32)[
            rng.choice(len(texts), size=count, p=weights / weights.sum())
        ]


def make_record(
    seed: int = 0,
    *,
    spans: int = 60,
    bodies: int = 2,
    keep: float = 0.5,
    app_id: int = 1,
    now_us: int = NOW_US,
    spread_us: int = 3_000_000,
    routes: int = 20,
    versions: int = 5,
    countries: int = 20,
    rejected: int = 0,
    drops: int = 0,
) -> Processed:
    """A record of as many accepted spans in as many bodies, of which a share is kept.

    Args:
        spread_us: how far before `now_us` spans start.
        rejected: spans of the first body that were rejected.
        drops: spans that the first body's client dropped.
    """
    rng = np.random.default_rng(seed)
    strings = Strings()
    resources = _resources(rng, bodies, strings, versions)
    body_of_span = np.sort(rng.integers(0, bodies, spans)).astype(np.int32)
    start = now_us - rng.integers(0, spread_us, spans)
    duration = rng.lognormal(11.5, 0.8, spans).astype(np.int64)
    phases = _phases(rng, duration)
    error = rng.random(spans) < 0.02
    route = strings.choose(rng, spans, [f"GET api.shop.example/r{n}/{{id}}" for n in range(routes)])
    country = strings.choose(rng, bodies, [f"C{n}" for n in range(countries)])
    device_class = rng.integers(1, 4, bodies)
    names = np.array([strings(name) for name in ("unknown", "low", "mid", "high")], np.int32)
    systems = np.full(bodies, strings("android"), np.int32)
    senders = [resources.version, country, names[device_class], resources.network, systems]
    rows = np.stack([route, *(column[body_of_span] for column in senders)])
    values, series_of_span = np.unique(rows, axis=1, return_inverse=True)

    kept = rng.random(spans) < keep
    batch = SpanBatch(
        strings=strings.table,
        bodies=_bodies(rng, bodies, strings),
        resources=resources,
        spans=_spans(rng, body_of_span, start, duration, phases, error, route, strings),
        attributes=Attributes(*_owned(rng, spans, strings)),
        resource_attributes=Attributes(*_owned(rng, bodies, strings)),
        events=Events(*_owned(rng, spans, strings, columns=2), rng.integers(0, 1000, spans)),
        links=Links(
            np.arange(spans, dtype=np.int32),
            _ids(rng, spans, 16),
            _ids(rng, spans, 8),
            rng.integers(0, 3, spans, dtype=np.uint8),
        ),
        drops=Drops(
            np.zeros(1 if drops else 0, np.int32),
            np.full(1 if drops else 0, strings("queue_overflow"), np.int32),
            np.full(1 if drops else 0, drops, np.int64),
        ),
        sketches=no_sketches()[0],
        sketch_bins=no_sketches()[1],
    )
    assigned = Assigned(
        start_at_us=start,
        clock_quality=rng.integers(0, 6, spans).astype(np.uint8),
        clock_err_ms=rng.integers(-2, 900, spans),
        route=route,
        country=country[body_of_span],
        device_class=device_class[body_of_span].astype(np.uint8),
        os=systems[body_of_span],
        weight=np.full(spans, 1 / max(keep, 1e-9)),
        stratum=rng.integers(0, 3, spans).astype(np.uint8),
        origin=np.zeros(spans, np.uint8),
        randomness=rng.integers(0, 1 << 56, spans),
        clock_skew_ms=np.where(rng.random(spans) < 0.5, rng.integers(-5000, 5000, spans), NOT_MEASURED),
        clock_steps=rng.integers(-2, 3, spans),
        clock_conflict=rng.random(spans) < 0.1,
        upload_delay_ms=np.where(rng.random(spans) < 0.5, rng.integers(0, 5000, spans), NOT_MEASURED),
        clock_segment=rng.integers(-(1 << 62), 1 << 62, spans),
        clock_offset_us=rng.integers(-(1 << 62), 1 << 62, spans),
        server_us=rng.integers(-2, 90_000, spans),
    )
    outcomes = np.zeros((len(Outcome), bodies), np.int32)
    outcomes[Outcome.KEPT] = np.bincount(body_of_span[kept], minlength=bodies)
    outcomes[Outcome.COUNTED_ONLY] = np.bincount(body_of_span[~kept], minlength=bodies)
    outcomes[Outcome.FUTURE, 0] = rejected
    record = compact(
        Processed(
            strings=strings.table,
            ledger=Ledger(
                app_id=np.full(bodies, app_id, np.int32),
                batch_id=batch.bodies.batch_id,
                received_at_us=np.full(bodies, now_us, np.int64),
                spans=outcomes.sum(axis=0).astype(np.int32),
                outcomes=outcomes,
                policy_version=np.ones(bodies, np.int32),
            ),
            drops=batch.drops,
            series=Series(
                np.full(values.shape[1], app_id, np.int32),
                np.zeros(values.shape[1], np.uint8),
                values.astype(np.int32),
            ),
            counted=Counted(
                body=body_of_span,
                series=series_of_span.ravel().astype(np.int32),
                window=start // WINDOW_US,
                error=error,
                buckets=np.stack([sketch.bucket(row) for row in (duration, *phases)]),
                session=rng.choice(np.array([0, -5, *range(1, 9), 2**62]), spans),
                stands_for=np.ones(spans, np.int32),
            ),
            kept=Kept(batch.select(kept), assigned.take(kept)),
            scrubs=Scrubs(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64)),
            notes=Notes(np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int64)),
            summaries=no_summaries()[0],
            summary_bins=no_summaries()[1],
        )
    )
    # A decoded record has its one string table in both places.
    return replace(record, kept=replace(record.kept, batch=replace(record.kept.batch, strings=record.strings)))


def _phases(rng: np.random.Generator, duration: Any) -> Any:
    """Redirects are rare; most connections are reused; some numbers nobody knows."""
    shares = rng.dirichlet(np.ones(8), len(duration)).T
    phases = (duration * shares).astype(np.int64)
    phases[0, rng.random(len(duration)) < 0.98] = REUSED
    phases[2:5, rng.random(len(duration)) < 0.7] = REUSED
    phases[:, rng.random(len(duration)) < 0.05] = UNKNOWN
    return phases


def _ids(rng: np.random.Generator, count: int, size: int) -> Any:
    return rng.integers(0, 256, (count, size), dtype=np.uint8)


def _owned(rng: np.random.Generator, owners: int, strings: Strings, columns: int = 3) -> list[Any]:
    texts = [strings.choose(rng, owners, [f"key.{n}" for n in range(5)]) for _ in range(columns - 1)]
    return [np.arange(owners, dtype=np.int32), *texts]


def _bodies(rng: np.random.Generator, count: int, strings: Strings) -> Bodies:
    return Bodies(
        batch_id=_ids(rng, count, 16),
        clock=np.ones(count, np.uint8),
        epoch=np.full(count, strings("boot-1"), np.int32),
        sealed_mono_us=np.full(count, 5_000_000),
        sealed_wall_us=np.full(count, NOW_US),
        steps=np.zeros(count, np.int64),
        sketched=np.zeros(count, np.bool_),
    )


def _resources(rng: np.random.Generator, count: int, strings: Strings, versions: int) -> Resources:
    columns: dict[str, Any] = {f.name: np.full(count, strings(f"{f.name} 1"), np.int32) for f in fields(Resources)}
    columns["body"] = np.arange(count, dtype=np.int32)
    columns["version"] = strings.choose(rng, count, [f"5.{n}.0" for n in range(versions)])
    columns["network"] = strings.choose(rng, count, ["wifi", "4g", "5g", "3g"])
    columns["session"] = np.array([strings(rng.bytes(12).hex()) for _ in range(count)], np.int32)
    columns["device_model"] = strings.choose(rng, count, [f"Pixel {n}" for n in range(50)])
    columns["memory_mb"] = np.full(count, 4096)
    columns["cores"] = np.full(count, UNKNOWN)
    columns["consent"] = np.zeros(count, np.uint8)
    columns["reported"] = np.zeros(count, np.bool_)
    return Resources(**columns)


def _spans(
    rng: np.random.Generator,
    resource: Any,
    start: Any,
    duration: Any,
    phases: Any,
    error: Any,
    route: Any,
    strings: Strings,
) -> Spans:
    count = len(resource)
    paths = [f"https://api.shop.example/r{n}/[id]" for n in range(200)]
    return Spans(
        resource=resource,
        trace_id=_ids(rng, count, 16),
        span_id=_ids(rng, count, 8),
        parent_span_id=np.where(rng.random((count, 1)) < 0.5, _ids(rng, count, 8), 0).astype(np.uint8),
        name=np.full(count, strings("GET"), np.int32),
        signal=np.zeros(count, np.uint8),
        kind=np.full(count, 3, np.uint8),
        status=np.where(error, 2, 0).astype(np.uint8),
        start_us=start,
        duration_us=duration,
        phases_us=phases,
        method=np.full(count, strings("GET"), np.int32),
        url=strings.choose(rng, count, paths),
        route=route,
        http_status=np.where(error, 503, 200).astype(np.int32),
        error_type=np.where(error, strings("timeout"), 0).astype(np.int32),
        protocol=np.full(count, strings("h2"), np.int32),
        screen=strings.choose(rng, count, ["Home", "Cart", "Checkout"]),
        request_bytes=np.full(count, UNKNOWN),
        response_bytes=rng.integers(100, 100_000, count),
        threshold=np.full(count, UNKNOWN),
        randomness=np.full(count, UNKNOWN),
        repairs=np.zeros(count, np.uint8),
    )
