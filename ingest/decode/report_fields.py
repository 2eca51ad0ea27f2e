"""What browsers say in the bodies of their reports, as attributes.

Fields with a meaning that this service knows get a name by which the scrubber knows it, too: an address as a URL, a
message as text. All others keep theirs, under the type of the report.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from ingest.decode.signal_rows import text

TYPE_CHARS: Final = 64
"""Of the type of a report, and of what failed."""
MOST_FIELDS: Final = 24
"""Of one report; those that there are have a dozen."""

_NAMES: Final = {
    "blockedURL": "csp.blocked_url",
    "blocked-uri": "csp.blocked_url",
    "effectiveDirective": "csp.directive",
    "effective-directive": "csp.directive",
    "originalPolicy": "csp.policy",
    "original-policy": "csp.policy",
    "disposition": "csp.disposition",
    "sample": "csp.sample",
    "script-sample": "csp.sample",
    "sourceFile": "report.source_url",
    "source-file": "report.source_url",
    "lineNumber": "report.line",
    "line-number": "report.line",
    "columnNumber": "report.column",
    "column-number": "report.column",
    "referrer": "http.request.header.referer",
    "message": "report.message",
    "stack": "exception.stacktrace",
}
_DROPPED: Final = frozenset({"documentURL", "document-uri", "violated-directive"})
"""Said by the report itself, or by another field."""
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def fields_of(kind: str, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(attribute, text) of the plain fields of a body, without what is nested or empty."""
    found = []
    for name, value in said.items():
        if name in _DROPPED or isinstance(value, dict | list):
            continue
        if (written := text(value)) != "":
            found.append((_NAMES.get(name) or _own_name(name), written))
    if kind == "crash":
        found += [("error.type", text(said.get("reason")) or kind)]
    return found


def _own_name(name: str) -> str:
    return "report." + _HUMPS.sub("_", name[:TYPE_CHARS]).replace("-", "_").lower()
