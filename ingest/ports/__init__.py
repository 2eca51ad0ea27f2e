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
    "Journal",
    "JournalReader",
    "KeyRecord",
    "Keys",
    "LedgerRow",
    "NewApp",
    "NewKey",
    "Overviews",
    "Policies",
    "PolicyText",
    "Portion",
    "Position",
    "Published",
    "Question",
    "Rates",
    "Reader",
    "Receipt",
    "Records",
    "Rollups",
    "Sampled",
    "Samples",
    "ScrubRow",
    "SeriesRow",
    "ServerTimes",
    "Sketches",
    "SlowRoute",
    "SlowRoutes",
    "SpanLink",
    "Store",
    "Subject",
    "Suppressed",
    "Tombstones",
    "TraceOverflow",
    "TraceRead",
    "TraceSearch",
    "TraceSpans",
    "Transaction",
    "Update",
]
