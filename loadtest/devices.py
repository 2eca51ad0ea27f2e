"""Devices in true time: clocks that are wrong, drift, step, sleep and start anew, and networks that come and go.

Everything is a pure function of a random generator. True time is counted in µs from the world's beginning, and nobody
in the world can read it: a device has `Monotonic` and `Wall`, the server has its own clock, which is right.

How wrong wall clocks are is little known; `WALL_ERRORS` is a mixture that follows what is published:

- OpenSignal, 2013: 3.5 % of Android clocks were off by more than an hour; receivers that ignored leap seconds by 15 s.
- Chrome, 2017 ("Where the Wild Warnings Are", CCS): among reports of certificate errors 6.7 % were more than a day
  behind and 0.05 % a day ahead. That is a biased sample, so fewer are taken here.
- The rest is disciplined by NTP or the mobile network to within a second or so.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadtest.visits import Sender, make_sender

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
WORLD_BEGINS_US = 1_790_000_000_000_000
"""True time 0 of the world, µs since 1970."""
DRIFT_PPM, MOST_DRIFT_PPM = 15, 50
"""Oscillators are off by about this much and by no more than that, each of the two clocks by its own: the 32 kHz
crystals that keep time in phones are sold with 20 ppm at room temperature."""
VISIT_US = 240 * SECOND
"""No visit lasts longer; what else happens to a device happens outside this time before its batch is sealed."""
SETTLE_US = 75 * SECOND
"""For this long after a visit the device stays awake and tries to send."""

WALL_ERRORS = (
    ("disciplined", 0.845),
    ("by 15 to 18 s, leap seconds ignored", 0.06),
    ("by seconds to minutes", 0.04),
    ("by more than an hour", 0.035),
    ("behind by more than a day", 0.015),
    ("ahead by more than a day", 0.0005),
    ("at 1970", 0.0045),
)
"""Kinds of wall-clock error, and the share of devices that begin with each."""


@dataclass(frozen=True, slots=True)
class Monotonic:
    """A monotonic clock: starts anew with every boot or page, and stops in sleep unless it counts it."""

    starts: Sequence[int]
    """True times of the boots (of the page loads, for a page), ascending."""
    sleeps: Sequence[tuple[int, int]]
    """True times at which the device slept, ascending, none over a boot."""
    counts_sleep: bool
    drift_ppm: float

    def life(self, at_us: int) -> int:
        """Which boot it is."""
        return bisect_right(self.starts, at_us) - 1

    def read(self, at_us: int) -> int:
        """The clock in µs at a true time."""
        start = self.starts[self.life(at_us)]
        ran = at_us - start
        if not self.counts_sleep:
            ran -= sum(max(0, min(to, at_us) - max(begin, start)) for begin, to in self._since(start, at_us))
        return ran + round(ran * self.drift_ppm / 1e6)

    def _since(self, start: int, at_us: int) -> Sequence[tuple[int, int]]:
        return self.sleeps[bisect_right(self.sleeps, (start, start)) : bisect_right(self.sleeps, (at_us, at_us))]


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall clock: what it is off by drifts, and changes when somebody sets it."""

    set_at: Sequence[int]
    """True times, ascending; the first one is before the world begins."""
    errors_us: Sequence[int]
    """What it was off by just after each."""
    drift_ppm: float

    def error(self, at_us: int) -> int:
        """Wall clock minus true time, µs."""
        row = bisect_right(self.set_at, at_us) - 1
        return self.errors_us[row] + round((at_us - self.set_at[row]) * self.drift_ppm / 1e6)


@dataclass(frozen=True, slots=True)
class Life:
    """One device from the world's beginning to its end: all that happens to it whatever its SDK does."""

    sender: Sender
    mono: Monotonic
    wall: Wall
    visits: Sequence[int]
    """True times at which somebody's visit ends and its batch is sealed."""
    offline: Sequence[tuple[int, int]]
    dialect: str
    """`native`, `native-json`, `otlp`, or `bare`: native without any word on clocks."""
    keeps_queue: bool
    """What is not sent yet outlives a reboot or the page."""
    keeps_anchors: bool
    background: bool
    """Some of its batches are left to the system to upload, with the stamp they were written with."""
    keep_probability: float
    """What share of ordinary traces the client itself sends; 1: all."""
    naps: Sequence[tuple[int, int]]
    """Sleeps too short to be noticed by wall − mono, on a clock that stops: the protocol has no remedy for them."""

    def online(self, at_us: int) -> bool:
        """Whether a request leaves the device at all."""
        return not any(begin <= at_us < end for begin, end in self.offline)


def make_life(rng: np.random.Generator, days: float, *, nap_share: float) -> Life:
    """A device and what happens to it.

    Args:
        rng: the only source of chance.
        days: length of the world.
        nap_share: of visits on clocks that stop: in how many the device naps.
    """
    sender = replace(make_sender(rng, 0, 0), epoch_at_us=0, wall_error_us=0)
    page = sender.device.platform == "web"
    visits = _visits(rng, round(days * DAY))
    starts, sleeps = _gaps(rng, visits, page=page)
    # Pages tick in sleep on Windows only; SDKs of phones that follow the specification use the clock that counts it.
    counts_sleep = sender.device.os_name == "Windows" if page else bool(rng.random() < 0.75)
    naps = [] if counts_sleep else _naps(rng, visits, nap_share)
    drift = np.clip(rng.normal(0, DRIFT_PPM, 2), -MOST_DRIFT_PPM, MOST_DRIFT_PPM).tolist()
    return Life(
        sender=sender,
        mono=Monotonic(starts, sorted([*sleeps, *naps]), counts_sleep, drift[0]),
        wall=_wall(rng, round(days * DAY), drift[1]),
        visits=visits,
        offline=_offline(rng, round(days * DAY)),
        dialect=_dialect(rng, sender, page=page),
        keeps_queue=bool(rng.random() < (0.4 if page else 0.85)),
        keeps_anchors=bool(rng.random() < 0.7),
        background=not page and bool(rng.random() < 0.25),
        keep_probability=float(rng.choice([1.0, 0.5, 0.1], p=[0.85, 0.1, 0.05])),
        naps=naps,
    )


def _dialect(rng: np.random.Generator, sender: Sender, *, page: bool) -> str:
    if sender.device.platform in sender.app.otlp_platforms or rng.random() < 0.04:
        return "otlp"
    if rng.random() < 0.01:
        return "bare"
    return "native-json" if page else "native"


def _visits(rng: np.random.Generator, until_us: int) -> list[int]:
    """A third of the visits follow the one before within minutes, the others within hours."""
    at_us = int(rng.uniform(0.01, 6) * HOUR) + VISIT_US
    visits = []
    while at_us < until_us:
        visits.append(at_us)
        again = rng.random() < 0.35
        pause_us = rng.uniform(80, 900) * SECOND if again else rng.lognormal(np.log(4 * HOUR), 0.9)
        at_us += VISIT_US + SETTLE_US + int(pause_us)
    return visits


def _gaps(rng: np.random.Generator, visits: Sequence[int], *, page: bool) -> tuple[list[int], list[tuple[int, int]]]:
    """What happens between visits: boots (page loads), and sleeps."""
    starts = [-int(rng.uniform(0.01, 9) * DAY)] if not page else [-int(rng.uniform(1, 60) * SECOND)]
    sleeps: list[tuple[int, int]] = []
    awake_us = 0
    for at_us in visits:
        begin, end = awake_us, at_us - VISIT_US
        if end - begin > 20 * SECOND:
            anew = rng.random() < (0.6 if page else 0.05)
            start = end - int(rng.uniform(1, 10) * SECOND) if page else int(rng.uniform(begin, end))
            if anew:
                starts.append(start)
            if rng.random() < 0.75 and not (anew and page):
                # Of a night with a reboot in it, only what follows the reboot is slept.
                sleeps.append(((start if anew else begin) + 1, end - int(rng.uniform(0, 5) * SECOND)))
        awake_us = at_us + SETTLE_US
    return starts, [(begin, end) for begin, end in sleeps if end > begin]


def _naps(rng: np.random.Generator, visits: Sequence[int], share: float) -> list[tuple[int, int]]:
    naps = []
    for at_us in visits:
        if rng.random() < share:
            begin = at_us - int(rng.uniform(1, 60) * SECOND)
            naps.append((begin, begin + int(rng.uniform(50_000, 240_000))))
    return naps


def _wall(rng: np.random.Generator, until_us: int, drift_ppm: float) -> Wall:
    kinds: Mapping[str, float] = dict(WALL_ERRORS)
    kind = list(kinds)[int(rng.choice(len(kinds), p=list(kinds.values())))]
    set_at, errors_us = [-int(rng.uniform(0, 1) * DAY)], [_error(rng, kind)]
    at_us = 0
    while True:
        # A clock under discipline is set right about daily; another one is now and then set by hand or by NTP.
        at_us += int(rng.exponential(DAY if kind == "disciplined" else 3 * DAY))
        if at_us >= until_us:
            return Wall(set_at, errors_us, drift_ppm)
        by_hand = rng.random() < (0.04 if kind == "disciplined" else 0.4)
        kind = "by more than an hour" if by_hand else "disciplined"
        set_at.append(at_us)
        errors_us.append(_error(rng, kind))


def _error(rng: np.random.Generator, kind: str) -> int:
    """Wall clock minus true time in µs, of one kind of `WALL_ERRORS`."""
    sign = int(rng.choice([-1, 1]))
    if kind == "disciplined":
        return int(rng.normal(0, 0.4) * SECOND)
    if kind.startswith("by 15"):
        return int(rng.choice([15, 16, 17, 18]) * SECOND + rng.normal(0, 0.2) * SECOND)
    if kind == "by seconds to minutes":
        return sign * int(min(rng.lognormal(np.log(30), 1.2), 3000) * SECOND)
    if kind == "by more than an hour":
        return sign * int(np.exp(rng.uniform(np.log(1.0), np.log(24))) * HOUR)
    if kind == "at 1970":
        return -WORLD_BEGINS_US + int(rng.uniform(1, 3) * DAY)
    return (-1 if kind.startswith("behind") else 1) * int(np.exp(rng.uniform(np.log(1.0), np.log(400))) * DAY)


def _offline(rng: np.random.Generator, until_us: int) -> list[tuple[int, int]]:
    """Tunnels, flights, weekends out of reach: every other day, an hour in the median, 60 at most."""
    begins = rng.uniform(0, until_us, rng.poisson(until_us / DAY / 2)).astype(int).tolist()
    return [(begin, begin + int(min(rng.lognormal(np.log(1.0), 1.6), 60) * HOUR)) for begin in begins]
