"""The server half: all its checks, and running them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import aiohttp

from client_sdk_spec.conformance import server_answers, server_bodies, server_config, server_ledger
from client_sdk_spec.conformance.server import ANSWER_S, Server
from client_sdk_spec.conformance.verdicts import Broken, NotSeen, Verdict


class Check(NamedTuple):
    """One check: its name, the sentences that it is about, and what it does."""

    name: str
    sentences: tuple[str, ...]
    run: Callable[[Server], Awaitable[str]]
    """Says what was seen; raises Broken or NotSeen."""


CHECKS = (
    Check("golden", ("W-1", "W-2", "W-8", "R-1"), server_bodies.golden),
    Check("found_by_first_bytes", ("W-8", "R-2"), server_bodies.found_by_first_bytes),
    Check("tolerated", ("W-6", "X-2", "R-3"), server_bodies.tolerated),
    Check("malformed", ("W-3", "W-7", "X-1", "R-4"), server_bodies.malformed),
    Check("rejected_spans", ("R-5",), server_bodies.rejected_spans),
    Check("duplicates", ("R-6",), server_bodies.duplicates),
    Check("size_limits", ("R-7",), server_bodies.size_limits),
    Check("accepted_shape", ("R-8",), server_answers.accepted_shape),
    Check("clock_order", ("R-9",), server_answers.clock_order),
    Check("server_time", ("R-9",), server_answers.server_time),
    Check("error_shape", ("R-10",), server_answers.error_shape),
    Check("keys", ("R-11",), server_answers.keys),
    Check("stamps", ("R-12",), server_answers.stamps),
    Check("simple_requests", ("R-13",), server_answers.simple_requests),
    Check("preflights", ("R-14",), server_answers.preflights),
    Check("config_shape", ("R-15",), server_config.shape),
    Check("config_etags", ("R-16",), server_config.etags),
    Check("config_clock", ("R-17",), server_config.clock),
    Check("config_signature", ("R-18",), server_config.signature),
    Check("config_pages", ("R-13",), server_config.pages),
    Check("config_keys", ("R-11",), server_config.keys),
    Check("slow_body", ("R-19",), server_answers.slow_body),
    Check("retry_after", ("R-19",), server_answers.retry_after),
    Check("counted_once", ("R-20",), server_ledger.counted_once),
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
    try:
        return Verdict(check.name, check.sentences, "holds", await check.run(server))
    except Broken as found:
        return Verdict(check.name, check.sentences, "broken", str(found))
    except NotSeen as found:
        return Verdict(check.name, check.sentences, "not seen", str(found))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # What a server answers may have any shape; a check reads on as if it were right.
        return Verdict(check.name, check.sentences, "broken", f"an answer of another shape: {error!r}")
