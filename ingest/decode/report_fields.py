"""What browsers say in the bodies of their reports, as attributes.

Fields with a meaning that this service knows get a name by which the scrubber knows it, too: an address as a URL. All
others keep theirs, with `report.` before it.
"""

from collections.abc import Mapping
from typing import Any, Final

from ingest.decode.signal_rows import text

LONGEST_WORD: Final = 64
"""Characters of the type of a report, of what failed, and of the name of a field."""
OTHER: Final = "other"
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


def fields_of(kind: str, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(attribute, text) of the plain fields of a body, without what is nested, empty or named at length."""
    found = []
    for name, value in said.items():
        if name in _DROPPED or len(name) > LONGEST_WORD or isinstance(value, dict | list):
            continue
        if (written := text(value)) != "":
            found.append((_NAMES.get(name) or f"report.{name}", written))
    if kind == "crash":
        found += [("error.type", text(said.get("reason")) or kind)]
    return found


def word(value: Any) -> str:
    """A kind of report or failure as it is; a text too long to be one is `other`.

    Nothing is cut: half of a secret is no longer found as one.
    """
    written = text(value)
    return written if len(written) <= LONGEST_WORD else OTHER
