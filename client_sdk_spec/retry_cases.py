"""The retry vectors: batches and answers, and when a client must send what.

Expected values are worked out by hand from `SPEC.md`, in the comments; nothing is computed by the code that they check.
Batches are sealed in their order and wait from 0 on; one is in flight at a time, the oldest first. Chances are sums of
powers of two, so that no rounding comes in.
"""

from typing import Any

MS = 1_000
S = 1_000_000
DAY = 86_400 * S
TENTH = 100 * MS
"""How long an answer takes where a case says nothing else."""


def answer(status: int, after_us: int = TENTH, **headers: str) -> dict[str, Any]:
    """An answer and its headers `retry_after` and `date`, complete so long after the attempt."""
    return {"status": status, "after_us": after_us, **headers}


NETWORK = {"failure": "network", "after_us": TENTH}
TIMEOUT = {"failure": "timeout", "after_us": 10 * S}


def case(
    meaning: str,
    answers: list[dict[str, Any]],
    attempts: list[tuple[int, str]],
    *,
    chances: tuple[float, ...] = (),
    batches: tuple[tuple[str, int, int], ...] = (("a", 4, 0),),
    splits: dict[str, list[tuple[str, int, int]]] | None = None,
    dropped: dict[str, int] | None = None,
    left: tuple[str, ...] = (),
    next_us: int | None = None,
    stopped: bool = False,
) -> dict[str, Any]:
    """One trace: the n-th answer is to the n-th attempt, and when there are no more answers it ends."""
    return {
        "meaning": meaning,
        "batches": [{"id": name, "spans": spans, "sealed_us": sealed} for name, spans, sealed in batches],
        "chances": list(chances),
        "answers": answers,
        "expected": {
            "attempts": [{"at_us": at_us, "batch": name} for at_us, name in attempts],
            "splits": {
                parent: [{"id": name, "rows": [first, end]} for name, first, end in parts]
                for parent, parts in (splits or {}).items()
            },
            "dropped": dropped or {},
            "left": list(left),
            "next_us": next_us,
            "stopped": stopped,
        },
    }


TWO = (("a", 4, 0), ("b", 3, 0))

CASES = {
    "accepted": case(
        "Accepted batches go one after the other, without a wait.",
        [answer(202), answer(202, 50 * MS)],
        [(0, "a"), (TENTH, "b")],
        batches=TWO,
    ),
    "accepted_204": case("Any 2xx is accepted, whatever its body says.", [answer(204)], [(0, "a")]),
    "network_error": case(
        "The wait is chance · 1 s after the first failure, from when it was known.",
        [NETWORK, answer(202)],
        # Failed at 0.1 s; + 0.5 · 1 s.
        [(0, "a"), (600 * MS, "a")],
        chances=(0.5,),
    ),
    "no_wait_at_all": case(
        "Full jitter reaches down to 0.",
        [answer(503), answer(202)],
        [(0, "a"), (TENTH, "a")],
        chances=(0.0,),
    ),
    "backoff_doubles": case(
        "1 s · 2^n up to 300 s, times the chance.",
        [answer(500)] * 11 + [answer(202)],
        # Each attempt takes 0.1 s. Waits: 0.5 · (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300) s.
        [
            (0, "a"),
            (600 * MS, "a"),
            (1_700 * MS, "a"),
            (3_800 * MS, "a"),
            (7_900 * MS, "a"),
            (16 * S, "a"),
            (32_100 * MS, "a"),
            (64_200 * MS, "a"),
            (128_300 * MS, "a"),
            (256_400 * MS, "a"),
            (406_500 * MS, "a"),
            (556_600 * MS, "a"),
        ],
        chances=(0.5,) * 11,
    ),
    "all_that_may_be_repeated": case(
        "No answer, 408, 429, every 5xx, and a redirect, which is not followed.",
        [TIMEOUT, answer(408), answer(429), answer(500), answer(502), answer(503), answer(504), answer(302), NETWORK],
        # 10 s + 0.25 · 1; then 0.1 s and 0.25 · (2, 4, 8, 16, 32, 64, 128, 256).
        [
            (0, "a"),
            (10_250 * MS, "a"),
            (10_850 * MS, "a"),
            (11_950 * MS, "a"),
            (14_050 * MS, "a"),
            (18_150 * MS, "a"),
            (26_250 * MS, "a"),
            (42_350 * MS, "a"),
            (74_450 * MS, "a"),
        ],
        chances=(0.25,) * 9,
        left=("a",),
        next_us=138_550 * MS,
    ),
    "wait_is_for_all_batches": case(
        "While one batch waits no other is sent: who is overloaded is so for all of them.",
        [answer(503), answer(202), answer(202)],
        [(0, "a"), (850 * MS, "a"), (950 * MS, "b")],
        chances=(0.75,),
        batches=TWO,
    ),
    "success_starts_anew": case(
        "After an answer that is not to be repeated the wait begins at 1 s again.",
        [answer(503), answer(503), answer(202), answer(503), answer(202)],
        # 0.1 + 0.5; 0.7 + 1; accepted at 1.8; failed at 1.9 + 0.5.
        [(0, "a"), (600 * MS, "a"), (1_700 * MS, "a"), (1_800 * MS, "b"), (2_400 * MS, "b")],
        chances=(0.5, 0.5, 0.5),
        batches=TWO,
    ),
    "rejected_starts_anew": case(
        "An answer of 400 says that the server is well.",
        [answer(503), answer(503), answer(400), answer(503)],
        [(0, "a"), (600 * MS, "a"), (1_700 * MS, "a"), (1_800 * MS, "b")],
        chances=(0.5, 0.5, 0.5),
        batches=TWO,
        dropped={"rejected": 4},
        left=("b",),
        next_us=2_400 * MS,
    ),
    "retry_after": case(
        "Retry-After is waited out, and the jitter on top of it: else all come back at once.",
        [answer(429, retry_after="30"), answer(202)],
        # 0.1 + 30 + 0.5.
        [(0, "a"), (30_600 * MS, "a")],
        chances=(0.5,),
    ),
    "retry_after_grows_with_failures": case(
        "The jitter on top of Retry-After doubles, too.",
        [answer(503, retry_after="5"), answer(503, retry_after="5"), answer(408, retry_after="5"), answer(202)],
        # 0.1 + 5 + 0.5; 5.7 + 5 + 1; 11.8 + 5 + 2.
        [(0, "a"), (5_600 * MS, "a"), (11_700 * MS, "a"), (18_800 * MS, "a")],
        chances=(0.5,) * 3,
    ),
    "retry_after_zero": case(
        "Retry-After: 0 leaves the jitter.",
        [answer(429, retry_after="0"), answer(202)],
        [(0, "a"), (600 * MS, "a")],
        chances=(0.5,),
    ),
    "retry_after_an_hour": case(
        "An hour is waited out.",
        [answer(429, retry_after="3600"), answer(202)],
        [(0, "a"), (3_600_600 * MS, "a")],
        chances=(0.5,),
    ),
    "retry_after_too_long": case(
        "More than an hour is taken for an hour.",
        [answer(503, retry_after="86400"), answer(503, retry_after="99999999999999999999"), answer(202)],
        # 0.1 + 3600 + 0.5; 3600.7 + 3600 + 1.
        [(0, "a"), (3_600_600 * MS, "a"), (7_201_700 * MS, "a")],
        chances=(0.5,) * 2,
    ),
    "retry_after_garbage": case(
        "What is neither whole seconds nor a date says nothing.",
        [answer(429, retry_after=text) for text in ("soon", "-5", "1.5", "", "0x10", "5 minutes")],
        # 0.5 · (1, 2, 4, 8, 16), each after 0.1 s.
        [(0, "a"), (600 * MS, "a"), (1_700 * MS, "a"), (3_800 * MS, "a"), (7_900 * MS, "a"), (16 * S, "a")],
        chances=(0.5,) * 6,
        left=("a",),
        # 16.1 + 0.5 · 32
        next_us=32_100 * MS,
    ),
    "retry_after_date": case(
        "A date counts from the answer's own Date, not from the device's clock.",
        [
            answer(503, retry_after="Sun, 06 Sep 2026 08:01:30 GMT", date="Sun, 06 Sep 2026 08:00:00 GMT"),
            answer(202),
        ],
        # 0.1 + 90 + 0.5.
        [(0, "a"), (90_600 * MS, "a")],
        chances=(0.5,),
    ),
    "retry_after_date_alone": case(
        "Without a Date that can be read a date says nothing; nor does one that has passed.",
        [
            answer(503, retry_after="Sun, 06 Sep 2026 08:01:30 GMT"),
            answer(503, retry_after="Sun, 06 Sep 2026 08:00:00 GMT", date="Sun, 06 Sep 2026 08:01:30 GMT"),
            answer(202),
        ],
        [(0, "a"), (600 * MS, "a"), (1_700 * MS, "a")],
        chances=(0.5,) * 2,
    ),
    "dropped_for_good": case(
        "A batch that the server cannot read is dropped and counted, and the next goes at once.",
        [answer(400), answer(415), answer(409), answer(202)],
        [(0, "a"), (TENTH, "b"), (2 * TENTH, "c"), (3 * TENTH, "d")],
        batches=(("a", 4, 0), ("b", 3, 0), ("c", 2, 0), ("d", 1, 0)),
        dropped={"rejected": 9},
    ),
    **{
        f"stopped_by_{status}": case(
            "Key or address are wrong: the batch is dropped, nothing more is sent; what waits stays for a later start.",
            [answer(status, retry_after="1")],
            [(0, "a")],
            batches=TWO,
            dropped={"rejected": 4},
            left=("b",),
            stopped=True,
        )
        for status in (401, 403, 404, 410)
    },
    "halved": case(
        "Too large: two halves with ids of their own, sent at once and before what else waits.",
        [answer(413), answer(202), answer(202), answer(202)],
        [(0, "a"), (TENTH, "a.1"), (2 * TENTH, "a.2"), (3 * TENTH, "b")],
        batches=TWO,
        splits={"a": [("a.1", 0, 2), ("a.2", 2, 4)]},
    ),
    "halved_down_to_one_span": case(
        "A half that is too large is halved, and a span that is too large alone is dropped; of five the first two.",
        [answer(413), answer(413), answer(202), answer(413), answer(413), answer(202), answer(413), answer(202)],
        [
            (0, "a"),
            (TENTH, "a.1"),
            (2 * TENTH, "a.1.1"),
            (3 * TENTH, "a.1.2"),
            (4 * TENTH, "a.2"),
            (5 * TENTH, "a.2.1"),
            (6 * TENTH, "a.2.2"),
            (7 * TENTH, "a.2.2.1"),
        ],
        batches=(("a", 5, 0),),
        splits={
            "a": [("a.1", 0, 2), ("a.2", 2, 5)],
            "a.1": [("a.1.1", 0, 1), ("a.1.2", 1, 2)],
            "a.2": [("a.2.1", 0, 1), ("a.2.2", 1, 3)],
            "a.2.2": [("a.2.2.1", 0, 1), ("a.2.2.2", 1, 2)],
        },
        dropped={"too_large": 1},
        left=("a.2.2.2",),
        next_us=8 * TENTH,
    ),
    "half_waits": case(
        "A half is retried like any batch: same id, same bytes; and 413 has no Retry-After.",
        [answer(413, retry_after="60"), answer(503), answer(202), answer(202)],
        [(0, "a"), (TENTH, "a.1"), (700 * MS, "a.1"), (800 * MS, "a.2")],
        chances=(0.5,),
        splits={"a": [("a.1", 0, 2), ("a.2", 2, 4)]},
    ),
    "lost_answer": case(
        "A batch whose answer was lost is sent again as it is; only the server can know that it had it.",
        [TIMEOUT, answer(202)],
        [(0, "a"), (10_500 * MS, "a")],
        chances=(0.5,),
    ),
    "expired": case(
        "More than seven days after it was sealed a batch is dropped instead of sent; its halves are as old as it.",
        [answer(202), answer(503), answer(202)],
        # At 0 `a` is 7 days and 1 µs old, `b` exactly 7 days; at 0.2 + 0.5 s `c` is older by 200 ms.
        [(0, "b"), (TENTH, "c"), (700 * MS, "d")],
        chances=(0.5,),
        batches=(("a", 4, -7 * DAY - 1), ("b", 3, -7 * DAY), ("c", 2, -7 * DAY + 500 * MS), ("d", 1, 0)),
        dropped={"expired": 6},
    ),
}
"""By name."""
