"""Clients that sketch: their spans, sent whole or sketched, through decoder, pipeline and aggregator."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

from client_sdk_spec.encoder import encode
from ingest.aggregate.catalog import Catalog
from ingest.aggregate.turn import gather, settle
from ingest.decode.native import decode_native
from ingest.model import METRICS, WINDOW_US, Processed, Reception
from ingest.pipeline.process import process
from ingest.ports import Rollups, Update
from ingest.settings import Limits
from tests.batches import NOW_US, built_in, policy, reception

Span = dict[str, Any]
SENDER = {"service": "shop", "version": "5.2.1", "network": "4g", "session": "a5e55"}
START_US = NOW_US // WINDOW_US * WINDOW_US - 60 * WINDOW_US
"""Start of a window ten minutes ago, by a wall clock that is right."""


def spans_of_client(seed: int, count: int, windows: int = 6) -> list[Span]:
    """Requests of a few routes, and screens, over some windows."""
    random = Random(seed)
    return [_span(random, number, windows) for number in range(count)]


def _span(random: Random, number: int, windows: int) -> Span:
    kept = {
        "trace_id": f"{random.getrandbits(128) | 1:032x}",
        "span_id": f"{number + 1:016x}",
        "start_us": START_US + random.randrange(windows * WINDOW_US),
        "duration_us": int(random.lognormvariate(11.5, 1.0)),
    }
    if random.random() < 0.1:
        return kept | {"name": "screen cart", "kind": 1}
    thing = random.choice(("orders", "cart", "items"))
    reused = random.random() < 0.6
    http_status = random.choice((200, 200, 200, 200, 404, 500, 0))
    phases = {
        "dns_us": -1 if reused else random.choice((0, 9_000, 20_000)),
        "tcp_us": -1 if reused else random.randrange(20_000, 60_000),
        "ttfb_us": -2 if http_status == 0 else random.randrange(1, 500),
    }
    return (
        kept
        | phases
        | {
            "name": f"GET /{thing}",
            "method": "GET",
            "url": f"https://api.shop.example/v1/{thing}/7{random.randrange(4)}",
            "http_status": http_status,
            "duration_us": kept["duration_us"] + sum(us for us in phases.values() if us > 0),
        }
    )


def sets_of(spans: Iterable[Span], accuracy: float = 0.01) -> list[dict[str, Any]]:
    """One sketch set for each route and window."""
    groups: dict[Any, list[Span]] = {}
    for span in spans:
        window = span["start_us"] // WINDOW_US * WINDOW_US
        groups.setdefault((window, *(span.get(key, "") for key in ("name", "method", "url"))), []).append(span)
    return [
        {"start_us": key[0], "width_us": WINDOW_US, "spans": members, "accuracy": accuracy}
        for key, members in groups.items()
    ]


def batch_of(number: int, **given: Any) -> dict[str, Any]:
    """A batch of a wall clock, with its own id."""
    return {"id": f"{number:032x}", "resource": SENDER, "clock": {"kind": "wall"}, "spans": [], **given}


def record_of(
    batches: Sequence[Mapping[str, Any]],
    receptions: Sequence[Reception] | None = None,
    *,
    policy_of: Any = built_in,
    encoding: str = "msgpack",
    **sampling: Any,
) -> Processed:
    """What is journaled of these batches, received together."""
    decoded = decode_native([encode(batch, encoding) for batch in batches], Limits())
    assert not decoded.faults
    came = receptions or [reception(address="203.0.113.9", user_agent="x")] * len(batches)
    return process(decoded.batch, came, policy(**sampling), policy_of=policy_of, country_of=lambda _: "BR")


def turn_of(records: Sequence[Processed], known: Iterable[tuple[int, bytes]] = ()) -> Update:
    """One turn of the aggregator over records; `known` batches were seen before."""
    bodies = gather(records)
    fresh = {(app_id, batch_id) for app_id, batch_id, _ in bodies.claims} - {*known}
    return settle(records, bodies, fresh, Catalog(0, {}, 10_000))


def partials_of(rollups: Rollups) -> dict[tuple[int, int], Any]:
    """(series, window) → everything counted there, comparable."""
    ends = np.cumsum(rollups.sizes.ravel()).reshape(rollups.sizes.shape)
    found: dict[tuple[int, int], Any] = {}
    for row in range(len(rollups)):
        key = int(rollups.series_id[row]), int(rollups.window[row])
        assert key not in found
        found[key] = (
            int(rollups.spans[row]),
            int(rollups.errors[row]),
            rollups.reused[:, row].tolist(),
            rollups.unknown[:, row].tolist(),
            [rollups.bins[end - size : end].tolist() for end, size in zip(ends[row], rollups.sizes[row], strict=True)],
            rollups.sessions[row],
        )
    return found


def bins_of_everything(update: Update, metric: str) -> Any:
    """The bins of a metric over all spans of the app, signal by signal and window by window."""
    rollups, column = update.rollups, METRICS.index(metric)
    everything = [row.series_id for row in update.series if row.view == "all"]
    ends = np.cumsum(rollups.sizes.ravel()).reshape(rollups.sizes.shape)
    rows = np.flatnonzero(np.isin(rollups.series_id, everything))
    return [rollups.bins[ends[row, column] - rollups.sizes[row, column] : ends[row, column]] for row in rows]


def counted_of_everything(update: Update) -> tuple[int, int]:
    """Spans and errors of the app."""
    everything = [row.series_id for row in update.series if row.view == "all"]
    rows = np.isin(update.rollups.series_id, everything)
    return int(update.rollups.spans[rows].sum()), int(update.rollups.errors[rows].sum())
