"""Server-Timing and traceresponse as servers write them, and as nobody should."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import UNKNOWN
from ingest.pipeline.server_timing import (
    MOST_ENTRIES,
    ServerSpan,
    read_context,
    read_entries,
    read_values,
    server_time,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NAMED = ServerSpan(bytes.fromhex(TRACE), bytes.fromhex(SPAN))


def spans(value: str) -> list[ServerSpan]:
    return [entry.span for entry in read_entries(value) if entry.span is not None]


def times(value: str) -> dict[str, int]:
    return {entry.name: entry.time_us for entry in read_entries(value)}


@pytest.mark.parametrize(
    "value",
    [
        f'traceparent;desc="00-{TRACE}-{SPAN}-01"',
        f"trace;desc=00-{TRACE}-{SPAN}-01",
        f'Traceparent ; DESC = "00-{TRACE}-{SPAN}-00"',
        f'cache;desc="HIT, maybe; not";dur=0.1,\ttraceparent;dur=20;desc="00-{TRACE}-{SPAN}-01"',
        # A server that writes its flags as a number, one that writes none, and a later version with more fields.
        f'traceparent;desc="00-{TRACE}-{SPAN}-1"',
        f'traceparent;desc="00-{TRACE}-{SPAN}"',
        f'traceparent;desc="01-{TRACE}-{SPAN}-01-more"',
    ],
)
def test_the_span_of_the_server_is_found_however_servers_write_it(value: str):
    assert spans(value) == [NAMED]


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",,;;==",
        f'traceparent="00-{TRACE}-{SPAN}-01"',
        f'cache;desc="00-{TRACE}-{SPAN}-01"',
        f'"traceparent";desc="00-{TRACE}-{SPAN}-01"',
        f'traceparent;desc="00-{TRACE.upper()}-{SPAN}-01"',
        f'traceparent;desc="00-{"0" * 32}-{SPAN}-01"',
        f'traceparent;desc="ff-{TRACE}-{SPAN}-01"',
        f'traceparent;desc="00-{TRACE[1:]}-{SPAN}-01"',
        f'traceparent;desc="00-{TRACE}{SPAN}"',
        'traceparent;desc="00---01"',
        f'traceparent;desc="";desc="00-{TRACE}-{SPAN}-01"',
    ],
)
def test_what_names_no_span_is_no_link(value: str):
    assert spans(value) == []


def test_a_response_may_name_only_the_trace_or_only_the_span():
    assert read_context(f"00-{TRACE}--01") == ServerSpan(bytes.fromhex(TRACE), bytes(8))
    assert read_context(f"00-{TRACE}-{'0' * 16}-01") == ServerSpan(bytes.fromhex(TRACE), bytes(8))
    assert read_context(f"00--{SPAN}-01") == ServerSpan(b"", bytes.fromhex(SPAN))


def test_quotes_hold_commas_and_escapes():
    assert times(r'db;desc="a, \"b\"; dur=9";dur=53, app;dur=47.2') == {"db": 53_000, "app": 47_200}


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("0", UNKNOWN),  # what scripts read where a server gave none
        ("12.3456", 12_346),
        ('"7.5"', 7_500),
        ("25.3ms", 25_300),
        ("1e3", 1_000_000),
        ("86400000", 86_400_000_000),
        ("86400001", UNKNOWN),
        ("-1", UNKNOWN),
        ("NaN", UNKNOWN),
        ("Infinity", UNKNOWN),
        ("1e999", UNKNOWN),
        ("9" * 5000, UNKNOWN),
        ("", UNKNOWN),
        ("٣", UNKNOWN),
        ("soon", UNKNOWN),
    ],
)
def test_a_time_that_cannot_be_is_unknown(text: str, time_us: int):
    assert times(f"total;dur={text}") == {"total": time_us}


@pytest.mark.parametrize(
    ("value", "time_us"),
    [
        ("db;dur=53, total;dur=80, app;dur=70", 80_000),
        ("db;dur=53, server;dur=75, app;dur=70", 70_000),
        ("cdn-cache;desc=MISS, edge;dur=3, origin;dur=41", 41_000),
        ("render;dur=12", 12_000),
        ("cdn-cache;desc=HIT, edge;dur=3, origin;dur=41", UNKNOWN),
        ('cache;desc="TCP_HIT from edge", total;dur=41', UNKNOWN),
        ("white-list;dur=7", 7_000),
        ("db;dur=53, render;dur=12", UNKNOWN),
        (f'total;dur=80, traceparent;desc="00-{TRACE}-{SPAN}-01";dur=60', 60_000),
        (f'total;dur=80, traceparent;desc="00-{TRACE}-{SPAN}-01"', 80_000),
        ("total;dur=30, total;dur=50", 50_000),
        ("total;desc=none", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_the_servers_time_is_that_of_its_span_else_of_the_whole_else_the_only_one(value: str, time_us: int):
    assert server_time(read_entries(value)) == time_us


def test_values_come_as_the_conventions_array_or_as_plain_text():
    assert read_values('["a;dur=1", "b;dur=2", 7]') == ["a;dur=1", "b;dur=2"]
    assert list(read_values("a;dur=1, b;dur=2")) == ["a;dur=1, b;dur=2"]
    assert list(read_values('["a;dur=1…')) == []


def test_work_for_one_value_is_bounded():
    assert len(read_entries("a," * 100_000)) <= MOST_ENTRIES
    for hostile in ('"' + "\\" * 8192, "a" * 8192, ";" * 8192, '";' * 4096):
        assert len(read_entries(hostile)) <= 1


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet=st.sampled_from('traceparent;,="\\ \tdur0123456789-eEN.ﬀ\x00'), max_size=200)
    | st.text(max_size=80)
)
def test_no_text_breaks_the_reading(text: str):
    for value in read_values(text):
        for entry in read_entries(value):
            assert entry.time_us == UNKNOWN or 0 <= entry.time_us <= 86_400_000_000
            assert entry.span is None or (len(entry.span.trace_id) in (0, 16) and len(entry.span.span_id) == 8)
    read_context(text)
