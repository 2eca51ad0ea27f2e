"""The server half: what answers look like, keys, stamps, clocks, and pages of other origins."""

import json
import secrets
import time
from typing import Any

from client_sdk_spec.conformance.server import Answer, Server
from client_sdk_spec.conformance.server_bodies import SECOND_US, fresh, now
from client_sdk_spec.conformance.verdicts import NotSeen, require
from client_sdk_spec.encoder import encode

PAUSE_S = 0.15
PAGE = "https://shop.example"
"""A page of another origin."""
RETRIED = (408, 429, 503)
"""Statuses that come with Retry-After."""


async def accepted_shape(server: Server) -> str:
    """202 is a JSON object with counts and both server times."""
    answer = await server.send(encode(fresh(2)), now(fresh(2)))
    require(answer.status == 202, f"{answer.status} in place of 202")
    require(answer.headers.get("Content-Type", "").startswith("application/json"), "Content-Type is not JSON")
    told = answer.json()
    require(isinstance(told, dict), f"{told!r} is no object")
    kinds = {"accepted": int, "rejected": dict, "received_us": int, "replied_us": int}
    for name, kind in kinds.items():
        require(type(told.get(name)) is kind, f"{name} is {told.get(name)!r}")
    return "accepted, rejected, received_us, replied_us"


async def clock_order(server: Server) -> str:
    """Received is when the head arrived, replied when the answer left, both in µs by a clock that does not jump."""
    times = []
    for _ in range(5):
        answer = await server.send(encode(fresh()), now(fresh()))
        told = answer.json()
        passed_us = told["replied_us"] - told["received_us"]
        require(0 <= passed_us <= answer.answered_us - answer.sent_us + 1_000, f"{passed_us} µs between both times")
        times += [told["received_us"], told["replied_us"]]
    require(times == sorted(times), f"times of answers one after the other run back: {times}")
    body = encode(fresh())
    half = len(body) // 2
    late = await server.send_slowly({"Content-Length": str(len(body))}, [body[:half], body[half:]], PAUSE_S)
    require(late.status == 202, f"{late.status} to a body in two parts")
    told = late.json()
    passed_us = told["replied_us"] - told["received_us"]
    require(passed_us >= 1.5 * PAUSE_S * SECOND_US, f"received when the body was there: {passed_us} µs before")
    return "5 answers, and a body that came late"


async def error_shape(server: Server) -> str:
    """Every refusal says why, in a form a program can read, and quotes nothing of the request."""
    secret = f"x{secrets.token_hex(8)}"
    broken = json.dumps({"v": 1, "id": "00", "n": 1, "strings": [secret]}).encode()
    refusals = {
        "no batch": await server.send(broken),
        "no JSON": await server.send(b'{"' + secret.encode()),
        "encoding": await server.send(b"{}", headers={"Content-Encoding": secret}),
        "key": await server.send(b"{}", {"key": secret}, keyed=False),
        "path": await server.send(b"{}", path=f"/{secret}"),
        "method": await server.send(b"", method="PUT"),
    }
    for name, answer in refusals.items():
        told = answer.json()
        fine = isinstance(told.get("error"), str) and isinstance(told.get("message"), str) and "offset" in told
        require(fine, f"{name}: {answer.status} with {told}")
        require(secret not in answer.body.decode("utf-8", "replace"), f"{name}: the answer quotes the request")
    found = {name: answer.status for name, answer in refusals.items()}
    expected = {"no batch": 400, "no JSON": 400, "encoding": 415, "key": 403, "path": 404, "method": 405}
    require(found == expected, f"{found} in place of {expected}")
    require("POST" in refusals["method"].headers.get("Allow", ""), "405 without Allow")
    return ", ".join(str(status) for status in expected.values())


async def keys(server: Server) -> str:
    """The key is taken from a header, as a bearer, from the address or the path; without one it is 401, unknown 403."""
    batch = fresh()
    ways: dict[str, Any] = {
        "X-Api-Key": {},
        "Authorization": {"keyed": False, "headers": {"Authorization": f"Bearer {server.key}"}},
        "?key=": {"keyed": False, "query": now(batch) | {"key": server.key}},
        "path": {"keyed": False, "path": f"/v1/batches/{server.key}"},
    }
    for name, given in ways.items():
        answer = await server.send(encode(batch), given.pop("query", now(batch)), **given)
        require(answer.status == 202, f"{name}: {answer.status}")
    none = await server.send(encode(batch), now(batch), keyed=False)
    require(none.status == 401, f"no key: {none.status}")
    unknown = await server.send(encode(batch), now(batch) | {"key": "fh_nobody"}, keyed=False)
    require(unknown.status == 403, f"a key that opens nothing: {unknown.status}")
    return "4 ways; 401, 403"


async def stamps(server: Server) -> str:
    """A stamp that cannot be used is refused by its parameter's name; none at all is fine."""
    body, good = encode(fresh()), now(fresh())
    anchor = {"o": "-5", "d": "5000", "t": "90000000"}
    wrong = {
        "s": [{"w": "5"}, {"s": "-1"}, {"s": "1.5"}, {"s": str(1 << 53)}, {"s": ""}],
        "w": [good | {"w": "x"}],
        "e": [good | {"e": "x" * 129}],
        "r": [good | {"r": "-1"}],
        "bg": [good | {"bg": "2"}],
        "d": [good | {"o": "1", "t": "1"}],
        "t": [good | {"o": "1", "d": "1"}],
        "o": [good | {"d": "1", "t": "1"}, good | anchor | {"o": "9" * 17}],
        "oe": [good | anchor | {"oe": "x" * 129}],
        "b": [good | {"b": "half"}],
    }
    for name, stamps in wrong.items():
        for stamp in stamps:
            answer = await server.send(body, stamp)
            found = answer.status, answer.json().get("error")
            require(found == (400, name), f"{stamp}: {found}, expected 400 {name}")
    for stamp in ({}, good, good | anchor, good | {"w": "5", "r": "80000", "bg": "1", "b": "-5"}):
        answer = await server.send(body, stamp)
        require(answer.status == 202, f"{stamp}: {answer.status} in place of 202")
    return f"{sum(map(len, wrong.values()))} refused by name, 4 taken"


async def slow_body(server: Server) -> str:
    """A body that does not come is answered 408, and may be sent again."""
    answer = await server.send_slowly({"Content-Length": "100"}, [b"{"], 0)
    require(answer.status == 408, f"{answer.status} in place of 408")
    _may_come_again(answer)
    return f"408 after {(answer.answered_us - answer.sent_us) / SECOND_US:.1f} s"


async def retry_after(server: Server) -> str:
    """Whoever is told to come back is told when: whole seconds, at most an hour."""
    told = [answer for answer in server.answers if answer.status in RETRIED]
    if not told:
        raise NotSeen("no answer of 408, 429 or 503 so far")
    for answer in told:
        _may_come_again(answer)
    return f"{len(told)} answers"


def _may_come_again(answer: Answer) -> None:
    after = answer.headers.get("Retry-After", "")
    require(after.isdigit() and int(after) <= 3_600, f"{answer.status} with Retry-After {after!r}")


async def simple_requests(server: Server) -> str:
    """A page needs no preflight: key and encoding in the address, no header of its own; and it can read the answer."""
    headers = {"Origin": PAGE, "Content-Type": "text/plain"}
    batch, key = fresh(), {"key": server.key}
    taken = await server.send(encode(batch, "json"), now(batch) | key, keyed=False, headers=headers)
    refused = await server.send(b"{", key, keyed=False, headers=headers)
    require((taken.status, refused.status) == (202, 400), f"{taken.status} and {refused.status}: 202 and 400 expected")
    for answer in (taken, refused):
        require(answer.headers.get("Access-Control-Allow-Origin") in ("*", PAGE), "a page cannot read it")
        exposed = answer.headers.get("Access-Control-Expose-Headers", "").lower()
        require("retry-after" in exposed, f"a page cannot read Retry-After: exposed is {exposed!r}")
        require("Access-Control-Allow-Credentials" not in answer.headers, "credentials are asked for")
    require(taken.headers.get("Timing-Allow-Origin") == "*", "a page cannot time it, and anchor its clock by it")
    return "202 and 400, both readable"


async def preflights(server: Server) -> str:
    """A preflight is answered for every origin and the headers that clients send."""
    wanted = ("content-type", "content-encoding", "x-api-key", "authorization", "traceparent")
    answer = await server.send(
        b"",
        method="OPTIONS",
        keyed=False,
        headers={
            "Origin": PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": ", ".join(wanted),
        },
    )
    require(answer.status in (200, 204), f"{answer.status}")
    allowed = answer.headers.get("Access-Control-Allow-Headers", "").lower().replace(" ", "").split(",")
    require(set(wanted) <= {*allowed}, f"allowed are {allowed}")
    require("POST" in answer.headers.get("Access-Control-Allow-Methods", ""), "POST is not allowed")
    require(answer.headers.get("Access-Control-Allow-Origin") in ("*", PAGE), "no origin is allowed")
    require(int(answer.headers.get("Access-Control-Max-Age", "0")) >= 600, "it is asked for again within ten minutes")
    return "one, for an hour" if answer.headers["Access-Control-Max-Age"] == "3600" else "one"


async def server_time(server: Server) -> str:
    """Server times are µs since 1970, within a day of this machine's clock."""
    told = (await server.send(encode(fresh()), now(fresh()))).json()
    off_s = abs(told["received_us"] - time.time_ns() // 1_000) / SECOND_US
    require(off_s < 86_400, f"{off_s:.0f} s from this machine's clock")
    return f"{off_s:.3f} s from this machine's clock"
