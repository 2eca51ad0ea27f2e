"""What spans of well-known instrumentations are about, beside requests and operations: told by name and by evidence.

| name | with | by | signal |
|---|---|---|---|
| `documentLoad` | an address | JS `instrumentation-document-load` | page; its other spans are requests |
| `longtask` | `longtask.duration` | JS `instrumentation-long-task` | long task |
| `AppStart` | `start.type` | Android `activity` | start |
| `Created`, `Restarted`, `Restored`, `Resumed` | `activity.name`, `fragment.name` | Android | screen |
| `app.screen.time_to_first_draw` | | the conventions (app spans, development) | screen |
| `app.screen.time_to_first_appear` | `screen.name` | AWS's distribution for Swift | screen |
| `slowRenders`, `frozenRenders` | `activity.name` | Android, Swift: a count at a moment | event |

A screen is the time until it was there: that it went away (`Paused`, `Stopped`), and how long somebody looked at it
(`app.screen.time_on_screen`), are operations. Scopes are not read: what is in them differs by version more than this.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from ingest.decode.otlp_grid import ints
from ingest.decode.otlp_rows import Rows
from ingest.model import I64, U8, Attributes, Mask, Signal


class _Known(NamedTuple):
    names: Sequence[str]
    signal: Signal
    evidence: Sequence[str] = ()
    """Any of these attributes; none: the name says it all."""
    addressed: bool = False
    """With an address."""


_KNOWN: Final = (
    _Known(("documentLoad",), Signal.PAGE, addressed=True),
    _Known(("longtask",), Signal.LONG_TASK, ("longtask.duration",)),
    _Known(("AppStart",), Signal.START, ("start.type",)),
    _Known(("Created", "Restarted", "Restored", "Resumed"), Signal.SCREEN, ("activity.name", "fragment.name")),
    _Known(("app.screen.time_to_first_draw", "app.screen.time_to_first_appear"), Signal.SCREEN),
    _Known(("slowRenders", "frozenRenders"), Signal.EVENT, ("activity.name",)),
)


def tell_spans(rows: Rows, url: I64, attributes: Attributes) -> U8:
    """(n,) `Signal` of each span: REQUEST where nothing tells that it is something else.

    Args:
        rows: what was read.
        url: (n,) code of each span's address.
        attributes: those that fill no column.
    """
    signal = np.full(len(url), Signal.REQUEST, dtype=np.uint8)
    names = ints(rows.names)
    for known in _KNOWN:
        codes = [rows.codes[name] for name in known.names if name in rows.codes]
        if not codes:
            continue
        told: Mask = np.isin(names, codes)
        if known.evidence:
            keys = [rows.codes[key] for key in known.evidence if key in rows.codes]
            owners = attributes.owner[np.isin(attributes.key, keys)]
            told &= np.isin(np.arange(len(names)), owners)
        if known.addressed:
            told &= url > 0
        signal[told] = known.signal
    return signal
