"""The reference of retries (`SPEC.md`, B): what an answer means for a batch, and when the next attempt may be made.

Pure: time, chance and answers come in as arguments. All times are whole µs of the monotonic clock.
"""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

SECOND_US = 1_000_000
TIMEOUT_US = 10 * SECOND_US
"""After this long without an answer an attempt is given up."""
FIRST_BACKOFF_US = SECOND_US
LONGEST_BACKOFF_US = 300 * SECOND_US
LONGEST_RETRY_AFTER_US = 3_600 * SECOND_US
LIFETIME_US = 7 * 86_400 * SECOND_US
"""Of a batch, from when it was sealed; older than this it is dropped as `expired`."""

Fate = Literal["accepted", "later", "halve", "drop", "stop"]

_WRONG_ADDRESS = frozenset({401, 403, 404, 410})
"""The key or the address is wrong: no other batch would fare better."""


def fate_of(status: int) -> Fate:
    """What becomes of a batch by the status of its answer; 0 for none: a network error, or a time-out."""
    if 200 <= status < 300:
        return "accepted"
    if status == 413:
        return "halve"
    if status in _WRONG_ADDRESS:
        return "stop"
    return "drop" if 400 <= status < 500 and status not in (408, 429) else "later"


def jitter_us(failures: int, chance: float) -> int:
    """The wait after a failure: chance · min(300 s, 1 s · 2^failures).

    Args:
        failures: how many attempts in a row had failed before.
        chance: uniform in [0, 1).
    """
    return int(chance * min(LONGEST_BACKOFF_US, FIRST_BACKOFF_US << min(failures, 32)))


def retry_after_us(text: str | None, date: str | None = None) -> int:
    """How long the answer asks to be left alone: seconds, or a date; at most an hour, 0 where it says nothing usable.

    A date counts from the answer's own `Date`: the device's wall clock may be wrong by years.
    """
    asked = (text or "").strip()
    if asked.isascii() and asked.isdigit():
        return min(int(asked) * SECOND_US, LONGEST_RETRY_AFTER_US)
    try:
        passed = parsedate_to_datetime(asked) - parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return 0
    return min(max(int(passed.total_seconds()), 0) * SECOND_US, LONGEST_RETRY_AFTER_US)


class Schedule:
    """When the next attempt may be made. One for all batches of a sender: who is overloaded is so for all of them.

    Args:
        chance: gives numbers uniform in [0, 1); one is taken for each attempt that is to be repeated.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self.failures = 0
        """Attempts in a row that are to be repeated."""
        self.not_before_us: int | None = None
        """No attempt before this; None: at once."""
        self.stopped = False
        """Nothing is sent any more by this page or process."""

    def answered(self, status: int, now_us: int, retry_after: str | None = None, date: str | None = None) -> Fate:
        """Takes note of an answer, or with status 0 of its absence, known at `now_us`; returns the batch's fate."""
        fate = fate_of(status)
        self.stopped |= fate == "stop"
        if fate != "later":
            self.failures, self.not_before_us = 0, None
            return fate
        wait_us = retry_after_us(retry_after, date) + jitter_us(self.failures, self._chance())
        self.failures += 1
        self.not_before_us = now_us + wait_us
        return fate


class Half(NamedTuple):
    """A part of a batch that was too large: its rows from `first` on, up to but without `end`."""

    first: int
    end: int


def halves(spans: int) -> tuple[Half, Half] | None:
    """What a batch is cut into; the middle one of an odd number goes with the second. None: it cannot be cut."""
    middle = spans // 2
    return None if middle == 0 else (Half(0, middle), Half(middle, spans))


def expired(sealed_us: int, now_us: int) -> bool:
    """Whether a batch is too old to be sent."""
    return now_us - sealed_us > LIFETIME_US
