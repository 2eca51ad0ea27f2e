"""The reference of queue and drop counters: `vectors/eviction.json`, and what holds of every trace."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_sdk_spec.eviction import RANKS, Drops, Queue, Sealed
from client_sdk_spec.eviction_cases import VECTORS
from tests.client_sdk_spec.vectors import as_json, load

FILE = load("eviction.json")


def test_the_file_is_the_cases():
    assert as_json(VECTORS) == FILE


@pytest.mark.parametrize("name", FILE["queues"])
def test_a_queue_holds_and_drops_what_the_vector_says(name: str):
    case = FILE["queues"][name]
    drops = Drops()
    queue = Queue(case["capacity"], drops)
    for event in case["events"]:
        if "put" in event:
            queue.put(Sealed(**event["put"]), event["at_us"])
        elif "send" in event:
            queue.send(event["send"])
        elif event["fate"] == "accepted":
            queue.accept(event["answer"])
        elif event["fate"] == "later":
            queue.keep(event["answer"])
        else:
            queue.refuse(event["answer"], event["fate"])
    assert {"held": list(queue.held), "dropped": drops.untold} == case["expected"], case["meaning"]


def told_by(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs a trace of counters; what accepted batches told, and what none has told."""
    drops, sealed, told = Drops(), dict[str, Sealed](), Counter[str]()
    for event in events:
        if "drop" in event:
            drops.count(event["drop"], event["spans"])
        elif "seal" in event:
            carries = drops.seal()
            assert carries == event["carries"]
            sealed[event["seal"]] = Sealed(event["seal"], 1, event["spans"], "ordinary", 0, carries)
        elif "halve" in event:
            carried = sealed.pop(event["halve"]).dropped
            for half, carries in zip(event["halves"], (carried, {}), strict=True):
                sealed[half["id"]] = Sealed(half["id"], 1, half["spans"], "ordinary", 0, carries)
        elif event["fate"] == "accepted":
            told.update(sealed.pop(event["end"]).dropped)
        elif event["fate"] != "later":
            drops.lose(sealed.pop(event["end"]), event["fate"])
    return {"told": dict(told), "untold": drops.untold}


@pytest.mark.parametrize("name", FILE["counters"])
def test_counters_tell_what_the_vector_says(name: str):
    case = FILE["counters"][name]
    assert told_by(case["events"]) == case["expected"], case["meaning"]


EVENTS = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 120), st.integers(0, 9), st.sampled_from(RANKS), st.integers(0, 4)),
    st.tuples(st.just("send")),
    st.tuples(st.sampled_from(("accept", "keep", "refuse")), st.integers(0, 9)),
)


@given(st.lists(EVENTS, max_size=40))
def test_every_span_is_held_accepted_or_told_as_dropped_and_the_bound_holds(events: list[Any]):
    drops, now_us, came, arrived, flying = Drops(), 0, 0, 0, list[str]()
    queue = Queue(100, drops)
    for number, (what, *details) in enumerate(events):
        if what == "put":
            size, spans, rank, days = details
            now_us += days * 86_400_000_000
            came += spans
            queue.put(Sealed(str(number), size, spans, rank, now_us), now_us)
        elif what == "send" and (oldest := queue.oldest()) is not None:
            queue.send(oldest.id)
            flying.append(oldest.id)
        elif what in ("accept", "keep", "refuse") and flying:
            batch = queue.held[flying.pop(details[0] % len(flying))]
            arrived += batch.spans if what == "accept" else 0
            {"accept": queue.accept, "keep": queue.keep, "refuse": lambda name: queue.refuse(name, "rejected")}[what](
                batch.id
            )
        assert sum(batch.bytes for batch in queue.held.values()) <= 100
        assert set(flying) <= set(queue.held), "what is in flight is not dropped"
    held = sum(batch.spans for batch in queue.held.values())
    assert came == held + arrived + sum(drops.untold.values())


@given(st.lists(st.tuples(st.integers(1, 60), st.sampled_from(RANKS)), max_size=30))
def test_nothing_goes_while_something_of_a_lower_rank_stays(batches: list[tuple[int, str]]):
    drops = Drops()
    queue = Queue(100, drops)
    for number, (size, rank) in enumerate(batches):
        before = dict(queue.held)
        queue.put(Sealed(str(number), size, 1, rank, 0), 0)  # type: ignore[arg-type]
        before[str(number)] = Sealed(str(number), size, 1, rank, 0)  # type: ignore[arg-type]
        gone = [RANKS.index(batch.rank) for name, batch in before.items() if name not in queue.held]
        stay = [RANKS.index(batch.rank) for batch in queue.held.values()]
        assert max(gone, default=0) <= min(stay, default=len(RANKS))
