"""The alerts role: rules and figures → notifications. One works, an advisory lock sees to it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from ingest.alerts.deliver import Lookups, Receiver
from ingest.alerts.evaluate import Evaluator
from ingest.alerts.in_force import FileRules, by_app, in_force
from ingest.alerts.watch import Watch
from ingest.app_file import parse
from ingest.compose.connect import open_pool_or_explain
from ingest.policy_book import PolicyBook
from ingest.ports import ALERTMANAGER, Rule
from ingest.query.series import FigureSeries
from ingest.settings import Settings
from ingest.store.alert_states import PostgresAlertStates
from ingest.store.plan import Retention
from ingest.store.policies import PostgresPolicies
from ingest.store.read import PostgresReader

CONNECTIONS = 6


async def run(settings: Settings, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Watches until `stop`.

    Raises:
        StartError: it cannot start.
    """
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    policies = PostgresPolicies(pool)
    book, files = PolicyBook(policies, parse), FileRules(policies)
    await book.refresh()
    reader = PostgresReader(pool, Retention.of(settings))
    measurer, states = FigureSeries(reader), PostgresAlertStates(pool)

    async def rules() -> Mapping[int, Sequence[Rule]]:
        await files.refresh()
        made = by_app(await states.rules())
        return {app.app_id: in_force(files.of(app.app_id), made.get(app.app_id, ())) for app in await reader.apps()}

    async def app_name(app_id: int) -> str:
        return next((app.name for app in await reader.apps() if app.app_id == app_id), str(app_id))

    def least_sessions(app_id: int) -> int:
        return book.of(app_id).rules.least_sessions

    sent_to = receivers(settings)
    evaluator = Evaluator(states, measurer, rules, least_sessions, [each.name for each in sent_to], _now_us)
    lookups = Lookups(measurer, app_name, least_sessions, dashboard(settings), _now_us)
    fresh = asyncio.create_task(book.keep_fresh())
    on_ready()
    try:
        await Watch(states, evaluator, sent_to, lookups).run(stop)
    finally:
        fresh.cancel()
        # Not closed: that would wait for the connection that holds the lock, which ends with this process.
        pool.terminate()


def receivers(settings: Settings) -> Sequence[Receiver]:
    """Where the operator wants notifications sent."""
    found = [Receiver(name, url) for name, url in settings["FIRSTHOP_ALERT_WEBHOOKS"].items()]
    base = settings["FIRSTHOP_ALERTMANAGER_URL"].rstrip("/")
    return [*([Receiver(ALERTMANAGER, f"{base}/api/v2/alerts")] if base else []), *found]


def dashboard(settings: Settings) -> str:
    """Address of the dashboard's page."""
    here = f"http://{settings['FIRSTHOP_QUERY_HOST']}:{settings['FIRSTHOP_QUERY_PORT']}"
    return (settings["FIRSTHOP_DASHBOARD_URL"] or here).rstrip("/") + "/"


def _now_us() -> int:
    return time.time_ns() // 1000
