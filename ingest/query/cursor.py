"""Where a page of a list ended, as text that the next call gives back.

A cursor names the last row shown and the range asked about, never a number of rows to skip: so rows that come meanwhile
move nothing, and a relative range stays where it was on the first page.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from ingest.query.call import Call
from ingest.query.parameters import Moment, Parameter

LONGEST = 2000
Micros = Annotated[int, msgspec.Meta(ge=0, le=32_503_680_000_000_000)]
"""µs since 1970, up to the year 3000."""
_SCHEMA = {"type": "string", "maxLength": LONGEST}
_WRONG = "must be the `next` of the page before."


def write(*values: Any) -> str:
    """The text of a place in a list."""
    return urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def reader_of(kind: Any) -> Callable[[str], Any]:
    """A parser of cursors that hold values of a kind of tuple."""

    def parse(text: str) -> Any:
        if len(text) > LONGEST:
            raise ValueError(_WRONG)
        try:
            return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
        except (msgspec.DecodeError, binascii.Error, UnicodeError, ValueError):
            raise ValueError(_WRONG) from None

    return parse


def parameter(kind: Any) -> Parameter:
    """The parameter `cursor` of a list."""
    return Parameter("cursor", "Where the page before ended: its `next`.", reader_of(kind), _SCHEMA)


def pinned(call: Call, from_us: int, to_us: int) -> Call:
    """The same call about the range of the first page, µs since 1970."""
    return replace(call, values={**call.values, "from": Moment(False, from_us), "to": Moment(False, to_us)})
