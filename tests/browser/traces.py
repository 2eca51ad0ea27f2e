"""Traces for the browser to show: a checkout behind a slow backend, a push, a long feed, one of 10,000 spans."""

from ingest.model import UNKNOWN
from tests.query.trace_rows import Made, server

CHECKOUT_ID, FEED_ID, PUSH_ID, TORN_ID, HUGE_ID, VISIT_ID = (
    bytes([first]) * 16 for first in (0xC1, 0xFE, 0xB5, 0xC0, 0x10, 0xA1)
)
_SLOW_US = 4_000_000
"""How far the phone's clock is behind; its bound is 10 s."""
_PHONE = {"trace_id": CHECKOUT_ID, "segment": 9, "err_ms": 10_000}


def link(trace_id: bytes, span_id: int, kind: str = "span") -> dict[str, str]:
    """A link as it is stored."""
    return {"trace_id": trace_id.hex(), "span_id": f"{span_id:016x}", "kind": kind}


SLOW_CHECKOUT = [
    Made(1, start=-_SLOW_US, us=2_000_000, name="Checkout", **_PHONE),
    Made(
        2,
        1,
        start=100_000 - _SLOW_US,
        us=1_500_000,
        name="POST",
        route="POST api.shop.example/orders",
        ttfb=1_400_000,
        links=[link(CHECKOUT_ID, 3, "server")],
        **_PHONE,
    ),
    server(3, 2, start=200_000, us=1_250_000, name="POST /orders", trace_id=CHECKOUT_ID, err_ms=20),
    Made(
        4,
        3,
        300_000,
        1_000_000,
        "INSERT",
        service="shop-db",
        session=None,
        backend=True,
        failed=True,
        err_ms=20,
        trace_id=CHECKOUT_ID,
    ),
]

PUSH = [Made(1, name="Push opened", trace_id=PUSH_ID, links=[link(CHECKOUT_ID, 3)], weight=20.0)]
"""It came of the checkout, and is one of twenty."""

TORN = [
    Made(1, us=900_000, name="Search", trace_id=TORN_ID, segment=3, err_ms=1, ttfb=100_000),
    server(2, 1, start=5_000_000, us=700_000, name="GET /search", trace_id=TORN_ID, err_ms=1),
    Made(3, 1, us=1000, name="elsewhere", trace_id=TORN_ID, service="widget", session="s2", segment=4, err_ms=None),
    Made(4, 1, us=1000, name="untimed", trace_id=TORN_ID, segment=3, err_ms=1, ttfb=UNKNOWN, server_us=500),
]
"""A backend five seconds from its client, whose bounds say a millisecond."""
TORN_DROPPED = 37
"""Spans that it had no room for."""

VISITOR = "a11ce" * 4
"""Pseudonym of a session: a page that throws, and two minutes later an order that gets no answer."""
_VISIT = {"session": VISITOR, "segment": 21, "err_ms": 15, "trace_id": VISIT_ID}
VISIT = [
    Made(0xA1, us=3_000_000, name="/basket", signal="page", **_VISIT),
    Made(0xA2, 0xA1, us=1_800_000, name="LCP", signal="lcp", **_VISIT),
    Made(
        0xA3,
        0xA1,
        start=2_000_000,
        us=0,
        name="TypeError",
        signal="exception",
        failed=True,
        attributes={"exception.message": "basket is undefined"},
        **_VISIT,
    ),
    Made(
        0xA4,
        0xA1,
        start=2_500_000,
        us=0,
        name="warn",
        signal="event",
        attributes={"log.body": "shown without prices"},
        **_VISIT,
    ),
    Made(0xA5, 0xA1, start=400_000, us=700_000, name="GET", route="GET api.shop.example/basket", **_VISIT),
    Made(0xA6, start=120_000_000, us=900_000, name="Order", failed=True, **{**_VISIT, "trace_id": bytes([0xA6]) * 16}),
]

LONG_FEED = [
    Made(1, us=9_000_000, name="Feed", trace_id=FEED_ID),
    *(
        Made(n, 1, start=n * 20_000, us=5_000 + n * 10, name="GET", route="GET cdn.shop.example/{id}", trace_id=FEED_ID)
        for n in range(2, 402)
    ),
]

HUGE_SPANS = 10_000
_STEPS, _IMAGES = 200, 45
"""Steps of the day, and images that each of them loads."""


def _huge() -> list[Made]:
    made = [Made(1, us=3_600_000_000, name="Day", trace_id=HUGE_ID)]
    for step in range(_STEPS):
        parent, start = len(made) + 1, step * 18_000_000
        made.append(Made(parent, 1, start, 17_000_000, f"step {step}", trace_id=HUGE_ID))
        for n in range(_IMAGES):
            failed = (step, n) == (150, 20)
            at = start + n * 300_000
            made.append(Made(len(made) + 1, parent, at, 200_000, "load image", trace_id=HUGE_ID, failed=failed))
    while len(made) < HUGE_SPANS:
        made.append(Made(len(made) + 1, 1, 3_599_000_000, 1000, f"end {len(made)}", trace_id=HUGE_ID))
    return made


HUGE = _huge()
