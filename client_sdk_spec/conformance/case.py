"""One scenario as it went: what judgements look at."""

from typing import NamedTuple

from client_sdk_spec.conformance.receiver import Attempt, Seen
from client_sdk_spec.conformance.scenarios import Scenario
from client_sdk_spec.conformance.verdicts import require


class Case(NamedTuple):
    """What a client did in a scenario, and by what it is judged."""

    scenario: Scenario
    seen: Seen
    address: str
    """The receiver's."""
    slack_s: float
    """How late a client's timers, and this machine, may be."""
    timeout_s: float
    """After how long without an answer the client is to give up."""

    @property
    def attempts(self) -> list[Attempt]:
        """In the order of their heads."""
        return self.seen.attempts

    @property
    def stored(self) -> dict[str, Attempt]:
        """By batch id, the first attempt of each batch that arrived."""
        found: dict[str, Attempt] = {}
        for attempt in self.attempts:
            if attempt.stored:
                found.setdefault(attempt.batch["id"], attempt)
        return found


def some(attempts: list[Attempt]) -> list[Attempt]:
    """The attempts; raises Broken where there are none."""
    require(attempts, "nothing was sent")
    return attempts
