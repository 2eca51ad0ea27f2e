"""What an owner or an admin may change through the API, and GET /api/v1/audit: who did.

Keys that erase, and tokens that open every app, are made by the command line alone: whoever gets hold of an owner's
token can then neither destroy what is stored nor reach another app.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from ingest.app_file import is_origin
from ingest.errors import UnknownPath
from ingest.ports import LABEL_CHARS, MOST_ORIGINS, Changed
from ingest.query import cursor, schemas
from ingest.query.call import Call
from ingest.query.parameters import APP, BadParameter, Parameter, whole
from ingest.query.times import rfc3339_us

PARAMETERS = (APP,)

Label = Annotated[str, msgspec.Meta(max_length=LABEL_CHARS, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Origins = Annotated[list[Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(max_length=MOST_ORIGINS)]


class AppToCreate(msgspec.Struct, forbid_unknown_fields=True):
    """A new app."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    origins: Origins = []


class KeyToCreate(msgspec.Struct, forbid_unknown_fields=True):
    """A new key of an app."""

    role: Literal["client", "server", "token", "owner"]
    label: Label = ""
    origins: Origins = []


class OriginsToSet(msgspec.Struct, forbid_unknown_fields=True):
    """Which web origins may use a client key."""

    origins: Origins


NEW_APP_SCHEMA = schemas.row(
    id={"type": "integer"},
    name=schemas.TEXT,
    client_key=schemas.TEXT,
    token={**schemas.TEXT, "description": "Its owner's; shown this once."},
)
NEW_KEY_SCHEMA = schemas.row(
    id=schemas.TEXT, role=schemas.TEXT, key={**schemas.TEXT, "description": "Shown this once, unless a client's."}
)
REVOKED_SCHEMA = schemas.row(revoked=schemas.TEXT)
ORIGINS_SCHEMA = schemas.row(id=schemas.TEXT, origins=schemas.rows(schemas.TEXT))

_STATE = {"type": ["object", "null"]}
AUDIT_SCHEMA = schemas.row(
    changes=schemas.rows(
        schemas.row(
            id={"type": "integer"},
            at=schemas.TIME,
            actor={**schemas.TEXT, "description": "`key:` and its id, `user:` and a name, or `command line`."},
            role=schemas.TEXT,
            action=schemas.TEXT,
            subject=schemas.TEXT,
            before={**_STATE, "description": "Null: there was none."},
            after={**_STATE, "description": "Null: there is none any more."},
        )
    ),
    next=schemas.NEXT,
)
AUDIT_LIMIT = Parameter(
    "limit", "Most changes.", whole(1, 500), {"type": "integer", "minimum": 1, "maximum": 500}, "50"
)
AUDIT_PARAMETERS = (APP, AUDIT_LIMIT, cursor.parameter(tuple[Annotated[int, msgspec.Meta(ge=1, le=2**62)]]))


async def create_app(call: Call) -> Mapping[str, Any]:
    """A new app with a client key and an owner's token.

    Raises:
        BadParameter: its name is taken or empty, or an origin is none.
    """
    wanted: AppToCreate = call.body
    _check(wanted.origins)
    try:
        made = await call.sources.administration.create_app(
            wanted.name, origins=wanted.origins, role="owner", actor=call.actor
        )
    except ValueError as error:
        raise BadParameter("name", f"cannot be used: {error}.") from None
    return {"id": made.app_id, "name": wanted.name.strip(), "client_key": made.client_key, "token": made.token}


async def create_key(call: Call) -> Mapping[str, Any]:
    """A new key of the app.

    Raises:
        BadParameter: origins are given for a key that is no client's or are none, or the app has too many keys.
    """
    wanted: KeyToCreate = call.body
    if wanted.origins and wanted.role != "client":
        raise BadParameter("origins", "are for client keys alone: the others are not used by web pages.")
    _check(wanted.origins)
    try:
        made = await call.sources.administration.issue_key(
            call.app_id, wanted.role, label=wanted.label, origins=wanted.origins, actor=call.actor
        )
    except ValueError as error:
        raise BadParameter("role", f"cannot be used: {error}.") from None
    return {"id": made.key_id, "role": wanted.role, "key": made.key}


async def revoke_key(call: Call) -> Mapping[str, Any]:
    """Ends a key of the app for good.

    Raises:
        BadParameter: it is the one that asks: whoever does that by mistake is locked out.
        UnknownPath: the app has no such key.
    """
    key_id = call.path["key_id"]
    if call.actor.name == f"key:{key_id}":
        raise BadParameter("key_id", "is the key you ask with; revoke it with another, or by `firsthop app revoke`.")
    if "\0" in key_id or not await call.sources.administration.revoke_key(call.app_id, key_id, actor=call.actor):
        raise UnknownPath("unknown_key", "This app has no key of this id that still opens anything.")
    return {"revoked": key_id}


async def set_origins(call: Call) -> Mapping[str, Any]:
    """Sets which web origins may use a client key.

    Raises:
        BadParameter: an origin is none.
        UnknownPath: the app has no such client key.
    """
    key_id, origins = call.path["key_id"], list(dict.fromkeys(call.body.origins))
    _check(origins)
    if "\0" in key_id or not await call.sources.administration.set_origins(
        call.app_id, key_id, origins, actor=call.actor
    ):
        raise UnknownPath("unknown_key", "This app has no client key of this id.")
    return {"id": key_id, "origins": origins}


async def audit(call: Call) -> Mapping[str, Any]:
    """What was changed, newest first."""
    limit, after = call.values["limit"], call.values["cursor"]
    found = await call.sources.administration.changes(call.app_id, before_id=after and after[0], limit=limit + 1)
    more = cursor.write(found[limit - 1].audit_id) if len(found) > limit else None
    return {"changes": [_shown(changed) for changed in found[:limit]], "next": more}


def _shown(changed: Changed) -> Mapping[str, Any]:
    change = changed.change
    return {
        "id": changed.audit_id,
        "at": rfc3339_us(changed.at_us),
        "actor": change.actor.name,
        "role": change.actor.role,
        "action": change.action,
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
    }


def _check(origins: Sequence[str]) -> None:
    if not all(map(is_origin, origins)):
        raise BadParameter(
            "origins", "must be web origins as browsers write them: https://shop.example, nothing behind."
        )
