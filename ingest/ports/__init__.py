"""The seams between the roles and the engines, each with its contract.

Edge, aggregator and query see only these; `ingest.compose` puts the engines of `ingest.journal` and `ingest.store` in.
"""

from ingest.ports.erasures import ErasedSession, Erasures, Forgotten, Receipt, Records, Subject, Tombstones
from ingest.ports.journal import Entry, Journal, JournalReader, Position
from ingest.ports.keys import App, Grant, Keys
from ingest.ports.policies import Policies, PolicyText
from ingest.ports.reader import Cells, Question, Reader, Samples, Suppressed, TraceSearch
from ingest.ports.sampling import Allotment, Demand, Rates
from ingest.ports.store import LedgerRow, Rollups, Sampled, ScrubRow, SeriesRow, Store, Transaction, Update

__all__ = [
    "Allotment",
    "App",
    "Cells",
    "Demand",
    "Entry",
    "ErasedSession",
    "Erasures",
    "Forgotten",
    "Grant",
    "Journal",
    "JournalReader",
    "Keys",
    "LedgerRow",
    "Policies",
    "PolicyText",
    "Position",
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
    "Store",
    "Subject",
    "Suppressed",
    "Tombstones",
    "TraceSearch",
    "Transaction",
    "Update",
]
