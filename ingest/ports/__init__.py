"""The seams between the roles and the engines, each with its contract.

Edge, aggregator and query see only these; `ingest.compose` puts the engines of `ingest.journal` and `ingest.store` in.
"""

from ingest.ports.administration import (
    APP_ROLES,
    LABEL_CHARS,
    MOST_KEYS,
    MOST_ORIGINS,
    Administration,
    KeyRecord,
    NewApp,
    NewKey,
)
from ingest.ports.alert_rules import Rule
from ingest.ports.alerts import (
    ALERTMANAGER,
    AlertBook,
    Alerts,
    AlertStates,
    Happening,
    Notification,
    Queued,
    Rehearsal,
    Silence,
    Standing,
    State,
    Stood,
    Turned,
    WouldFire,
)
from ingest.ports.audit import COMMAND_LINE, Actor, Audit, Change, Changed
from ingest.ports.erasures import ErasedSession, Erasures, Forgotten, Receipt, Records, Subject, Tombstones
from ingest.ports.exemplars import Candidates, Exemplars
from ingest.ports.exports import Exports, Portion
from ingest.ports.journal import Entry, Journal, JournalReader, Position
from ingest.ports.keys import CHANGERS, EVERY_APP, READERS, App, Grant, Keys
from ingest.ports.overview import NONE_FAILED, FailedSpans, Overviews, ServerTimes
from ingest.ports.policies import Policies, PolicyText
from ingest.ports.reader import Cells, Question, Reader, Samples, Sketches, Suppressed, TraceSearch
from ingest.ports.sampling import Allotment, Demand, Published, Rates, SlowRoute, SlowRoutes
from ingest.ports.series import Measurer, Point, Series
from ingest.ports.sessions import SampledSessions, SessionRead
from ingest.ports.store import (
    LedgerRow,
    Rollups,
    Sampled,
    ScrubRow,
    SeriesRow,
    Store,
    TraceOverflow,
    Transaction,
    Update,
)
from ingest.ports.traces import SpanLink, TraceRead, TraceSpans

__all__ = [
    "ALERTMANAGER",
    "APP_ROLES",
    "CHANGERS",
    "COMMAND_LINE",
    "EVERY_APP",
    "LABEL_CHARS",
    "MOST_KEYS",
    "MOST_ORIGINS",
    "NONE_FAILED",
    "READERS",
    "Actor",
    "Administration",
    "AlertBook",
    "AlertStates",
    "Alerts",
    "Allotment",
    "App",
    "Audit",
    "Candidates",
    "Cells",
    "Change",
    "Changed",
    "Demand",
    "Entry",
    "ErasedSession",
    "Erasures",
    "Exemplars",
    "Exports",
    "FailedSpans",
    "Forgotten",
    "Grant",
    "Happening",
    "Journal",
    "JournalReader",
    "KeyRecord",
    "Keys",
    "LedgerRow",
    "Measurer",
    "NewApp",
    "NewKey",
    "Notification",
    "Overviews",
    "Point",
    "Policies",
    "PolicyText",
    "Portion",
    "Position",
    "Published",
    "Question",
    "Queued",
    "Rates",
    "Reader",
    "Receipt",
    "Records",
    "Rehearsal",
    "Rollups",
    "Rule",
    "Sampled",
    "SampledSessions",
    "Samples",
    "ScrubRow",
    "Series",
    "SeriesRow",
    "ServerTimes",
    "SessionRead",
    "Silence",
    "Sketches",
    "SlowRoute",
    "SlowRoutes",
    "SpanLink",
    "Standing",
    "State",
    "Stood",
    "Store",
    "Subject",
    "Suppressed",
    "Tombstones",
    "TraceOverflow",
    "TraceRead",
    "TraceSearch",
    "TraceSpans",
    "Transaction",
    "Turned",
    "Update",
    "WouldFire",
]
