"""What becomes of single requests of the simulated world: delays, handshakes, losses."""

from dataclasses import dataclass

import numpy as np

from loadtest.devices import SECOND
from loadtest.visits import Sender

KEEP_ALIVE_US = 60 * SECOND
"""How long a connection stays open."""
NEVER_US = -(1 << 60)


@dataclass(frozen=True, slots=True)
class Chances:
    """How often something goes wrong; of visits or attempts."""

    lost: float = 0.03
    """The request never arrives."""
    stalled: float = 0.01
    """It takes seconds longer to arrive, or the answer does."""
    unanswered: float = 0.02
    """It arrives, and its answer is lost: the client will send it again."""
    frozen: float = 0.0005
    """Breaks the protocol: stamped, and sent only when the device woke up again, after more than its time-out."""
    naps: float = 0.005
    """Breaks the protocol: a clock that stops slept for less than the 250 ms that are noticed."""


KEEPS_THE_RULES = Chances(frozen=0.0, naps=0.0)


@dataclass(frozen=True, slots=True)
class Passage:
    """How long one request takes, µs."""

    up_us: int
    """Until its head arrives, with the handshakes of a cold connection."""
    down_us: int
    """Until the answer is back."""
    written_us: int
    """Until its head is written, as far as the SDK can tell: a page is not told of requests to another origin."""


class Network:
    """The network of one sender; remembers whether its connection is open."""

    def __init__(self, sender: Sender, rng: np.random.Generator, stalled: float) -> None:
        self._sender, self._rng, self._stalled = sender, rng, stalled
        self._warm_until = NEVER_US

    def pass_on(self, now_us: int) -> Passage:
        """A request at a true time."""
        rng, sender = self._rng, self._sender
        half = sender.network.rtt_us * sender.country.distance / 2
        # Each way has its own delay; the way up is the narrower one.
        up, down = half * rng.uniform(1, 2) * rng.lognormal(0, 0.5), half * rng.lognormal(0, 0.5)
        handshake = 0.0
        if now_us > self._warm_until:
            # One round trip each for TCP and TLS 1.3.
            handshake = half * 4 * rng.lognormal(0, 0.3) + sender.network.dns_us * rng.lognormal(0, 0.8)
        if rng.random() < self._stalled:
            stalled = rng.lognormal(np.log(SECOND), 1.0)
            up, down = (up + stalled, down) if rng.random() < 0.6 else (up, down + stalled)
        self._warm_until = now_us + KEEP_ALIVE_US
        written_us = 0 if sender.device.platform == "web" else int(handshake)
        return Passage(int(handshake + up) + 1, int(down) + 1, written_us)

    def lose(self) -> None:
        """The connection broke."""
        self._warm_until = NEVER_US
