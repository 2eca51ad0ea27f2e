"""The server half: which bodies are taken, with which counts, and which are refused, for which reason."""

import asyncio
import gzip
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from client_sdk_spec.conformance.server import Answer, Server
from client_sdk_spec.conformance.verdicts import require
from client_sdk_spec.encoder import HERE, compress, encode

VECTORS = HERE / "vectors"
ENCODINGS = {".gz": "gzip", ".zst": "zstd", ".zz": "deflate"}
_NOT_BODIES = (".columns.json", ".batch.json", "reasons.json")
SECOND_US = 1_000_000
TOO_LARGE = frozenset(
    {"body_too_large", "too_many_spans", "too_many_strings", "too_many_reasons", "too_many_sketches", "too_deep"}
)
"""Reasons that are answered 413."""


def bodies(folder: str) -> list[Path]:
    """The bodies of a folder of vectors."""
    return sorted(path for path in (VECTORS / folder).iterdir() if not path.name.endswith(_NOT_BODIES))


def fresh(spans: int = 1, **changes: Any) -> dict[str, Any]:
    """A batch of new spans; `changes` go into each. Sent with `now`, they ended a second ago."""
    return {
        "id": secrets.token_hex(16),
        "resource": {"service": "conformance"},
        "clock": {"kind": "mono", "epoch": "e0", "mono_us": 99 * SECOND_US},
        "spans": [
            {
                "trace_id": secrets.token_hex(16),
                "span_id": secrets.token_hex(8),
                "name": "GET /conformance",
                "start_us": 98 * SECOND_US,
                "duration_us": 100_000,
                "method": "GET",
                "url": "https://api.shop.example/conformance",
                "http_status": 200,
            }
            | changes
            for _ in range(spans)
        ],
    }


def now(batch: Mapping[str, Any]) -> dict[str, str]:
    """A send stamp by which the batch's last span ended a second before it is received."""
    clock = batch.get("clock", {})
    ends = [span["start_us"] + span["duration_us"] for span in batch["spans"] if "start_us" in span]
    starts = [each["start_us"] + each["width_us"] for each in batch.get("sketches", ())]
    read_us = max([*ends, *starts, clock.get("mono_us", 0)]) + SECOND_US
    if clock.get("kind") == "wall":
        return {"s": str(SECOND_US), "w": str(read_us)}
    return {"s": str(read_us), "e": clock.get("epoch", "")}


async def golden(server: Server) -> str:
    """Every golden body is taken, in both encodings, and all of its spans are counted."""
    sent = 0
    for path in bodies("golden"):
        batch = json.loads((path.parent / f"{path.name.partition('.')[0]}.batch.json").read_text())
        answer = await server.send(path.read_bytes(), now(batch), headers=_encoding_of(path))
        _taken(path.name, answer, batch)
        sent += 1
    return f"{sent} bodies"


async def found_by_first_bytes(server: Server) -> str:
    """A compressed body needs no header: its first bytes tell, or `?encoding=`."""
    batch = fresh(3)
    for encoding in ("json", "msgpack"):
        for compression in ("gzip", "zstd", "deflate"):
            body = compress(encode(batch, encoding), compression)
            _taken(f"{encoding} as {compression}, not named", await server.send(body, now(batch)), batch)
            told = await server.send(body, now(batch) | {"encoding": compression})
            _taken(f"{encoding} as {compression}, ?encoding=", told, batch)
    told = await server.send(encode(batch), now(batch), headers={"Content-Type": "text/plain"})
    _taken("MessagePack as text/plain", told, batch)
    return "12 bodies, and text/plain"


async def tolerated(server: Server) -> str:
    """Bodies nobody should write are taken all the same."""
    paths = bodies("tolerated")
    for path in paths:
        answer = await server.send(path.read_bytes(), {"s": str(SECOND_US)})
        require(answer.status == 202, f"{path.name}: {answer.status} {answer.body[:80]!r}")
        counts = answer.json()
        total = counts["accepted"] + sum(counts["rejected"].values())
        require(total == 1, f"{path.name}: {total} spans answered for, of 1")
    return f"{len(paths)} bodies"


async def malformed(server: Server) -> str:
    """Every malformed body is refused, for the reason that is written, with its status."""
    reasons = json.loads((VECTORS / "malformed" / "reasons.json").read_text())
    for name, reason in reasons.items():
        path = VECTORS / "malformed" / name
        answer = await server.send(path.read_bytes(), headers=_encoding_of(path))
        found = (answer.status, answer.json().get("error"))
        require(found == (413 if reason in TOO_LARGE else 400, reason), f"{name}: {found}, expected {reason}")
    return f"{len(reasons)} bodies"


async def rejected_spans(server: Server) -> str:
    """Of an accepted batch the spans that cannot be believed are told by their reasons; they are not retried."""
    wrong = {
        "rejected:invalid_id": {"span_id": "0" * 16},
        "rejected:negative_duration": {"duration_us": -5},
        "rejected:too_long": {"duration_us": 25 * 3_600 * SECOND_US},
        "rejected:future": {"start_us": 98 * SECOND_US + 600 * SECOND_US},
        "rejected:invalid_name": {"name": ""},
    }
    batch = fresh(len(wrong) + 2)
    for span, change in zip(batch["spans"], wrong.values(), strict=False):
        span.update(change)
    answer = await server.send(encode(batch), {"s": str(100 * SECOND_US), "e": "e0"})
    require(answer.status == 202, f"{answer.status} in place of 202")
    counts = answer.json()
    expected = (2, dict.fromkeys(wrong, 1))
    require((counts["accepted"], counts["rejected"]) == expected, f"{counts} in place of {expected}")
    return f"{len(wrong)} reasons"


async def duplicates(server: Server) -> str:
    """A batch that was stored is answered like a new one: one after the other, at once, and in another encoding."""
    batch = fresh(5)
    body, again = encode(batch, "msgpack"), compress(encode(batch, "json"), "gzip")
    _taken("the first", await server.send(body, now(batch)), batch)
    _taken("a retry", await server.send(body, now(batch)), batch)
    both = await asyncio.gather(*(server.send(each, now(batch)) for each in (body, again, body, again)))
    for answer in both:
        _taken("one of four at once", answer, batch)
    return "6 answers to one batch"


async def size_limits(server: Server) -> str:
    """What is too large is refused: by its own word, as sent, and inflated, without being inflated as a whole."""
    announced = await server.send_slowly({"Content-Length": str(1 << 30)}, [], 0)
    require(announced.status == 413, f"a body that says to be 1 GiB: {announced.status}")
    bombs = {"64 MiB of zeros in gzip": (gzip.compress(bytes(64 << 20), 9), "gzip")}
    bombs["a bomb in zstd"] = (compress(bytes(64 << 20), "zstd"), "zstd")
    bombs["a bomb in deflate"] = (compress(bytes(64 << 20), "deflate"), "deflate")
    for name, (body, encoding) in bombs.items():
        answer = await server.send(body, headers={"Content-Encoding": encoding})
        require((answer.status, answer.json().get("error")) == (413, "body_too_large"), f"{name}: {answer.status}")
    most = fresh(1_000)
    _taken("1,000 spans", await server.send(compress(encode(most), "zstd"), now(most)), most)
    large = fresh(100)
    for span in large["spans"]:
        span["attributes"] = {"note": secrets.token_hex(5_000)}
    plain = encode(large)
    _taken(f"{len(plain)} bytes", await server.send(compress(plain, "zstd"), now(large)), large)
    return f"413 for 4 bodies; 1,000 spans are taken, and {len(plain)} bytes"


def _encoding_of(path: Path) -> dict[str, str]:
    named = ENCODINGS.get(path.suffix)
    return {"Content-Encoding": named} if named else {}


def _taken(name: str, answer: Answer, batch: Mapping[str, Any]) -> None:
    """All spans of the batch are answered for; those that say so may be refused for want of consent alone."""
    require(answer.status == 202, f"{name}: {answer.status} {answer.body[:80]!r}")
    counts, spans = answer.json(), len(batch["spans"])
    rejected = {} if "consent" in batch.get("resource", {}) else counts["rejected"]
    total = counts["accepted"] + sum(counts["rejected"].values())
    require(total == spans and not rejected, f"{name}: {counts} for {spans} spans")
