"""What `firsthop top` asks: the figures of all spans that the filters let pass, and those of each group."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ingest.client import QueryError, SyncClient
from ingest.client.answers import Latency
from ingest.top import QUANTILES

TREND_POINTS = 12


@dataclass(frozen=True, slots=True)
class Question:
    """What the figures are about."""

    app: str
    """Its id or name."""
    last_s: int
    """Up to now."""
    by: str
    """A dimension."""
    signal: str = "request"
    filters: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def step_s(self) -> int:
        """Of the trend: as many points as it has room for, in steps that the API takes."""
        return max(10, -(-self.last_s // (TREND_POINTS * 10)) * 10)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was answered, or why nothing was."""

    question: Question
    all: Latency | None = None
    groups: Latency | None = None
    error: str = ""


def ask(client: SyncClient, question: Question) -> Snapshot:
    """The figures now.

    Raises:
        QueryError: there is no answer.
    """
    common = {
        "app": question.app,
        "from_": f"-{question.last_s}s",
        "signal": question.signal,
        "q": QUANTILES,
        "step": f"{question.step_s}s",
        **question.filters,
    }
    every = client.latency(**common)
    groups = client.latency(group_by=question.by, **common)
    return Snapshot(question, every, groups)


class Asker(threading.Thread):
    """Asks again and again beside the screen, so that keys are answered while the server thinks.

    It ends with the process: nobody who quits waits for a server that is slow.

    Args:
        connect: makes the client that this thread uses.
        first: what was answered already.
        every_s: pause between two answers.
    """

    def __init__(self, connect: Callable[[], SyncClient], first: Snapshot, every_s: float) -> None:
        super().__init__(daemon=True)
        self._connect = connect
        self._every_s = every_s
        self._turn = threading.Condition()
        self._question = first.question
        self._newest = first

    @property
    def newest(self) -> Snapshot:
        """The newest answer; after a failure the last figures, with the error."""
        with self._turn:
            return self._newest

    @property
    def question(self) -> Question:
        """What is asked now."""
        with self._turn:
            return self._question

    def change(self, question: Question) -> None:
        """Asks this from now on, at once."""
        with self._turn:
            self._question = question
            self._turn.notify()

    def run(self) -> None:
        """The thread."""
        answered = self.question
        with self._connect() as client:
            while True:
                with self._turn:
                    self._turn.wait_for(lambda: self._question != answered, self._every_s)  # noqa: B023
                    answered = self._question
                try:
                    snapshot = ask(client, answered)
                except QueryError as error:
                    snapshot = replace(self.newest, error=str(error))
                with self._turn:
                    self._newest = snapshot
