"""Whatever arrives as Faro or reports, the decoders answer with columns and refusals, never with another exception."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decode.faro import decode_faro
from ingest.decode.reports import decode_reports
from ingest.model import Decoded
from ingest.settings import Limits
from tests.decode.faro_messages import LOADED, META, TIMING, body, event, navigation, resource, span, traces, vital
from tests.decode.otlp_messages import all_in_words
from tests.decode.test_fuzz_otlp import edit, edits, is_sound
from tests.decode.test_reports import CRASH, NETWORK_ERROR, VIOLATION

Decode = Callable[[Sequence[bytes], Limits], Decoded]

FARO = body(
    events=[navigation(), resource(), event("session_start"), event("view_changed", {"toView": "b"})],
    measurements=[vital({"lcp": 12.5}), {"type": "cart", "values": {"n": 1}}],
    exceptions=[{"type": "E", "value": "x", "stacktrace": {"frames": [{"filename": "a", "lineno": 1}]}}],
    logs=[{"message": "m", "level": "info", "context": {"a": "b"}}],
    traces=traces(span(), span(0)),
)
REPORTS = orjson.dumps([NETWORK_ERROR, VIOLATION, CRASH])
GOOD_FARO = body(events=[event("good")])
GOOD_REPORTS = orjson.dumps([{"type": "good", "age": 1, "url": "https://a.example/", "body": {}}])
BOTH = pytest.mark.parametrize(
    ("decode", "good"), [(decode_faro, GOOD_FARO), (decode_reports, GOOD_REPORTS)], ids=["faro", "reports"]
)


def check(decode: Decode, data: bytes, good: bytes) -> None:
    decoded = decode([good, data, good], Limits())
    is_sound(decoded, 3)
    names = [decoded.batch.strings[code] for code in decoded.batch.spans.name]
    assert (names[0], names[-1]) == ("good", "good")
    assert not {0, 2} & set(decoded.faults)
    assert (decoded.batch.remarks.body == 1).all()
    if 1 in decoded.faults:
        alone = decode([good, good], Limits())
        assert sorted(decoded.batch.strings) == sorted(alone.batch.strings)


@BOTH
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(data=b"")
@example(data=b"null")
@example(data=b"[null]")
@example(data=b'{"type":"x"}')
@example(data=b"[" * 5000)
def test_arbitrary_bytes_touch_no_other_body(decode: Decode, good: bytes, data: bytes) -> None:
    check(decode, data, good)


@settings(max_examples=300)
@given(edits)
def test_mutated_faro_touches_no_other_body(changes: list[tuple[float, int, bytes]]) -> None:
    check(decode_faro, edit(FARO, changes), GOOD_FARO)


@settings(max_examples=200)
@given(edits)
def test_mutated_reports_touch_no_other_body(changes: list[tuple[float, int, bytes]]) -> None:
    check(decode_reports, edit(REPORTS, changes), GOOD_REPORTS)


_NAMES = [
    *("meta", "events", "measurements", "exceptions", "logs", "traces", "name", "type", "value", "values", "context"),
    *("attributes", "timestamp", "trace", "trace_id", "span_id", "action", "stacktrace", "frames", "message", "level"),
    *("session", "id", "page", "url", "view", "app", "resourceSpans", "scopeSpans", "spans", "lcp", "toView"),
    *("age", "body", "csp-report", "sampling_fraction", "elapsed_time", "status_code", "phase", *TIMING, *LOADED),
]
_TEXTS = ["faro.performance.resource", "faro.performance.navigation", "web-vitals", "network-error", "crash", "ok", "5"]
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(_TEXTS)
plain_json = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=40,
)
PARTS = {"events": "faro.performance.resource", "measurements": "web-vitals", "exceptions": "E", "logs": "m"}


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*PARTS, "meta", "traces"]), plain_json))
def test_faro_of_any_shape_is_read_or_refused(parts: dict[str, Any]) -> None:
    check(decode_faro, json.dumps(parts).encode("utf-8", "surrogatepass"), GOOD_FARO)


@settings(max_examples=300)
@given(st.sampled_from([*PARTS]), st.sampled_from(_TEXTS), st.dictionaries(st.sampled_from(_NAMES), plain_json))
def test_items_of_any_shape_are_read_or_refused(part: str, name: str, item: dict[str, Any]) -> None:
    given_item = {"name": name, "type": name, "attributes": item, "values": item, "context": item} | item
    check(decode_faro, json.dumps({"meta": META, part: [given_item]}).encode("utf-8", "surrogatepass"), GOOD_FARO)


@settings(max_examples=300)
@given(plain_json | st.lists(st.dictionaries(st.sampled_from(_NAMES), plain_json), max_size=3), st.sampled_from(_TEXTS))
def test_reports_of_any_shape_are_read_or_refused(value: Any, kind: str) -> None:
    check(decode_reports, json.dumps(value).encode("utf-8", "surrogatepass"), GOOD_REPORTS)
    check(decode_reports, json.dumps([{"type": kind, "body": value}]).encode("utf-8", "surrogatepass"), GOOD_REPORTS)


@pytest.mark.parametrize(("decode", "data"), [(decode_faro, FARO), (decode_reports, REPORTS)], ids=["faro", "reports"])
def test_a_body_cut_anywhere_is_refused(decode: Decode, data: bytes) -> None:
    for end in range(0, len(data) - 1, 3):
        assert decode([data[:end]], Limits()).faults


@pytest.mark.parametrize(("decode", "data"), [(decode_faro, FARO), (decode_reports, REPORTS)], ids=["faro", "reports"])
def test_the_same_bodies_give_the_same_columns_again(decode: Decode, data: bytes) -> None:
    first, second = (decode([data, b"{", data], Limits()) for _ in range(2))
    assert all_in_words(first.batch) == all_in_words(second.batch)
