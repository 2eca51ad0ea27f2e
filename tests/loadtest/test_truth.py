"""`make truth` on a small world: the promises hold, and they can fail."""

from dataclasses import replace

import numpy as np
import pytest

from loadtest.devices import HOUR, MOST_DRIFT_PPM, SECOND, Monotonic, Wall
from loadtest.truth import judge_samples
from loadtest.truth_clocks import by_grade, judge, match, table, untouched, usual_ways
from loadtest.truth_network import KEEPS_THE_RULES, Chances
from loadtest.truth_rule import keeps, th
from loadtest.truth_sampling import Population, fairness, inconsistent
from loadtest.truth_sdk import CLASSES
from loadtest.truth_store import Stored, store
from loadtest.truth_world import World, make_world

SPANS = 8_000
BREAKS_THE_RULES = Chances(frozen=0.2)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(1, SPANS, days=1.0, chances=KEEPS_THE_RULES)


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(11, 4_000)


def test_a_clock_that_stops_in_sleep_loses_the_sleep_and_one_that_counts_it_does_not():
    sleeps = [(10 * SECOND, 3610 * SECOND)]
    stops = Monotonic([0], sleeps, counts_sleep=False, drift_ppm=0)
    runs = Monotonic([0], sleeps, counts_sleep=True, drift_ppm=0)
    assert stops.read(5 * SECOND) == runs.read(5 * SECOND) == 5 * SECOND
    assert stops.read(1810 * SECOND) == 10 * SECOND, "it stands still"
    assert stops.read(3620 * SECOND) == 20 * SECOND
    assert runs.read(3620 * SECOND) == 3620 * SECOND


def test_a_monotonic_clock_begins_anew_with_a_boot_and_never_runs_back_within_one():
    clock = Monotonic(
        [-SECOND, HOUR], [(SECOND, 2 * SECOND), (HOUR + SECOND, HOUR + 9 * SECOND)], False, MOST_DRIFT_PPM
    )
    assert clock.read(HOUR) == 0
    for boot in (range(0, HOUR, SECOND // 3), range(HOUR, HOUR + 60 * SECOND, SECOND // 3)):
        read = [clock.read(at_us) for at_us in boot]
        assert read == sorted(read)


def test_a_wall_clock_drifts_and_steps_when_it_is_set():
    clock = Wall([-HOUR, HOUR], [3 * SECOND, -SECOND], drift_ppm=50)
    assert clock.error(0) == 3 * SECOND + 180_000
    assert clock.error(HOUR) == -SECOND


def test_the_same_seed_gives_the_same_requests_and_another_seed_others(world: World):
    again, other = make_world(1, SPANS, days=1.0, chances=KEEPS_THE_RULES), make_world(4, 500, chances=KEEPS_THE_RULES)
    assert [each.body for each in again.deliveries] == [each.body for each in world.deliveries]
    assert [each.reception.send for each in again.deliveries] == [each.reception.send for each in world.deliveries]
    assert [each.body for each in other.deliveries] != [each.body for each in world.deliveries]


def test_the_world_holds_what_makes_clocks_hard():
    world = make_world(7, 20_000)
    stamps = [each.reception.send for each in world.deliveries]
    delays = world.received_at_us - world.sent_wall_us
    numbers = [each.batch for each in world.deliveries]
    assert any(stamp is None for stamp in stamps), "OTLP has none"
    assert any(stamp is not None and stamp.background for stamp in stamps)
    assert any(stamp is not None and stamp.bridge_us is not None for stamp in stamps)
    assert any(stamp is not None and stamp.anchor is not None for stamp in stamps)
    assert any(stamp is not None and stamp.anchor is None for stamp in stamps)
    assert len(set(numbers)) < len(numbers), "retries after lost answers"
    assert np.abs(delays[world.received_at_us > 0]).max() > HOUR, "wall clocks that are off by hours"
    assert 0.8 < world.truth.sent.mean() < 1, "clients that sample"
    assert {CLASSES.index(name) for name in ("low", "mid", "high")} <= set(world.truth.device_class.tolist())


async def test_the_store_says_when_spans_began_within_the_bounds_it_claims(world: World, dsn: str):
    stored = await store(world, dsn)
    rows = by_grade(world.truth, stored)
    assert judge(rows) == []
    good, wrong = untouched(world.truth, stored)
    assert good > SPANS // 2
    assert wrong == 0, "nothing breaks the protocol here, so every interval must hold"
    outcomes = {name: spans for name, spans in stored.ledger.items() if not name.startswith("noted:")}
    assert outcomes.pop("received") == sum(outcomes.values())
    assert outcomes["kept"] == len(stored.span_id)
    assert not any(row.held for row in usual_ways(world, stored)), "the usual ways give no interval"
    assert len(table(rows)) == len(rows) + 2


async def test_anchors_that_are_off_by_an_hour_are_reported(world: World, dsn: str):
    shifted = [
        replace(each, reception=replace(each.reception, send=replace(send, anchor=replace(anchor, offset_us=HOUR))))
        for each in world.deliveries
        if (send := each.reception.send) and (anchor := send.anchor)
    ]
    assert len(shifted) > 20
    faults = judge(by_grade(world.truth, await store(replace(world, deliveries=shifted), dsn)))
    assert any("grade A" in fault for fault in faults)


async def test_a_server_whose_clock_is_off_by_an_hour_is_reported(world: World, dsn: str):
    late = [
        replace(each, reception=replace(each.reception, received_at_us=each.reception.received_at_us + HOUR))
        for each in world.deliveries
    ]
    faults = judge(by_grade(world.truth, await store(replace(world, deliveries=late), dsn)))
    assert any("grade B" in fault and "interval" in fault for fault in faults)
    assert any("grade A to C: p99" in fault for fault in faults)


async def test_what_breaks_the_protocol_is_marked_and_is_all_that_goes_wrong(dsn: str):
    world = make_world(9, SPANS, chances=BREAKS_THE_RULES)
    stored = await store(world, dsn)
    off = np.abs(stored.start_at_us - world.truth.start_at_us[match(world.truth, stored)]) > stored.err_us
    assert (off & (stored.err_us >= 0)).any(), "else nothing was broken"
    assert judge(by_grade(world.truth, stored)), "and the bounds notice"


def test_a_store_that_holds_what_was_never_made_is_refused(world: World):
    nothing = np.zeros(1, dtype=np.int64)
    foreign = Stored(nothing.astype(np.uint64), nothing, nothing, nothing, nothing > 0, nothing + 1.0, nothing, {})
    with pytest.raises(ValueError, match="never made"):
        match(world.truth, foreign)


@pytest.mark.parametrize(("rate", "copies"), [(1.0, 1), (0.05, 3), (0.01, 8)])
def test_weighted_counts_and_quantiles_are_unbiased_by_device_class(population: Population, rate: float, copies: int):
    fair = fairness(population, rate, draws=40, copies=copies, seed=3)
    assert {row.figure for row in fair} == {"spans", "p50", "p95"}
    assert judge_samples(fair, [inconsistent(population, rate, seed=4)]) == []


def test_a_sample_whose_weights_are_wrong_is_reported(population: Population, monkeypatch: pytest.MonkeyPatch):
    draw = Population.draw

    def heavier(self: Population, rng: np.random.Generator, rate: float, copies: int):
        drawn = draw(self, rng, rate, copies)
        return replace(drawn, weight=np.where(drawn.ordinary, drawn.weight * 1.3, drawn.weight))

    monkeypatch.setattr(Population, "draw", heavier)
    faults = judge_samples(fairness(population, 0.05, draws=12, copies=3, seed=3), [])
    assert any("spans is off" in fault for fault in faults)


def test_a_backend_that_compares_texts_agrees_with_thresholds_known_from_the_specification():
    assert (th(0.5), th(0.25), th(1.0)) == ("8", "c", "0")
    assert keeps("0" * 18 + "80000000000000", 0.5)
    assert not keeps("0" * 18 + "7fffffffffffff", 0.5)
