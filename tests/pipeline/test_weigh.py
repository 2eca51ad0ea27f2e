"""What a client's declared sampling rate is worth: as much as it says, unless its own randomness belies it."""

from random import Random
from typing import Any

import numpy as np
import pytest

from ingest.model import Processed
from ingest.outcome import Note, Outcome
from ingest.pipeline.process import process
from ingest.pipeline.thresholds import ALL, threshold
from ingest.pipeline.weigh import weigh
from tests.batches import built_in, policy, reception, spans_of

MOST = 10_000


def given(declared: int, randomness: int, number: int = 1) -> dict[str, Any]:
    return {"threshold": declared, "randomness": randomness, "span_id": number.to_bytes(8, "big")}


def weighed(*spans: dict[str, Any], sketched: bool = False, **resource: Any) -> Any:
    batch = spans_of(spans, **resource)
    batch.bodies.sketched[:] = sketched
    return weigh(batch, policy().sampling)


def run(*spans: dict[str, Any], trusted: bool = False, **resource: Any) -> Processed:
    came = [reception(trusted=trusted)]
    return process(spans_of(spans, **resource), came, policy(), policy_of=built_in, country_of=lambda _: "")


def notes(record: Processed) -> dict[Note, int]:
    return {
        Note(note): int(spans)
        for note, spans in zip(record.notes.note, record.notes.spans, strict=True)
        if not Note(note).name.startswith("CLOCK")
    }


@pytest.mark.parametrize(("probability", "stands_for"), [(1.0, 1), (0.5, 2), (0.25, 4), (1 / 8, 8), (1 / 1024, 1024)])
def test_a_whole_adjusted_count_is_exact(probability: float, stands_for: int) -> None:
    found = weighed(*(given(threshold(probability), ALL - 1, number) for number in range(50)))
    assert set(found.stands_for.tolist()) == {stands_for}


@pytest.mark.parametrize("probability", [0.3, 0.7, 0.99, 0.0123])
def test_a_fraction_is_rounded_so_that_the_sum_is_right(probability: float) -> None:
    """Standard error of the mean of 20,000 roundings is below 0.004."""
    found = weighed(*(given(threshold(probability), ALL - 1, number) for number in range(20_000)))
    assert found.stands_for.mean() == pytest.approx(1 / probability, abs=0.015)
    assert set(found.stands_for.tolist()) == {int(1 / probability), int(1 / probability) + 1}


def test_what_a_sampling_client_sends_stands_for_all_that_it_had() -> None:
    """40,000 spans of random traces at 7 %: five standard errors of the sum are 3,650."""
    random, declared = Random(7), threshold(0.07)
    had = [given(declared, random.randrange(ALL), random.getrandbits(64)) for _ in range(40_000)]
    found = weighed(*(span for span in had if span["randomness"] >= declared))
    assert found.stands_for.sum() == pytest.approx(40_000, abs=3_650)


def test_a_span_is_always_rounded_the_same_way() -> None:
    spans = [given(threshold(0.3), ALL - 1, number) for number in range(200)]
    forwards, backwards = weighed(*spans).stands_for, weighed(*reversed(spans)).stands_for
    assert forwards.tolist() == backwards[::-1].tolist()
    assert len(set(forwards.tolist())) == 2


def test_a_forged_threshold_is_left_out_and_counted() -> None:
    declared = threshold(0.01)
    found = weighed(given(declared, declared - 1), given(declared, declared))
    assert found.forged.tolist() == [True, False]
    assert found.stands_for.tolist()[0] == 1
    assert found.declared.tolist() == [0, declared]
    assert notes(run(given(declared, declared - 1), given(0, 5))) == {Note.THRESHOLD_FORGED: 1}


def test_no_threshold_weighs_more_than_is_allowed_and_that_is_counted() -> None:
    found = weighed(given(ALL - 1, ALL - 1), given(threshold(1 / MOST), ALL - 1))
    assert found.stands_for.tolist() == [MOST, MOST]
    assert found.clamped.tolist() == [True, False]
    assert notes(run(given(ALL - 1, ALL - 1))) == {Note.THRESHOLD_CLAMPED: 1, Note.WEIGHTED: 1}


def test_a_span_of_a_sketching_device_counts_for_itself_and_stands_for_others_in_the_sample() -> None:
    declared = threshold(0.1)
    found = weighed(given(declared, ALL - 1), sketched=True)
    assert found.stands_for.tolist() == [1]
    assert found.declared.tolist() == [declared]
    assert not found.forged.any()


@pytest.mark.parametrize("sketched", [False, True])
def test_what_was_sampled_away_and_is_sent_for_a_report_counts_for_none(sketched: bool) -> None:
    declared = threshold(0.1)
    spans = given(declared, declared - 1), given(declared, declared), given(0, 5)
    found = weighed(*spans, reported=True, sketched=sketched)
    assert found.stands_for.tolist() == [0, 1 if sketched else 10, 1]
    assert not found.forged.any()
    assert found.declared.tolist() == [0, declared, 0]


def test_it_is_stored_whole_at_weight_zero_and_is_in_no_figure() -> None:
    declared = threshold(0.1)
    record = run(given(declared, declared - 1, 1), given(declared, declared, 2), reported=True)
    assert record.ledger.outcomes[Outcome.KEPT].tolist() == [2]
    assert record.kept.assigned.weight.tolist() == [0.0, pytest.approx(10.0)]
    assert record.counted.stands_for.tolist() == [10]
    assert notes(record) == {Note.WEIGHTED: 1}


def test_spans_that_say_nothing_count_for_themselves_and_are_not_noted() -> None:
    record = run({}, {"randomness": 5})
    assert record.counted.stands_for.tolist() == [1, 1]
    assert notes(record) == {}


def test_a_backends_threshold_is_no_note_about_figures_it_is_not_in() -> None:
    record = run(given(threshold(0.5), ALL - 1), trusted=True)
    assert len(record.counted) == 0
    assert Note.WEIGHTED not in notes(record)


def test_any_numbers_are_weighed_without_overflow() -> None:
    random = np.random.default_rng(1)
    spans = [
        given(int(declared), int(randomness), int(number))
        for declared, randomness, number in zip(
            [-2, -1, 0, 1, ALL - 1, ALL, 2**62, *random.integers(-2, ALL, 300)],
            [-2, 0, 0, ALL - 1, ALL - 1, ALL - 1, ALL - 1, *random.integers(-2, ALL, 300)],
            [0, 2**64 - 1, *random.integers(0, 2**63, 305)],
            strict=True,
        )
    ]
    found = weighed(*spans)
    assert ((found.stands_for >= 1) & (found.stands_for <= MOST + 1)).all()
    assert ((found.declared >= 0) & (found.declared <= threshold(1 / MOST))).all()
