"""Times as the API writes them: RFC 3339 in UTC."""

from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.model import I64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(at_us: int) -> str:
    """Microseconds since 1970 as text; without a fraction when there is none."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def rfc3339_us(at_us: int) -> str:
    """The same, always to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def rfc3339_all(at_us: I64) -> list[str]:
    """Many at once, to the second."""
    texts: list[str] = np.datetime_as_string(at_us.astype("datetime64[us]"), unit="s", timezone="UTC").tolist()
    return texts
