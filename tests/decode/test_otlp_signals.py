"""Spans of well-known instrumentations say what they are about; a name alone does not make one of them."""

from typing import Any

import pytest

from ingest.model import UNKNOWN, Signal
from tests.decode.otlp_messages import NETWORK_EVENTS, column, decoded, in_words, span_of

PAGE = {"url.full": "https://shop.example/"}
ACTIVITY = {"activity.name": "CartActivity", "screen.name": "Cart"}


@pytest.mark.parametrize(
    ("name", "attributes", "signal"),
    [
        ("documentLoad", PAGE, Signal.PAGE),
        ("documentLoad", {"http.url": "https://shop.example/"}, Signal.PAGE),
        ("documentLoad", {}, Signal.REQUEST),
        ("documentFetch", PAGE, Signal.REQUEST),
        ("resourceFetch", PAGE, Signal.REQUEST),
        ("longtask", {"longtask.duration": 80.5}, Signal.LONG_TASK),
        ("longtask", {}, Signal.REQUEST),
        ("AppStart", {"start.type": "cold"}, Signal.START),
        ("AppStart", {"kind": "cold"}, Signal.REQUEST),
        ("Created", ACTIVITY, Signal.SCREEN),
        ("Resumed", {"fragment.name": "CartFragment"}, Signal.SCREEN),
        ("Created", {"order.id": "7"}, Signal.REQUEST),
        ("Paused", ACTIVITY, Signal.REQUEST),
        ("app.screen.time_to_first_draw", {}, Signal.SCREEN),
        ("app.screen.time_on_screen", {"app.screen.name": "Cart"}, Signal.REQUEST),
        ("frozenRenders", {"activity.name": "CartActivity", "count": 3}, Signal.EVENT),
    ],
)
def test_a_span_is_about_what_its_name_and_attributes_say(
    name: str, attributes: dict[str, Any], signal: Signal
) -> None:
    assert column(decoded(span_of(attributes, name=name, kind=1)), "signal") == signal


def test_only_the_span_with_the_evidence_is_taken_for_one() -> None:
    batch = decoded(
        span_of({}, name="AppStart"), span_of({"start.type": "hot"}, name="AppStart"), span_of({}, name="GET")
    )
    assert in_words(batch, "spans", "signal") == [Signal.REQUEST, Signal.START, Signal.REQUEST]


def test_a_page_has_no_phases_whatever_its_events() -> None:
    events = [(name, number * 1_000_000) for number, name in enumerate(NETWORK_EVENTS, 1)]
    page, document = span_of(PAGE, events, name="documentLoad"), span_of(PAGE, events, name="documentFetch")
    phases = decoded(page, document).spans.phases_us
    assert set(phases[:, 0].tolist()) == {UNKNOWN} != set(phases[:, 1].tolist())
