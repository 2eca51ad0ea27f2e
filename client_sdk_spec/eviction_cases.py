"""The queue and drop counter vectors: what is held, and what is told of what went.

Expected values are worked out by hand from `SPEC.md`, B and D; nothing is computed by the code that they check.
"""

from typing import Any

S = 1_000_000
DAY = 86_400 * S

Event = dict[str, Any]


def put(name: str, size: int, spans: int, rank: str = "ordinary", at_us: int = 0) -> Event:
    """A batch of that many bytes is put into the queue, sealed in that moment."""
    batch = {"id": name, "bytes": size, "spans": spans, "rank": rank}
    return {"at_us": at_us, "put": batch | {"sealed_us": at_us}}


def send(name: str, at_us: int = 0) -> Event:
    """An attempt begins."""
    return {"at_us": at_us, "send": name}


def answer(name: str, fate: str, at_us: int = 0) -> Event:
    """It ends: `accepted`, `later` (to be repeated), `rejected`."""
    return {"at_us": at_us, "answer": name, "fate": fate}


def evict(meaning: str, events: list[Event], held: list[str], dropped: dict[str, int]) -> dict[str, Any]:
    """A queue of 100 bytes; what it holds at the end, in the order of sending, and spans dropped by reason."""
    return {"meaning": meaning, "capacity": 100, "events": events, "expected": {"held": held, "dropped": dropped}}


QUEUES = {
    "fits": evict("Just full is not too full.", [put("a", 60, 6), put("b", 40, 4)], ["a", "b"], {}),
    "oldest_ordinary_first": evict(
        "One byte too much: the oldest goes.",
        [put("a", 50, 5), put("b", 40, 4), put("c", 11, 1)],
        ["b", "c"],
        {"queue_overflow": 5},
    ),
    "as_many_as_needed": evict(
        "As many go as must, and no more.",
        [put("a", 30, 3), put("b", 30, 2), put("c", 30, 1), put("d", 65, 9)],
        ["c", "d"],
        {"queue_overflow": 5},
    ),
    "ranks": evict(
        "Ordinary goes before slow, slow before sketches, sketches before errors, however old they are.",
        [
            put("error", 20, 1, "error"),
            put("sketches", 20, 0, "sketches"),
            put("slow", 20, 2, "slow"),
            put("old", 20, 4),
            put("new", 20, 8),
            put("more", 60, 16, "error"),
        ],
        # 160 bytes: old, new and slow go.
        ["error", "sketches", "more"],
        {"queue_overflow": 14},
    ),
    "errors_last": evict(
        "When there are only errors the oldest of them goes.",
        [put("a", 50, 1, "error"), put("b", 40, 2, "error"), put("c", 20, 4, "error")],
        ["b", "c"],
        {"queue_overflow": 1},
    ),
    "newcomer_goes": evict(
        "An ordinary batch does not push out errors: it goes itself.",
        [put("a", 50, 1, "error"), put("b", 50, 2, "error"), put("c", 10, 4)],
        ["a", "b"],
        {"queue_overflow": 4},
    ),
    "larger_than_the_queue": evict(
        "A batch that could never fit pushes out nothing.",
        [put("a", 50, 1), put("b", 101, 2, "error")],
        ["a"],
        {"queue_overflow": 2},
    ),
    "expired_first": evict(
        "What is older than seven days goes before anything else, errors too, and for its own reason.",
        [
            put("old", 40, 1, "error"),
            put("b", 50, 2, at_us=DAY),
            put("c", 50, 4, at_us=7 * DAY + 1),
        ],
        ["b", "c"],
        {"expired": 1},
    ),
    "seven_days_are_kept": evict(
        "Exactly seven days are not too old.",
        [put("old", 40, 1, "error"), put("b", 50, 2, at_us=7 * DAY)],
        ["old", "b"],
        {},
    ),
    "in_flight_stays": evict(
        "What is in flight may have arrived: it is not evicted, and takes up room.",
        [put("a", 50, 1), put("b", 40, 2), send("a"), put("c", 20, 4)],
        ["a", "c"],
        {"queue_overflow": 2},
    ),
    "in_flight_accepted": evict(
        "When it was accepted its room is free.",
        [put("a", 50, 1), put("b", 40, 2), send("a"), answer("a", "accepted"), put("c", 20, 4)],
        ["b", "c"],
        {},
    ),
    "in_flight_comes_back": evict(
        "When it is to be repeated it is the oldest again, and may go.",
        [put("a", 50, 1), put("b", 40, 2), send("a"), answer("a", "later"), put("c", 20, 4)],
        ["b", "c"],
        {"queue_overflow": 1},
    ),
    "in_flight_does_not_expire": evict(
        "What is in flight does not expire, either; once it has come back it does.",
        [
            put("a", 50, 1),
            send("a", 7 * DAY),
            put("b", 40, 2, at_us=7 * DAY + S),
            answer("a", "later", 7 * DAY + 10 * S),
            put("c", 10, 4, at_us=7 * DAY + 11 * S),
        ],
        ["b", "c"],
        {"expired": 1},
    ),
    "rejected": evict(
        "A refused batch goes for that reason.",
        [put("a", 50, 1), send("a"), answer("a", "rejected")],
        [],
        {"rejected": 1},
    ),
}
"""By name."""


def drop(reason: str, spans: int) -> Event:
    """Spans that came into no batch."""
    return {"drop": reason, "spans": spans}


def seal(name: str, spans: int, carries: dict[str, int]) -> Event:
    """A batch is sealed; `carries`: what it must tell."""
    return {"seal": name, "spans": spans, "carries": carries}


def end(name: str, fate: str) -> Event:
    """What became of a sealed batch: `accepted`, `later`, or the reason for which it was dropped."""
    return {"end": name, "fate": fate}


def count(meaning: str, events: list[Event], told: dict[str, int], untold: dict[str, int]) -> dict[str, Any]:
    """At the end: what accepted batches told, and what none has told yet."""
    return {"meaning": meaning, "events": events, "expected": {"told": told, "untold": untold}}


COUNTERS = {
    "told_once": count(
        "A batch tells what was dropped before it was sealed, and the next does not tell it again.",
        [
            drop("before_send", 2),
            drop("sampled", 3),
            drop("sampled", 4),
            seal("a", 5, {"before_send": 2, "sampled": 7}),
            drop("sampled", 1),
            seal("b", 5, {"sampled": 1}),
            seal("c", 5, {}),
            end("a", "accepted"),
            end("b", "accepted"),
            end("c", "accepted"),
        ],
        {"before_send": 2, "sampled": 8},
        {},
    ),
    "failed_sends_change_nothing": count(
        "While a batch is being repeated its counters are its own: the next does not tell them, too.",
        [
            drop("before_send", 2),
            seal("a", 5, {"before_send": 2}),
            end("a", "later"),
            end("a", "later"),
            seal("b", 5, {}),
            end("b", "accepted"),
            end("a", "later"),
            end("a", "accepted"),
        ],
        {"before_send": 2},
        {},
    ),
    "a_lost_batch_gives_back_what_it_told": count(
        "The spans of a dropped batch are dropped, and the counters that it carried are untold again.",
        [
            drop("before_send", 2),
            seal("a", 5, {"before_send": 2}),
            end("a", "later"),
            end("a", "expired"),
            seal("b", 1, {"before_send": 2, "expired": 5}),
            end("b", "rejected"),
            seal("c", 1, {"before_send": 2, "expired": 5, "rejected": 1}),
            end("c", "accepted"),
        ],
        {"before_send": 2, "expired": 5, "rejected": 1},
        {},
    ),
    "nothing_is_told_by_a_batch_on_its_way": count(
        "Only an accepted batch has told something.",
        [drop("queue_overflow", 9), seal("a", 5, {"queue_overflow": 9}), end("a", "later"), drop("sampled", 1)],
        {},
        {"sampled": 1},
    ),
    "halves": count(
        "Of two halves the first tells what the batch told.",
        [
            drop("before_send", 2),
            seal("a", 5, {"before_send": 2}),
            {"halve": "a", "halves": [{"id": "a.1", "spans": 2}, {"id": "a.2", "spans": 3}]},
            end("a.2", "accepted"),
            end("a.1", "too_large"),
            seal("b", 1, {"before_send": 2, "too_large": 2}),
            end("b", "accepted"),
        ],
        {"before_send": 2, "too_large": 2},
        {},
    ),
}
"""By name."""

VECTORS = {"queues": QUEUES, "counters": COUNTERS}
