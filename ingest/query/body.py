"""The body of a request, read within bounds and checked."""

from typing import Any

import msgspec
import orjson
from aiohttp import web
from multidict import MultiDict

from ingest.errors import Malformed, TooLarge

MOST_MEMBER_BYTES = 4096
"""Of a body whose members are parameters."""
MOST_BYTES = 65_536
"""Of any other."""


async def read_members(request: web.Request) -> MultiDict[str]:
    """The members of the JSON object in a request's body, as if they were parameters.

    Raises:
        Malformed: it is no JSON object of texts.
        TooLarge: it has more than 4096 bytes.
    """
    try:
        members = orjson.loads(await _read(request, MOST_MEMBER_BYTES))
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
        raise Malformed("bad_body", 'The body must be a JSON object of texts, such as {"session": "…"}.')
    return MultiDict(members)


async def read_body(request: web.Request, kind: type[msgspec.Struct]) -> Any:
    """What the JSON in a request's body says.

    Raises:
        Malformed: it is no such object; says which member is wrong, and what it must be.
        TooLarge: it has more than 64 KiB.
    """
    body = await _read(request, MOST_BYTES)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Malformed("bad_body", f"The body cannot be used: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("bad_body", "The body must be a JSON object; /api/v1/openapi.json describes it.") from None


async def _read(request: web.Request, most: int) -> bytes:
    body = await request.content.read(most + 1)
    while len(body) <= most and (more := await request.content.read(most + 1)):
        body += more
    if len(body) > most:
        raise TooLarge("body_size", f"The body may have {most} bytes.")
    return body
