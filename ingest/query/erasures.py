"""POST and GET /api/v1/erasures: a user's data goes, and a receipt that names nobody says so."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ingest.errors import UnknownPath
from ingest.ports import Receipt, Subject
from ingest.query import cursor, schemas
from ingest.query.call import Call
from ingest.query.parameters import APP, BadParameter, Parameter, whole
from ingest.query.times import rfc3339_us

_LONGEST_ID = 512


def parse_id(text: str) -> str:
    """An id as a client sends it."""
    if len(text) > _LONGEST_ID:
        raise ValueError(f"must have at most {_LONGEST_ID} characters; for a longer id, name its pseudonym.")
    return text


def parse_pseudonym(text: str) -> str:
    """20 hex digits."""
    if not re.fullmatch(r"[0-9A-Fa-f]{20}", text):
        raise ValueError("must be 20 hex digits, as a trace shows them.")
    return text.lower()


_ID = {"type": "string", "maxLength": _LONGEST_ID}
IDENTIFIERS = (
    Parameter("session", "A session's id as the client sent it.", parse_id, _ID),
    Parameter("user", "A user's id as attributes carry it, e.g. user.id.", parse_id, _ID),
    Parameter("installation", "An installation's id as the client sent it.", parse_id, _ID),
    Parameter(
        "pseudonym",
        "What stands for one of these in a trace.",
        parse_pseudonym,
        {"type": "string", "pattern": "^[0-9A-Fa-f]{20}$"},
    ),
)
ERASE_PARAMETERS = (APP, *IDENTIFIERS)
_LIMIT = Parameter(
    "limit", "Most receipts.", whole(1, 1000), {"type": "integer", "minimum": 1, "maximum": 1000}, "1000"
)
LIST_PARAMETERS = (APP, _LIMIT, cursor.parameter(tuple[cursor.Micros, UUID]))
ONE_PARAMETERS = (APP,)

RECEIPT_SCHEMA = schemas.row(
    id={"type": "string", "format": "uuid"},
    app={"type": "integer"},
    identifier={"enum": [parameter.name for parameter in IDENTIFIERS]},
    requested_at=schemas.TIME,
    deleted_at={
        "type": ["string", "null"],
        "format": "date-time",
        "description": "Since then no query finds anything of theirs; null while that is under way: ask again.",
    },
    completed_at={
        "type": ["string", "null"],
        "format": "date-time",
        "description": "Since then the files hold nothing of it either; of large tables that takes up to an hour.",
    },
    late_data_refused_until={
        **schemas.TIME,
        "description": "Spans of theirs that arrive before this are counted, and not stored.",
    },
    erased={
        "type": "object",
        "additionalProperties": schemas.COUNT,
        "description": "Table to spans that went from it.",
    },
    unreadable_records={
        **schemas.COUNT,
        "description": "Records set aside that nobody can read: they may have held anybody, and were deleted.",
    },
    software=schemas.TEXT,
)
LIST_SCHEMA = schemas.row(erasures=schemas.rows(RECEIPT_SCHEMA), next=schemas.NEXT)


async def erase(call: Call) -> Mapping[str, Any]:
    """Erases whoever is named.

    Raises:
        BadParameter: nobody is named, or by more than one identifier.
    """
    given = [parameter.name for parameter in IDENTIFIERS if call.values[parameter.name]]
    if len(given) != 1:
        raise BadParameter(None, f"needs exactly one of {', '.join(parameter.name for parameter in IDENTIFIERS)}.")
    return shown(await call.sources.erasures.erase(call.app_id, Subject(given[0], call.values[given[0]])))


async def erasures(call: Call) -> Mapping[str, Any]:
    """The app's receipts, newest first."""
    limit, after = call.values["limit"], call.values["cursor"]
    before = None if after is None else (after[0], str(after[1]))
    found = await call.sources.reader.receipts(call.app_id, before=before, limit=limit + 1)
    page = found[:limit]
    more = cursor.write(page[-1].requested_at_us, page[-1].erasure_id) if len(found) > limit else None
    return {"erasures": [shown(receipt) for receipt in page], "next": more}


async def erasure(call: Call) -> Mapping[str, Any]:
    """One receipt.

    Raises:
        BadParameter: the id is no UUID.
        UnknownPath: this app has none of this id.
    """
    try:
        erasure_id = str(UUID(call.path["erasure_id"]))
    except ValueError:
        raise BadParameter("erasure_id", "must be a UUID, as a receipt has it.") from None
    receipt = await call.sources.reader.receipt(call.app_id, erasure_id)
    if receipt is None:
        raise UnknownPath("unknown_erasure", "This app has no receipt of this id.")
    return shown(receipt)


def shown(receipt: Receipt) -> Mapping[str, Any]:
    """A receipt as JSON."""
    erased = dict(receipt.counts)
    unreadable = erased.pop("unreadable")
    return {
        "id": receipt.erasure_id,
        "app": receipt.app_id,
        "identifier": receipt.identifier,
        "requested_at": rfc3339_us(receipt.requested_at_us),
        "deleted_at": None if receipt.deleted_at_us is None else rfc3339_us(receipt.deleted_at_us),
        "completed_at": None if receipt.completed_at_us is None else rfc3339_us(receipt.completed_at_us),
        "late_data_refused_until": rfc3339_us(receipt.refused_until_us),
        "erased": erased,
        "unreadable_records": unreadable,
        "software": receipt.software,
    }
