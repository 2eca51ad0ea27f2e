"""What the operator set for all apps, as far as the API tells it."""

from dataclasses import dataclass

from ingest.settings import Sampling, Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """Addresses, and what holds for an app that says nothing else."""

    edge_url: str
    """Where clients reach the edge; "": on its port of the dashboard's host."""
    edge_port: int
    spans_per_minute: int
    """Budget of an app without one of its own."""
    sampling: Sampling
    trace_link: str
    """Where another tracing system shows the trace `{trace_id}`; "": nowhere."""

    @classmethod
    def of(cls, settings: Settings) -> "Installation":
        """As configured."""
        return cls(
            edge_url=settings["FIRSTHOP_EDGE_URL"].rstrip("/"),
            edge_port=settings["FIRSTHOP_EDGE_PORT"],
            spans_per_minute=settings["FIRSTHOP_SPANS_PER_MINUTE"],
            sampling=settings.sampling(),
            trace_link=settings["FIRSTHOP_TRACE_LINK"],
        )
