"""Phases that cannot be become unknown and are counted; those that only look odd are believed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import REUSED, UNKNOWN, Phase
from ingest.outcome import Note
from ingest.pipeline.judge_phases import TOLERANCE_US, judge_phases
from ingest.pipeline.process import process
from tests.batches import built_in, policy, reception, spans_of

TIMING = "http.response.header.server-timing"
COLD = {"dns": 20_000, "tcp": 10_000, "tls": 15_000, "ttfb": 40_000, "download": 5_000}


def request(phases: dict[str, int], **span: Any) -> dict[str, Any]:
    """A span of 100 ms with these phases; the others are unknown."""
    column = [UNKNOWN] * len(Phase)
    for name, us in phases.items():
        column[Phase[name.upper()]] = us
    return {"url": "https://api.shop.example/orders", "phases_us": column, **span}


def judged(phases: dict[str, int], **span: Any) -> tuple[dict[str, int], set[Note]]:
    """What is left of the phases given, and what was noted."""
    batch, notes = judge_phases(spans_of([request(phases, **span)]))
    left = batch.spans.phases_us[:, 0]
    others = [phase for phase in Phase if phase.name.lower() not in phases]
    assert (left[others] == UNKNOWN).all()
    return {name: int(left[Phase[name.upper()]]) for name in phases}, {note for note, spans in notes if spans[0]}


def test_phases_that_fit_their_span_are_believed() -> None:
    assert judged(COLD) == (COLD, set())


def test_a_phase_that_ended_before_it_began_is_unknown_and_the_others_are_believed() -> None:
    left, notes = judged(COLD | {"tcp": -3, "redirect": REUSED})
    assert (left, notes) == (COLD | {"tcp": UNKNOWN, "redirect": REUSED}, {Note.PHASE_NEGATIVE})


def test_a_phase_longer_than_its_span_is_unknown_and_the_others_are_believed() -> None:
    left, notes = judged(COLD | {"download": 100_001 + TOLERANCE_US})
    assert (left, notes) == (COLD | {"download": UNKNOWN}, {Note.PHASE_TOO_LONG})


def test_a_span_cut_to_whole_milliseconds_may_be_a_millisecond_shorter_than_its_phases() -> None:
    assert judged({"ttfb": 100_000 + TOLERANCE_US}) == ({"ttfb": 100_000 + TOLERANCE_US}, set())
    assert judged({"ttfb": 60_000, "download": 41_000}) == ({"ttfb": 60_000, "download": 41_000}, set())


def test_phases_that_together_exceed_their_span_are_all_unknown_but_what_did_not_happen_still_did_not() -> None:
    left, notes = judged({"redirect": REUSED, "dns": 60_000, "ttfb": 60_000})
    assert (left, notes) == ({"redirect": REUSED, "dns": UNKNOWN, "ttfb": UNKNOWN}, {Note.PHASES_EXCEED})


def test_tls_over_plain_http_is_impossible_where_no_redirect_can_have_led_away_from_it() -> None:
    phases = {"redirect": REUSED, "tcp": 10_000, "tls": 0}
    left, notes = judged(phases, url="HTTP://intranet.example/")
    assert (left, notes) == (phases | {"tls": UNKNOWN}, {Note.PHASE_IMPOSSIBLE})


@pytest.mark.parametrize("redirect", [UNKNOWN, 30_000])
def test_tls_of_a_plain_address_that_may_have_been_redirected_is_believed(redirect: int) -> None:
    phases = {"redirect": redirect, "tls": 15_000}
    assert judged(phases, url="http://shop.example/") == (phases, set())


@pytest.mark.parametrize("protocol", ["h3", "H3-29", "quic", "HTTP/3"])
def test_tcp_under_http3_is_impossible(protocol: str) -> None:
    left, notes = judged(COLD, protocol=protocol)
    assert (left, notes) == (COLD | {"tcp": UNKNOWN}, {Note.PHASE_IMPOSSIBLE})
    assert judged(COLD | {"tcp": REUSED}, protocol=protocol)[1] == set()
    assert judged(COLD, protocol="h2")[1] == set()


def test_where_no_answer_came_there_is_no_first_byte_and_no_download() -> None:
    left, notes = judged(COLD, http_status=0)
    assert (left, notes) == (COLD | {"ttfb": UNKNOWN, "download": UNKNOWN}, {Note.PHASE_IMPOSSIBLE})
    failed = {"dns": 20_000, "tcp": 10_000}
    assert judged(failed, http_status=0) == (failed, set())


@pytest.mark.parametrize(
    "legal",
    [
        {"dns": 20_000, "tcp": REUSED, "tls": REUSED, "ttfb": 40_000},
        {"dns": REUSED, "tcp": 10_000, "tls": 15_000, "ttfb": 40_000},
        {"dns": REUSED, "tcp": REUSED, "tls": 15_000, "ttfb": 40_000},
        {"dns": REUSED, "tcp": REUSED, "tls": REUSED, "ttfb": REUSED, "download": 0},
    ],
    ids=["lookup for a connection not needed", "cached name", "tls through a pooled tunnel", "out of a cache"],
)
def test_what_only_looks_odd_is_believed(legal: dict[str, int]) -> None:
    assert judged(legal) == (legal, set())


@pytest.mark.parametrize(
    "header",
    [
        "app;dur=60",
        '["db;dur=12.5, total; dur=60.25;desc=\\"all\\""]',
        '["cache;desc=miss","app;DUR=\\"60\\""]',
    ],
)
@pytest.mark.parametrize("name", [TIMING, "http.response.header.Server_Timing"])
def test_a_first_byte_sooner_than_the_server_was_done_is_that_of_an_interim_answer(header: str, name: str) -> None:
    left, notes = judged(COLD | {"ttfb": 2_000}, attributes={name: header})
    assert (left, notes) == (COLD | {"ttfb": UNKNOWN, "download": UNKNOWN}, {Note.TTFB_INTERIM})


@pytest.mark.parametrize(
    "header",
    ["app;dur=41", "app;dur=0.3", "miss", "app;dur=nan", "app;dur=-90", "", "dur=90", "db;dur=90, total;dur=40"],
)
def test_a_server_that_was_done_before_the_first_byte_says_nothing_against_it(header: str) -> None:
    assert judged(COLD, attributes={TIMING: header, "app.note": "x;dur=999"}) == (COLD, set())


@pytest.mark.parametrize("header", ["cdn-cache;desc=HIT, origin;dur=900", "cdn-cache-hit,app;dur=900"])
def test_an_answer_out_of_a_shared_cache_may_carry_the_old_timing_of_its_origin(header: str) -> None:
    assert judged(COLD, attributes={TIMING: header}) == (COLD, set())


def test_each_span_is_judged_by_itself() -> None:
    given = [request(COLD), request(COLD | {"dns": 999_000}), request(COLD, attributes={TIMING: "app;dur=90"})]
    batch, notes = judge_phases(spans_of(given))
    assert batch.spans.phases_us[Phase.DNS].tolist() == [20_000, UNKNOWN, 20_000]
    assert batch.spans.phases_us[Phase.TTFB].tolist() == [40_000, 40_000, UNKNOWN]
    by_note = {note: spans.tolist() for note, spans in notes if spans.any()}
    assert by_note == {Note.PHASE_TOO_LONG: [False, True, False], Note.TTFB_INTERIM: [False, False, True]}


def test_the_specification_names_every_note_that_is_made() -> None:
    specification = (Path(__file__).parents[2] / "client_sdk_spec" / "PHASES.md").read_text()
    contradictions = specification.partition("## What the edge does")[2]
    _, notes = judge_phases(spans_of([request(COLD)]))
    assert set(re.findall(r"^\| `(\w+)`", contradictions, re.MULTILINE)) == {note.label for note, _ in notes}


def test_a_batch_without_spans_has_nothing_to_judge() -> None:
    batch, notes = judge_phases(spans_of([]))
    assert len(batch.spans) == 0
    assert not any(spans.any() for _, spans in notes)


ANY = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-5, 200_000), st.sampled_from([REUSED, UNKNOWN]))


@given(
    st.lists(st.lists(ANY, min_size=8, max_size=8), min_size=1, max_size=3),
    ANY,
    st.sampled_from([0, 200, UNKNOWN]),
    st.sampled_from(["http://h.example/", "https://h.example/", ""]),
    st.text(max_size=30),
)
def test_whatever_is_sent_what_is_left_fits_its_span_and_judging_again_finds_nothing(
    columns: list[list[int]], duration_us: int, status: int, url: str, header: str
) -> None:
    spans = [
        {"phases_us": c, "duration_us": duration_us, "http_status": status, "url": url, "attributes": {TIMING: header}}
        for c in columns
    ]
    batch, _ = judge_phases(spans_of(spans))
    left = batch.spans.phases_us
    assert (left >= UNKNOWN).all()
    assert all(sum(max(us, 0) for us in row) <= max(duration_us, 0) + TOLERANCE_US for row in left.T.tolist())
    again, notes = judge_phases(batch)
    assert np.array_equal(again.spans.phases_us, left)
    assert not any(noted.any() for _, noted in notes)


def test_a_contradiction_is_counted_once_for_each_accepted_span_of_its_body_and_stored_as_unknown() -> None:
    broken = request(COLD | {"dns": -70, "tcp": -80})
    rejected = broken | {"duration_us": -5}
    given = [request(COLD), broken, rejected, broken | {"body": 1}]
    processed = process(
        spans_of(given, bodies=2),
        [reception(), reception()],
        policy(low=1.0, mid=1.0, high=1.0, unknown=1.0),
        policy_of=built_in,
        country_of=lambda _: "",
    )
    negative = processed.notes.note == Note.PHASE_NEGATIVE
    assert processed.notes.body[negative].tolist() == [0, 1]
    assert processed.notes.spans[negative].tolist() == [1, 1]
    stored = processed.kept.batch.spans.phases_us
    assert stored[Phase.DNS].tolist() == [20_000, UNKNOWN, UNKNOWN]
    assert stored[Phase.TTFB].tolist() == [40_000] * 3
