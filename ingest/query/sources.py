"""Everything the query API reads and changes, behind its ports."""

from dataclasses import dataclass

from ingest.ports import Administration, Alerts, Erasures, Exemplars, Overviews, Reader, SampledSessions
from ingest.ports.backlog import Backlogs
from ingest.ports.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What answers are made from, whoever asks."""

    reader: Reader
    overviews: Overviews
    """What the overview reads of the store beyond that."""
    sessions: SampledSessions
    exemplars: Exemplars
    """Sampled spans to stand beside figures."""
    totals: Totals
    """What was counted since counting began, for those who scrape counters."""
    backlogs: Backlogs
    """What waits for the other roles."""
    alerts: Alerts
    """Rules, and what became of them."""
    erasures: Erasures
    """How a user's data goes."""
    administration: Administration
    """Who may do what, and what of it can be changed."""
