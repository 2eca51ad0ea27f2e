"""Delivery: takes notifications out of the outbox and sends them on, receiver by receiver, as long as it takes.

    next of the outbox → examples and link → POST → taken? → out of the outbox

Every receiver has a worker of its own: one that hangs delays nobody else. A notification leaves the outbox only after
the receiver has taken it, or has refused it for good; after a crash between the two it is sent again with the same
identity. What one receiver is told comes in order, so that no end overtakes its beginning.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import orjson

from ingest.alerts import link, messages
from ingest.alerts.messages import RESEND_US, Surroundings
from ingest.errors import Unavailable
from ingest.ports import ALERTMANAGER, AlertStates, Measurer, Notification, Standing, TraceSearch
from ingest.ports.alert_rules import Errors, Latency
from ingest.stopping import unless

IDLE_S = 1.0
TIMEOUT_S = 10.0
BACKOFF_S = (1.0, 60.0)
"""First and longest wait after a failure; the actual one is drawn from half of it to the whole."""
MOST_WAITING = 1000
"""Notifications that may wait for a receiver; the oldest beyond go."""
EXAMPLES = 3
_EXAMPLES_READ = 20
REFUSALS = frozenset({400, 413, 415, 422})
"""Statuses that are about the notification itself. Any other failure may be mended, and it waits."""

log = logging.getLogger("ingest.alerts")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where notifications are sent. Set by the operator alone: nobody who may change a rule can name an address."""

    name: str
    url: str
    """May hold a secret: never logged, never shown."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What is looked up when a notification is sent."""

    measurer: Measurer
    app_name: Callable[[int], Awaitable[str]]
    least_sessions: Callable[[int], int]
    dashboard: str
    now_us: Callable[[], int]

    async def surroundings(self, told: Notification) -> Surroundings:
        """App, link and examples; none where they cannot be read now: an alarm does not wait for its illustration."""
        try:
            found: Sequence[str] = await self.measurer.examples(self._search(told))
        except Unavailable:
            found = ()
        return Surroundings(await self.app_name(told.app_id), self.dashboard, found[:EXAMPLES])

    def _search(self, told: Notification) -> TraceSearch:
        rule = told.rule
        slow = isinstance(rule.when, Latency) and rule.when.metric == "duration"
        return TraceSearch(
            app_id=told.app_id,
            from_us=told.from_us,
            to_us=told.to_us,
            signal=rule.about,
            filters=link.narrowed(rule, told.group),
            min_us=round(rule.when.above_ms * 1000) if slow and isinstance(rule.when, Latency) else 0,
            errors=isinstance(rule.when, Errors),
            oversized=False,
            limit=_EXAMPLES_READ,
            now_us=self.now_us(),
            least_sessions=self.least_sessions(told.app_id),
        )


class Worker:
    """Sends to one receiver.

    Args:
        dice: a number from 0 to 1, for spreading retries.
    """

    def __init__(
        self,
        receiver: Receiver,
        states: AlertStates,
        lookups: Lookups,
        session: aiohttp.ClientSession,
        *,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._receiver, self._states, self._lookups, self._session = receiver, states, lookups, session
        self._dice = dice
        self._failures = 0
        self._resent_us = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until the event is set.

        Raises:
            Unavailable: the store cannot be reached.
        """
        while not stop.is_set():
            if not await self.step():
                await unless(stop, asyncio.sleep(self._pause_s()))

    async def step(self) -> bool:
        """Sends the next notification; False when there is none, or it was not taken."""
        queued = await self._states.next(self._receiver.name, 1)
        if not queued:
            self._failures = 0 if await self._resend() else self._failures
            return False
        taken = await self._send(queued[0].notification)
        if taken:
            await self._states.finish(queued[0].entry)
        return taken

    async def _send(self, told: Notification) -> bool:
        around = await self._lookups.surroundings(told)
        if self._receiver.name == ALERTMANAGER:
            return await self._post([messages.alertmanager_alert(told, around, self._lookups.now_us())], {})
        return await self._post(messages.webhook_body(told, around), {"Idempotency-Key": told.id})

    async def _resend(self) -> bool:
        """Tells Alertmanager again what fires, before it takes it for ended; whether it is told."""
        now = self._lookups.now_us()
        if self._receiver.name != ALERTMANAGER or now - self._resent_us < RESEND_US:
            return True
        firing = [
            each.notification
            for each in await self._states.states()
            if each.state.standing is Standing.FIRING
            and each.notification is not None
            and self._means_it(each.notification)
        ]
        alerts = [messages.alertmanager_alert(told, await self._lookups.surroundings(told), now) for told in firing]
        if alerts and not await self._post(alerts, {}):
            return False
        self._resent_us = now
        return True

    def _means_it(self, told: Notification) -> bool:
        return not told.rule.receivers or self._receiver.name in told.rule.receivers

    async def _post(self, body: object, headers: Mapping[str, str]) -> bool:
        """Whether the receiver took it, or never will."""
        try:
            async with self._session.post(
                self._receiver.url,
                data=orjson.dumps(body),
                headers={"Content-Type": "application/json", **headers},
                allow_redirects=False,
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._failed(type(error).__name__)
            return False
        if 200 <= status < 300:
            self._failures = 0
            return True
        if status in REFUSALS:
            log.warning("receiver %s refused a notification for good (status %d)", self._receiver.name, status)
            return True
        self._failed(f"status {status}")
        return False

    def _failed(self, why: str) -> None:
        if not self._failures:
            log.warning("receiver %s takes no notifications now (%s); they wait", self._receiver.name, why)
        self._failures += 1

    def _pause_s(self) -> float:
        if not self._failures:
            return IDLE_S
        longest = min(BACKOFF_S[0] * 2.0 ** min(self._failures - 1, 20), BACKOFF_S[1])
        return longest * (0.5 + self._dice() / 2)
