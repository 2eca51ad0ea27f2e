"""The server half: all its checks, and running them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import aiohttp

from client_sdk_spec.conformance import server_answers, server_bodies, server_config, server_ledger
from client_sdk_spec.conformance.server import ANSWER_S, Server
from client_sdk_spec.conformance.spec import sentences_of
from client_sdk_spec.conformance.verdicts import Broken, NotSeen, Verdict


class Check(NamedTuple):
    """One check; `SPEC.md` names it as `server:<name>`."""

    name: str
    run: Callable[[Server], Awaitable[str]]
    """Says what was seen; raises Broken or NotSeen."""


CHECKS = (
    Check("golden", server_bodies.golden),
    Check("found_by_first_bytes", server_bodies.found_by_first_bytes),
    Check("tolerated", server_bodies.tolerated),
    Check("malformed", server_bodies.malformed),
    Check("rejected_spans", server_bodies.rejected_spans),
    Check("duplicates", server_bodies.duplicates),
    Check("size_limits", server_bodies.size_limits),
    Check("accepted_shape", server_answers.accepted_shape),
    Check("clock_order", server_answers.clock_order),
    Check("server_time", server_answers.server_time),
    Check("error_shape", server_answers.error_shape),
    Check("keys", server_answers.keys),
    Check("stamps", server_answers.stamps),
    Check("simple_requests", server_answers.simple_requests),
    Check("preflights", server_answers.preflights),
    Check("config_shape", server_config.shape),
    Check("config_etags", server_config.etags),
    Check("config_clock", server_config.clock),
    Check("config_signature", server_config.signature),
    Check("config_pages", server_config.pages),
    Check("config_keys", server_config.keys),
    Check("slow_body", server_answers.slow_body),
    Check("retry_after", server_answers.retry_after),
    Check("counted_once", server_ledger.counted_once),
)
"""In the order in which they are made; the last ones look at what the others saw."""


async def check_server(
    url: str,
    key: str,
    *,
    config_key: str = "",
    query: str = "",
    token: str = "",
    only: tuple[Check, ...] = CHECKS,
) -> list[Verdict]:
    """Makes the checks against a server, one after the other, but for those that wait.

    Args:
        url: of the edge.
        key: a client key of an app made for this: the checks send spans, some for the ledger.
        config_key: public key of the configuration's signature, base64.
        query: address of the query API, and a `token` that reads the app: with both, the ledger is asked.
    """
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        server = Server(url, key, session, config_key=config_key, query=query, token=token)
        waiting = {check: asyncio.create_task(_judge(check, server)) for check in only if check.name in _WAITING}
        return [await waiting[check] if check in waiting else await _judge(check, server) for check in only]


_WAITING = frozenset({"slow_body"})
"""Checks that take long and only wait: they go on beside the others."""


async def _judge(check: Check, server: Server) -> Verdict:
    of = sentences_of(f"server:{check.name}")
    try:
        return Verdict(check.name, of, "holds", await check.run(server))
    except Broken as found:
        return Verdict(check.name, of, "broken", str(found))
    except NotSeen as found:
        return Verdict(check.name, of, "not seen", str(found))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # What a server answers may have any shape; a check reads on as if it were right.
        return Verdict(check.name, of, "broken", f"an answer of another shape: {error!r}")
