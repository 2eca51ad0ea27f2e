"""The client half of the clock vectors: what a device's clocks show, and what its client must say of them.

Expected values are worked out by hand from `WIRE.md`, "Clocks" and "The send stamp". A story begins at mono 100 s and
wall W + 100 s; each step says what both clocks show when it happens. The k-th epoch is called `e<k>`.
"""

from typing import Any

S = 1_000_000
MS = 1_000
HOUR = 3_600 * S
W = 1_790_000_000_000_000
"""Wall − mono at the beginning."""

Step = dict[str, Any]


def at(mono_us: int, ahead_us: int = 0) -> Step:
    """What the clocks show; the wall clock is that much ahead of where it began."""
    return {"mono_us": mono_us, "wall_us": W + mono_us + ahead_us}


def look(mono_us: int, ahead_us: int = 0, *, epoch: str = "e0") -> Step:
    """Both clocks are read; the epoch after it."""
    return {"do": "sample", **at(mono_us, ahead_us), "expected": {"epoch": epoch}}


def seal(mono_us: int, ahead_us: int, expected: dict[str, Any], *, epoch: str | None = None) -> Step:
    """A batch of the current epoch, or of an older one, is sealed; its `clock` map."""
    return {"do": "seal", **at(mono_us, ahead_us), "epoch": epoch, "expected": {"kind": "mono"} | expected}


def stamp(mono_us: int, ahead_us: int, batch_epoch: str, expected: dict[str, Any], *, background: bool = False) -> Step:
    """An attempt with a batch of that epoch; its query parameters, `s` and `w` being what the clocks show."""
    told = {"s": str(mono_us), "w": str(W + mono_us + ahead_us)}
    texts = {name: str(value) for name, value in expected.items()}
    return {
        "do": "stamp",
        **at(mono_us, ahead_us),
        "batch_epoch": batch_epoch,
        "background": background,
        "expected": told | texts,
    }


def answered(sent_us: int, answered_us: int, received_us: int, replied_us: int, ahead_us: int = 0) -> Step:
    """An answer is there: mono when sent and when answered, and the server's two times."""
    times = {"sent_us": sent_us, "received_us": received_us, "replied_us": replied_us}
    return {"do": "answered", **at(answered_us, ahead_us), **times}


def story(meaning: str, counts_sleep: bool, *steps: Step) -> dict[str, Any]:
    """One boot, process or page."""
    return {"meaning": meaning, "counts_sleep": counts_sleep, "begin": at(100 * S), "steps": list(steps)}


# 40 ms there, 2 ms of work, 60 ms back, at mono 101 s, the server's clock being W + 5 s + mono:
# o = ((R + S) − (t1 + t4)) / 2 = W + 5 s − 10 ms; d = (102 − 2) / 2 ms, 10.2 µs of drift, and 1 µs for each rounding.
EXCHANGE = answered(101 * S, 101 * S + 102 * MS, W + 106 * S + 40 * MS, W + 106 * S + 42 * MS)
ANCHOR = {"r": 100 * MS, "o": W + 5 * S - 10 * MS, "d": 50_012, "t": 101 * S + 102 * MS}

STORIES = {
    "steps_are_counted": story(
        "A clock that counts sleep: the wall clock was set an hour ahead and half an hour back, and drifts.",
        True,
        look(110 * S),
        look(120 * S, HOUR),
        look(130 * S, HOUR + 100 * MS),
        look(140 * S, HOUR // 2),
        seal(
            150 * S,
            HOUR // 2,
            {"epoch": "e0", "mono_us": 150 * S, "wall_us": W + 150 * S + HOUR // 2, "steps": 2},
        ),
    ),
    "drift_is_no_step": story(
        "250 ms from reading to reading are drift, one microsecond more is a step.",
        True,
        look(110 * S, 250 * MS),
        look(120 * S, 500 * MS),
        look(130 * S, 250 * MS),
        seal(131 * S, 250 * MS, {"epoch": "e0", "mono_us": 131 * S, "wall_us": W + 131 * S + 250 * MS, "steps": 0}),
        look(140 * S, 500 * MS + 1),
        seal(141 * S, 500 * MS + 1, {"epoch": "e0", "mono_us": 141 * S, "wall_us": W + 141_500_001, "steps": 1}),
    ),
    "an_epoch_ends": story(
        "A clock that may stop in sleep: the epoch ends; what is sealed of it later has the clocks as last read in it.",
        False,
        look(110 * S, 20 * MS),
        look(120 * S, 8 * HOUR, epoch="e1"),
        seal(
            125 * S, 8 * HOUR, {"epoch": "e0", "mono_us": 110 * S, "wall_us": W + 110_020_000, "steps": 0}, epoch="e0"
        ),
        seal(125 * S, 8 * HOUR, {"epoch": "e1", "mono_us": 125 * S, "wall_us": W + 125 * S + 8 * HOUR, "steps": 0}),
    ),
    "stamped_anew": story(
        "Every attempt has a stamp of its own; the batch is not touched.",
        True,
        stamp(110 * S, 0, "e0", {"e": "e0"}),
        stamp(170 * S, HOUR, "e0", {"e": "e0"}),
        stamp(180 * S, HOUR, "e0", {"e": "e0", "bg": 1}, background=True),
    ),
    "anchored": story(
        "After an answer every stamp has its anchor and the smallest round trip.",
        True,
        EXCHANGE,
        stamp(110 * S, 0, "e0", {"e": "e0"} | ANCHOR),
        # Twice as slow: a round trip of 200 ms, an error of 100 ms; the anchor of 9 s before is better.
        answered(110 * S, 110 * S + 202 * MS, W + 115 * S + 100 * MS, W + 115 * S + 102 * MS),
        stamp(111 * S, 0, "e0", {"e": "e0"} | ANCHOR),
    ),
    "a_stale_anchor_is_replaced": story(
        "An anchor's error grows by 100 ppm of its age: after 1,000 s one of 100 ms is better than one of 50.",
        True,
        EXCHANGE,
        # d = 100 ms, 20.2 → 20 µs of drift, 1 and 1. The old one: 50,012 + 100,910 µs by then.
        answered(1_110 * S, 1_110 * S + 202 * MS, W + 1_115 * S + 100 * MS, W + 1_115 * S + 102 * MS),
        stamp(
            1_111 * S,
            0,
            "e0",
            {"e": "e0", "r": 100 * MS, "o": W + 5 * S, "d": 100_022, "t": 1_110 * S + 202 * MS},
        ),
    ),
    "the_anchor_of_the_batchs_epoch": story(
        "After the epoch has ended its anchor goes with its batches, under its name, and with the bridge.",
        False,
        EXCHANGE,
        stamp(120 * S, 8 * HOUR, "e0", {"e": "e1", **ANCHOR, "oe": "e0", "b": 8 * HOUR}),
        # An anchor of e0 says nothing of e1.
        stamp(121 * S, 8 * HOUR, "e1", {"e": "e1", "r": 100 * MS}),
    ),
    "bridges_add_up": story(
        "Two sleeps are one bridge; with a step back among them there is none.",
        False,
        look(110 * S, HOUR, epoch="e1"),
        stamp(120 * S, 3 * HOUR, "e0", {"e": "e2", "b": 3 * HOUR}),
        stamp(121 * S, 3 * HOUR, "e1", {"e": "e2", "b": 2 * HOUR}),
        stamp(130 * S, 2 * HOUR, "e0", {"e": "e3"}),
        stamp(131 * S, 2 * HOUR, "e2", {"e": "e3", "b": -HOUR}),
        stamp(132 * S, 2 * HOUR, "e3", {"e": "e3"}),
    ),
    "an_answer_across_a_sleep": story(
        "Of a request during which the device may have slept nothing is learnt.",
        False,
        answered(101 * S, 102 * S, W + 106 * S, W + 106 * S + 2 * MS, HOUR),
        stamp(110 * S, HOUR, "e1", {"e": "e1"}),
    ),
    "a_server_that_jumped": story(
        "A server that says to have worked longer than the request took makes no anchor.",
        True,
        answered(101 * S, 102 * S, W + 106 * S, W + 106 * S + HOUR),
        stamp(110 * S, 0, "e0", {"e": "e0"}),
    ),
}
"""By name."""
