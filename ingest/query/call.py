"""One call of the query API, checked: whose data, which range, which spans."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ingest.model import DIMENSIONS, Signal
from ingest.ports import Actor, Administration, App, Erasures, Exemplars, Overviews, Question, Reader
from ingest.ports.totals import Totals
from ingest.query.installation import Installation
from ingest.query.parameters import LONGEST_RANGE_US, BadParameter
from ingest.settings import AppPolicy

_S = 1_000_000
_DAY_US = 86_400 * _S
STEPS_US = tuple(
    seconds * _S
    for seconds in (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800)
)
"""What `auto` chooses from."""
MOST_AUTO_POINTS = 400
MOST_POINTS = 1500
"""With a step of one's own: a day by minutes."""
MOST_GROUPS = 50
MOST_GROUP_POINTS = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """What an answer is made from."""

    reader: Reader
    erasures: Erasures
    overviews: Overviews
    exemplars: Exemplars
    totals: Totals
    apps: Sequence[App]
    """Those that the token opens."""
    app_id: int
    """0 for a call that is about no app."""
    now_us: int
    values: Mapping[str, Any]
    """Of the parameters, by name."""
    path: Mapping[str, str]
    """Of the variable parts of the path."""
    policy_of: Callable[[int], AppPolicy]
    """App → the privacy policy in force."""
    administration: Administration
    actor: Actor
    """Who asks: a change is written into the audit log as theirs."""
    role_in: Callable[[int], str]
    """App → the role by which they may ask about it; of 0, about what is of no app; "" for none."""
    installation: Installation
    body: Any = None
    """What the request's body said, of the type that the endpoint names."""

    @property
    def least_sessions(self) -> int:
        """What figures must at least be about. Asked only by those who show some: erasing needs no policy.

        Raises:
            Unavailable: the app's policy cannot be read now.
        """
        return self.policy_of(self.app_id).rules.least_sessions

    @property
    def filters(self) -> Mapping[str, tuple[str, ...]]:
        """Dimension → the values that may pass, of those that are filtered by."""
        return {name: self.values[name] for name in DIMENSIONS if self.values.get(name)}

    @property
    def signal(self) -> Signal:
        """What the figures are about."""
        return Signal[self.values.get("signal", Signal.REQUEST.word).upper()]

    def range_us(self) -> tuple[int, int]:
        """Start and end of the range.

        Raises:
            BadParameter: it is empty or too long.
        """
        start, end = self.values["from"].at(self.now_us), self.values["to"].at(self.now_us)
        if start >= end:
            raise BadParameter("from", "must lie before to.")
        if end - start > LONGEST_RANGE_US:
            raise BadParameter("from", "must lie at most 400 days before to.")
        return start, end

    def question(
        self, *, metrics: tuple[str, ...] = (), group_by: tuple[str, ...] = (), most_groups: int = MOST_GROUPS
    ) -> Question:
        """What to ask about the whole range."""
        start, end = self.range_us()
        return Question(
            app_id=self.app_id,
            from_us=start,
            to_us=end,
            now_us=self.now_us,
            step_us=auto_step(start, end),
            signal=self.signal,
            over_time=False,
            metrics=metrics,
            group_by=group_by,
            filters=self.filters,
            least_sessions=self.least_sessions,
            most_groups=most_groups,
        )

    def question_over_time(
        self, *, metrics: tuple[str, ...], group_by: tuple[str, ...], step_us: int | None
    ) -> Question:
        """What to ask about the range step by step; None is `auto`.

        Raises:
            BadParameter: the step would give too many points.
        """
        start, end = self.range_us()
        step = step_us or auto_step(start, end)
        points = _points(start, end, step)
        if points > MOST_POINTS:
            raise BadParameter(
                "step", f"gives {points} points in this range; at most {MOST_POINTS}: widen it, or auto."
            )
        return Question(
            app_id=self.app_id,
            from_us=start,
            to_us=end,
            now_us=self.now_us,
            step_us=step,
            signal=self.signal,
            over_time=True,
            metrics=metrics,
            group_by=group_by,
            filters=self.filters,
            least_sessions=self.least_sessions,
            most_groups=min(MOST_GROUPS, MOST_GROUP_POINTS // points),
        )


def _points(start: int, end: int, step: int) -> int:
    return -(-end // step) - start // step


def auto_step(start: int, end: int, most: int = MOST_AUTO_POINTS) -> int:
    """The finest of `STEPS_US`, else of whole days, that cuts a range into at most so many points."""
    days = (step_us for step_us in range(_DAY_US, LONGEST_RANGE_US + _DAY_US, _DAY_US))
    return next(step for step in chain(STEPS_US, days) if _points(start, end, step) <= most)
