"""The server half: `GET /v1/config`."""

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from client_sdk_spec.conformance.server import Answer, Server
from client_sdk_spec.conformance.verdicts import NotSeen, require

PATH = "/v1/config"
DEVICE = {"os": "Android", "memory_mb": "2867", "cores": "8"}
_TH = re.compile(r"0|[0-9a-f]{0,5}[1-9a-f]")
_SIGNATURE = re.compile(r"keyid=([0-9a-f]{16}); ed25519=([A-Za-z0-9+/]{86}==)")


async def ask(server: Server, query: dict[str, str] | None = None, *, keyed: bool = True, **headers: str) -> Answer:
    """One question; underscores in names of headers stand for hyphens."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return await server.send(b"", DEVICE | (query or {}), path=PATH, method="GET", keyed=keyed, headers=named)


async def shape(server: Server) -> str:
    """All fields are there, with values that mean something."""
    answer = await ask(server)
    require(answer.status == 200, f"{answer.status}")
    told = answer.json()
    kinds = {"v": int, "app": int, "ttl_s": int, "send": bool, "class": str, "sampling": dict, "slow": dict}
    for name, kind in kinds.items():
        require(type(told.get(name)) is kind, f"{name} is {told.get(name)!r}")
    require(told["v"] == 1 and told["ttl_s"] > 0, f"v {told['v']}, ttl_s {told['ttl_s']}")
    require(told["class"] in ("low", "mid", "high", "unknown"), f"class {told['class']!r}")
    sampling, slow = told["sampling"], told["slow"]
    ths = [sampling.get("th"), *sampling.get("routes", {}).values()]
    require(all(isinstance(th, str) and _TH.fullmatch(th) for th in ths), f"thresholds {ths}")
    require(len(sampling["routes"]) <= 50 and len(slow["routes_ms"]) <= 50, "more than 50 routes")
    require({*sampling["always"]} <= {"error", "slow", "reported"}, f"always {sampling['always']}")
    limits = [slow.get("default_ms"), *slow["routes_ms"].values()]
    require(all(type(ms) is int and ms > 0 for ms in limits), f"slow {limits}")
    wrong = await ask(server, {"memory_mb": "much"})
    require(wrong.status == 400, f"memory_mb=much: {wrong.status}")
    return f"ttl_s {told['ttl_s']}, th {sampling['th']}, {len(sampling['routes'])} routes"


async def etags(server: Server) -> str:
    """The ETag held, in the header or the address, gives 304 without a body; another one gives the answer."""
    first = await ask(server)
    etag = first.headers.get("ETag", "")
    require(re.fullmatch(r'(W/)?"[^"]+"', etag), f"ETag {etag!r}")
    held = [await ask(server, if_none_match=etag), await ask(server, {"etag": etag})]
    held.append(await ask(server, if_none_match=f'"other", W/{etag.removeprefix("W/")}'))
    for answer in held:
        require((answer.status, answer.body) == (304, b""), f"{answer.status}, {len(answer.body)} bytes")
        require(answer.headers.get("ETag") == etag, f"ETag {answer.headers.get('ETag')!r} of a 304")
    other = [await ask(server, if_none_match='"other"'), await ask(server, {"etag": '"other"'})]
    require(all(answer.status == 200 for answer in other), f"{[answer.status for answer in other]} to another ETag")
    return "3 × 304, 2 × 200"


async def clock(server: Server) -> str:
    """With `clock=1` both server times, never out of a cache; without it none."""
    etag = (await ask(server)).headers.get("ETag", "")
    for query in ({"clock": "1"}, {"clock": "1", "etag": etag}):
        answer = await ask(server, query)
        times = [answer.headers.get(f"Firsthop-{name}-Us", "") for name in ("Received", "Replied")]
        require(all(time.isdigit() for time in times), f"{answer.status} with times {times}")
        passed_us = int(times[1]) - int(times[0])
        require(0 <= passed_us <= answer.answered_us - answer.sent_us + 1_000, f"{passed_us} µs between both times")
        require(answer.headers.get("Cache-Control") == "no-store", "an answer with times may be kept")
    plain = await ask(server)
    require("Firsthop-Received-Us" not in plain.headers, "times without clock=1")
    require(
        "private" in plain.headers.get("Cache-Control", ""), f"Cache-Control {plain.headers.get('Cache-Control')!r}"
    )
    return "200 and 304 with times, 200 without"


async def signature(server: Server) -> str:
    """The signature has the form that clients read, and holds where the public key is known."""
    answer = await ask(server)
    found = _SIGNATURE.fullmatch(answer.headers.get("Firsthop-Signature", ""))
    require(found, f"Firsthop-Signature {answer.headers.get('Firsthop-Signature')!r}")
    if found is None or not server.config_key:
        return "its form; give --config-key to have it checked"
    public = base64.b64decode(server.config_key)
    require(hashlib.sha256(public).hexdigest()[:16] == found[1], f"keyid {found[1]} is not the key's")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(found[2]), answer.body)
    except InvalidSignature:
        require(False, "it does not hold")
    return "it holds"


async def pages(server: Server) -> str:
    """A page asks without a preflight, and may read ETag, signature and times."""
    answer = await ask(server, {"key": server.key, "clock": "1"}, keyed=False, origin="https://shop.example")
    require(answer.status == 200, f"{answer.status}")
    require(answer.headers.get("Access-Control-Allow-Origin") in ("*", "https://shop.example"), "a page cannot read it")
    exposed = {name.strip().lower() for name in answer.headers.get("Access-Control-Expose-Headers", "").split(",")}
    needed = {"etag", "firsthop-signature", "firsthop-received-us", "firsthop-replied-us"}
    require(needed <= exposed, f"exposed are {sorted(exposed)}")
    return "4 headers exposed"


async def keys(server: Server) -> str:
    """Errors are those of the edge: 401 without a key, 403 with one that opens nothing."""
    found = [(await ask(server, query, keyed=False)).status for query in ({}, {"key": "fh_nobody"})]
    require(found == [401, 403], f"{found}")
    return "401, 403"


async def kill_switch(server: Server) -> str:
    """Where the app's owner said to send nothing, `send` is false; here only noted."""
    told = (await ask(server)).json()
    if told["send"]:
        raise NotSeen("send is true")
    return "send is false"
