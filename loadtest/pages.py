"""What a web page tells beside its visits: its load, its web vitals, now and then an error or a long task. Seeded.

One batch for a visit to a web app, by the same sender; slower on weak devices and networks, and in the release that is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from loadtest.visits import Sender

SIGNALS = {"request": 0, "page": 2, "exception": 4, "long_task": 5, "lcp": 7, "inp": 8, "cls": 9, "fcp": 10, "ttfb": 11}
"""By the numbers of `client_sdk_spec/fields.json`."""
PATHS = ("/", "/search", "/product/{id}", "/cart", "/checkout")
ERRORS = ("TypeError", "RangeError", "NetworkError")
_SLOWER = {"low": 2.4, "mid": 1.5, "high": 1.0}
_GOOD_MS = {"ttfb": 240, "fcp": 900, "lcp": 1_500, "inp": 110}
"""Medians of a strong device on a good network."""


@dataclass(frozen=True, slots=True)
class PageBatch:
    """One batch as the reference encoder takes it, with what sending it needs to know."""

    sender: Sender
    batch_id: bytes
    sealed_at_us: int
    logical: dict[str, Any]

    @property
    def spans(self) -> int:
        """Number of spans."""
        return len(self.logical["spans"])


def page_of(rng: np.random.Generator, sender: Sender, sealed_at_us: int) -> PageBatch:
    """A page that this sender opened some seconds before it is sealed."""
    slower = _SLOWER.get(sender.device.device_class, 1.5) * {"3g": 2.0, "4g": 1.2}.get(sender.network.name, 1.0)
    vitals = {name: int(rng.lognormal(np.log(ms * 1000 * slower), 0.45)) for name, ms in _GOOD_MS.items()}
    vitals["cls"] = int(rng.lognormal(np.log(40_000), 1.2))
    load_us = int(vitals["lcp"] * rng.uniform(1.05, 1.6))
    start_us = sealed_at_us - sender.epoch_at_us - load_us - int(rng.integers(5_000_000, 30_000_000))
    path = PATHS[int(rng.integers(len(PATHS)))]
    url = f"https://www.{sender.app.name}.example{path.replace('{id}', str(rng.integers(1000, 9999)))}"
    trace_id, page_id = rng.bytes(16).hex(), rng.bytes(8).hex()

    def span(signal: str, name: str, duration_us: int, after_us: int = 0, **more: Any) -> dict[str, Any]:
        ids = {"trace_id": trace_id, "span_id": rng.bytes(8).hex(), "parent_span_id": page_id}
        what = {"name": name, "signal": SIGNALS[signal], "kind": 1, "url": url, "route": path}
        return ids | what | {"start_us": start_us + after_us, "duration_us": duration_us} | more

    page = span("page", path, load_us)
    spans = [page | {"span_id": page_id, "parent_span_id": "0" * 16}]
    spans += [span(name, name.upper(), value) for name, value in vitals.items()]
    if rng.random() < 0.06:
        error = ERRORS[int(rng.integers(len(ERRORS)))]
        text = {"exception.message": f"{error} in the cart of page {path}"}
        spans.append(span("exception", error, 0, load_us, status=2, error_type=error, attributes=text))
    spans += [
        span("long_task", "long animation frame", int(rng.integers(50_000, 140_000) * slower), load_us // 2)
        for _ in range(int(rng.poisson(0.3 * slower)))
    ]
    clock = {
        "kind": "mono",
        "epoch": sender.epoch,
        "mono_us": sealed_at_us - sender.epoch_at_us,
        "wall_us": sealed_at_us + sender.wall_error_us,
    }
    batch_id = rng.bytes(16)
    logical = {"id": batch_id.hex(), "resource": sender.resource, "clock": clock, "spans": spans}
    return PageBatch(sender, batch_id, sealed_at_us, logical)
