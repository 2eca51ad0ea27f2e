"""The clock vectors: what a client says of its clocks in a request, and what a server must make of it.

Expected values are worked out by hand from `WIRE.md`, in the comments; nothing is computed by the code that they check.
All requests are received at R. Unless a case says otherwise, spans begin at mono 90 s and 95 s, the batch is sealed and
stamped at mono 100 s, and an anchor was made at mono 60 s with an error of 5 ms. ρ = 100 ppm is 100 µs a second.
"""

from typing import Any

R = 1_790_000_000_000_000
S = 1_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR
Z = R - 100 * S
"""R − s: the greatest offset that a stamp of mono 100 s allows."""
SPANS = ((90 * S, 200_000), (95 * S, 1 * S))
"""Start and duration."""

WARM = {"o": Z - 48_000, "d": 5_000, "t": 60 * S}
"""The anchor of a client whose requests take 48 ms to arrive."""
COLD = {"s": 100 * S, "e": "b1", "r": 80_000}
"""A stamp without an anchor."""


def case(
    meaning: str,
    stamp: dict[str, Any],
    expected: dict[str, Any],
    *,
    clock: dict[str, Any] | None = None,
    spans: tuple[tuple[int, int], ...] = SPANS,
) -> dict[str, Any]:
    """One request; the expected outcome of its spans is to be counted, and no conflict, if not said otherwise."""
    return {
        "meaning": meaning,
        "received_us": R,
        "stamp": {name: str(value) for name, value in stamp.items()},
        "clock": {"kind": "mono", "epoch": "b1", "mono_us": 100 * S} if clock is None else clock,
        "spans": [list(span) for span in spans],
        "expected": {"fate": "kept", "conflict": False} | expected,
    }


CASES = {
    "warm": case(
        "An anchor of the same epoch.",
        COLD | WARM,
        # At 95 s the anchor leaves o ± (5 + 3.5) ms, all inside the stamp's [Z − 10 s, Z]: the offset is o.
        # At 90 s, ± (5 + 3) ms.
        {"quality": "A", "offset_us": Z - 48_000, "err_ms": [8, 9]},
    ),
    "warm_cut": case(
        "The stamp cuts what the anchor leaves.",
        COLD | {"o": Z, "d": 5_000, "t": 60 * S},
        # At 95 s the anchor leaves Z ± 8.5 ms, the stamp up to Z + 0.5 ms: the middle is Z − 4 ms, ± 4.5 ms.
        # At 90 s: [Z − 8 ms, Z + 1 ms], of which Z − 4 ms is 5 ms from the end.
        {"quality": "A", "offset_us": Z - 4_000, "err_ms": [5, 5]},
    ),
    "cold": case(
        "A stamp alone: the offset is R − s less half of the round trip.",
        COLD,
        # Possible is [Z − 10 s, Z], 0.5 ms wider at 95 s, 1 ms at 90 s: 9.9605 s and 9.961 s below Z − 40 ms.
        {"quality": "B", "offset_us": Z - 40_000, "err_ms": [9_961, 9_961]},
    ),
    "three_days_offline": case(
        "Sent three days later in the same epoch, with the anchor of then.",
        {"s": 100 * S + 3 * DAY, "e": "b1"} | WARM | {"o": Z - 3 * DAY - 48_000},
        # The stamp, 26 s wide by now, cuts nothing.
        {"quality": "A", "offset_us": Z - 3 * DAY - 48_000, "err_ms": [8, 9]},
    ),
    "three_days_offline_cold": case(
        "Sent three days later in the same epoch, never answered before.",
        {"s": 100 * S + 3 * DAY, "e": "b1", "r": 80_000},
        # 3 days and 5 s drift by 25.9205 s, 5 s more by 0.5 ms: 10 s − 40 ms + 25.9205 s, and 25.921 s.
        {"quality": "B", "offset_us": Z - 3 * DAY - 40_000, "err_ms": [35_881, 35_881]},
    ),
    "reboot_with_anchor": case(
        "The epoch is an earlier boot's, and its anchor was kept.",
        {"s": 20 * S, "e": "b2", "oe": "b1"} | WARM | {"o": R - DAY},
        {"quality": "C", "offset_us": R - DAY, "err_ms": [8, 9]},
    ),
    "reboot_cut_by_receipt": case(
        "An uncertain anchor of an earlier boot: its spans had ended when they were received.",
        {"s": 20 * S, "e": "b2", "o": R - 100 * S, "d": 5 * S, "t": 60 * S, "oe": "b1"},
        # The newest span ends at 96 s: O ≤ R − 96 s there, 0.1 ms more at 95 s. The anchor leaves R − 100 s ± 5.0035 s.
        # Middle of [R − 105.0035 s, R − 95.9999 s]: R − 100.5017 s, ± 4.5018 s.
        # At 90 s: from R − 105.003 s, 4.5013 s below; to R − 96 s + 0.6 ms, 4.5023 s above.
        {"quality": "C", "offset_us": R - 100_501_700, "err_ms": [4_503, 4_502]},
    ),
    "reboot_without_anchor": case(
        "Of an earlier boot nothing is left but the wall clock, an hour ahead then and now.",
        {"s": 20 * S, "w": R + HOUR, "e": "b2"},
        {"quality": "E", "offset_us": R - DAY, "err_ms": [None, None]},
        clock={"kind": "mono", "epoch": "b1", "mono_us": 100 * S, "wall_us": R - DAY + HOUR + 100 * S},
    ),
    "wall_clock_set": case(
        "The user set the wall clock an hour ahead; a clock that counts sleep does not mind.",
        COLD | WARM | {"w": R - 40_000 + HOUR},
        {"quality": "A", "offset_us": Z - 48_000, "err_ms": [8, 9], "skew_ms": 3_600_000},
        clock={"kind": "mono", "epoch": "b1", "mono_us": 100 * S, "wall_us": R, "steps": 1},
    ),
    "eight_hours_of_sleep": case(
        "A clock that stops in sleep: the epoch ended, and D changed by eight hours.",
        {"s": 110 * S, "e": "b2", "r": 80_000, "b": 8 * HOUR},
        # The guess is that it slept: R − s − 40 ms − 8 h. If the wall clock was set, the offset is up to R − s: 8 h and
        # 40 ms more, 250 ms for what samples do not see, and the drift of 20 s and 15 s.
        {"quality": "D", "offset_us": Z - 10 * S - 40_000 - 8 * HOUR, "err_ms": [28_800_292, 28_800_292]},
    ),
    "wall_clock_set_back": case(
        "A clock that may stop in sleep, and D fell by an hour: no sleep does that.",
        {"s": 110 * S, "e": "b2", "r": 80_000, "b": -HOUR},
        # As `cold`, with 250 ms for what samples do not see.
        {"quality": "D", "offset_us": Z - 10 * S - 40_000, "err_ms": [10_212, 10_212]},
    ),
    "background": case(
        "Handed to the system an hour ago: the stamp is stale, the anchor is not.",
        {"s": 100 * S, "e": "b1", "bg": 1} | WARM | {"o": Z - HOUR},
        {"quality": "A", "offset_us": Z - HOUR, "err_ms": [8, 9]},
    ),
    "background_cold": case(
        "The same without an anchor: the wall clock when sealed, which nobody can check.",
        {"s": 100 * S, "w": R - HOUR, "e": "b1", "bg": 1},
        {"quality": "E", "offset_us": Z - HOUR, "err_ms": [None, None], "skew_ms": None},
        clock={"kind": "mono", "epoch": "b1", "mono_us": 100 * S, "wall_us": R - HOUR},
    ),
    "year_1970": case(
        "The wall clock was never set.",
        COLD | WARM | {"w": 5 * S},
        # w − (R − r/2)
        {"quality": "A", "offset_us": Z - 48_000, "err_ms": [8, 9], "skew_ms": -1_700_000_000_000},
        clock={"kind": "mono", "epoch": "b1", "mono_us": 100 * S, "wall_us": 5 * S},
    ),
    "year_1970_wall": case(
        "A wall clock that was never set, without a stamp: refused, not bent.",
        {},
        {"quality": "E", "offset_us": 0, "err_ms": [None, None], "fate": "rejected:too_old"},
        clock={"kind": "wall"},
    ),
    "year_2106_wall": case(
        "A wall clock of 2106 and a stamp that says so.",
        {"s": 100 * S, "w": 4_300_000_000 * S, "r": 80_000},
        {"quality": "E", "offset_us": R - 40_000 - 4_300_000_000 * S, "err_ms": [None, None]},
        clock={"kind": "wall"},
        spans=((4_299_999_990 * S, 200_000), (4_299_999_995 * S, 1 * S)),
    ),
    "retry": case(
        "Sealed at 100 s, sent again at 160 s: stamped anew, so the minute does not count.",
        {"s": 160 * S, "e": "b1", "r": 80_000},
        # At 95 s: 65 s of drift, at 90 s: 70 s.
        {"quality": "B", "offset_us": R - 160 * S - 40_000, "err_ms": [9_967, 9_967], "upload_delay_ms": 60_040},
    ),
    "conflict": case(
        "Anchor and stamp contradict each other by an hour: the stamp is believed.",
        COLD | WARM | {"o": Z + HOUR},
        {"quality": "B", "offset_us": Z - 40_000, "err_ms": [9_961, 9_961], "conflict": True},
    ),
    "replayed": case(
        "An anchor of somebody else, by which the earlier boot is yet to come: left out.",
        {"s": 20 * S, "w": R, "e": "b2", "oe": "b1"} | WARM | {"o": R + DAY},
        {"quality": "E", "offset_us": R - DAY, "err_ms": [None, None], "conflict": True},
        clock={"kind": "mono", "epoch": "b1", "mono_us": 100 * S, "wall_us": R - DAY + 100 * S},
    ),
    "anchor_after_the_stamp": case(
        "An anchor made later than the request that it came with: left out.",
        COLD | WARM | {"t": 101 * S},
        {"quality": "B", "offset_us": Z - 40_000, "err_ms": [9_961, 9_961], "conflict": True},
    ),
    "stamped_before_it_was_sealed": case(
        "A stamp older than the batch bounds it from above only, and says nothing of the wall clock.",
        {"s": 97 * S, "w": R, "e": "b1"},
        {"quality": "E", "offset_us": Z, "err_ms": [None, None], "conflict": True, "skew_ms": None},
        clock={"kind": "mono", "epoch": "b1", "mono_us": 100 * S, "wall_us": R},
    ),
    "worthless_anchor": case(
        "An anchor with an error of a year adds nothing to the stamp.",
        COLD | WARM | {"d": 365 * DAY},
        {"quality": "B", "offset_us": Z - 40_000, "err_ms": [9_961, 9_961]},
    ),
    "nothing": case(
        "Neither stamp nor wall clock: the newest span is taken to end when it is received.",
        {},
        {"quality": "F", "offset_us": R - 96 * S, "err_ms": [None, None], "upload_delay_ms": None},
        clock={"kind": "mono", "epoch": "b1"},
    ),
}
"""By name."""

EXCHANGES = [
    {
        "meaning": "48 ms there, 2 ms of work, 52 ms back",
        "t1": 60 * S,
        "t4": 60 * S + 102_000,
        "received_us": R + 48_000,
        "replied_us": R + 50_000,
        # ((R + 48) + (R + 50) − (60 s + 60 s + 102)) / 2 ms; (102 − 2) / 2 ms, 10.2 µs of drift, 1 µs for each rounding
        "anchor": {"offset_us": R - 60 * S - 2_000, "err_us": 50_012, "at_us": 60 * S + 102_000},
    },
    {
        "meaning": "the server's clock was set back by an hour meanwhile",
        "t1": 60 * S,
        "t4": 60 * S + 102_000,
        "received_us": R + 48_000,
        "replied_us": R + 50_000 - HOUR,
        # (102 ms + 1 h − 2 ms) / 2: an error that no other anchor loses to
        "anchor": {"offset_us": R - 60 * S - 2_000 - HOUR // 2, "err_us": 1_800_050_012, "at_us": 60 * S + 102_000},
    },
    {
        "meaning": "the server's clock was set ahead by an hour meanwhile: no anchor",
        "t1": 60 * S,
        "t4": 60 * S + 102_000,
        "received_us": R + 48_000,
        "replied_us": R + 50_000 + HOUR,
        "anchor": None,
    },
]
"""What a client makes of an answer."""
