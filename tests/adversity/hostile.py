"""What a hostile client sends to make numbers wrong: attacks as streams of requests, and what must be counted of each.

Attackers have the app's public key, like everybody. They know the id of a victim's trace and its spans. All is seeded.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import pack
from typing import Any, NamedTuple

from client_sdk_spec import encoder
from client_sdk_spec.sketches import ddsketch
from tests.decode.otlp_messages import request_of, span_of

MOST = 1000
"""Spans of a native body."""
HOUR_US = 3_600_000_000
TIMES = (0, 1, 1 << 31, (1 << 32) - 3, (1 << 32) + 1, 4_294_967_296_000_000, (1 << 53) - 1)
"""From 1970 to 2106 and beyond, and where 32 bits end."""
ALL_F = "f" * 14
SERVER_TIMING = "http.response.header.server-timing"

Span = dict[str, Any]


class Request(NamedTuple):
    """One POST; `spans` is how many an answer of 202 or 200 must account for."""

    path: str
    body: bytes
    spans: int


@dataclass(frozen=True)
class Scene:
    """What the attacker knows."""

    now_us: int
    random: random.Random
    trace_id: str
    """Of the victim."""
    span_ids: Sequence[str]
    """Of the victim's trace."""

    def hex(self, width: int) -> str:
        return self.random.randbytes(width).hex()

    def span(self, **given: Any) -> Span:
        """One that nothing is wrong with but what is given."""
        usual = {"trace_id": self.hex(16), "span_id": self.hex(8), "name": "GET /evil", "kind": 3, "method": "GET"}
        usual |= {"url": "https://evil.example/attack", "start_us": self.now_us - 5_000_000, "duration_us": 90_000}
        return usual | given

    def native(self, spans: Sequence[Span], query: str = "", encoding: str = "json", **more: Any) -> Request:
        """By a wall clock, if nothing else is given."""
        batch = {"id": self.hex(16), "resource": {"session": self.hex(8)}, "clock": {"kind": "wall"}, "spans": spans}
        body = encoder.encode(batch | more, encoding)
        return Request(f"/v1/batches{query}", body, len(spans))


def clocks(scene: Scene) -> Iterator[Request]:
    """Every reading of every clock at the ends of its range, in body and stamp."""
    chance = scene.random
    for _ in range(200):
        clock: dict[str, Any] = {"kind": chance.choice(["mono", "wall"]), "epoch": chance.choice(["b1", "b2", ""])}
        clock |= {name: chance.choice([*TIMES, scene.now_us]) for name in ("mono_us", "wall_us", "steps")}
        for name in chance.sample(["mono_us", "wall_us"], chance.randrange(3)):
            del clock[name]
        starts = [chance.choice([*TIMES, scene.now_us]) for _ in range(3)]
        stamp: dict[str, Any] = {name: chance.choice([*TIMES, scene.now_us]) for name in "swrdt"}
        stamp |= {name: chance.choice([*TIMES, scene.now_us]) * chance.choice([1, -1]) for name in "ob"}
        stamp |= {"e": chance.choice(["b1", "b2"]), "oe": chance.choice(["b1", "b2"]), "bg": chance.choice([0, 1])}
        for name in chance.sample([*"wrb", "bg", "oe"], 3):
            del stamp[name]
        query = "&".join(f"{name}={value}" for name, value in stamp.items())
        yield scene.native([scene.span(start_us=at) for at in starts], chance.choice(["", "?" + query]), clock=clock)
    for name in ("s", "w", "r", "d", "t", "o", "b"):
        for number in (1 << 53, -(1 << 53), -1, 1 << 64, "1e9", "٣"):
            parts = {"s": 5, "o": 1, "d": 1, "t": 1, name: number}
            query = "?" + "&".join(f"{key}={value}" for key, value in parts.items())
            yield scene.native([scene.span()], query, clock={"kind": "mono", "epoch": ""})


def durations(scene: Scene) -> Iterator[Request]:
    """Negative, of 71 minutes (2^32 µs), of 25 hours, and beyond all numbers."""
    lengths = [-1, -2, -3, -(1 << 52), 0, (1 << 32) - 1, 1 << 32, 24 * HOUR_US, 25 * HOUR_US, (1 << 53) - 1]
    for encoding in ("json", "msgpack"):
        yield scene.native([scene.span(duration_us=each) for each in lengths], encoding=encoding)
        phases = [
            scene.span(**{f"{name}_us": each for name in ("dns", "tcp", "tls", "ttfb", "download")}) for each in lengths
        ]
        yield scene.native(phases, encoding=encoding)


def escapes(scene: Scene) -> Iterator[Request]:
    """Numbers beyond 32 bits in every column, and escapes that lead nowhere."""
    columns = [name for name, field in encoder.FIELDS["columns"].items() if field["type"] in ("number", "phase")]
    for name in columns:
        for number in ((1 << 32) - 3, (1 << 62) - 1, -(1 << 62), (1 << 63) - 1, -(1 << 63)):
            spans = [scene.span(), scene.span(**{name: number})]
            yield scene.native(spans, encoding="msgpack")
            yield scene.native(spans)
        packed = scene.native([scene.span(**{name: 1 << 40})], encoding="msgpack")
        yield packed._replace(body=packed.body.replace(b"\xa3big", b"\xa3bug"))
    for index in (1 << 31, (1 << 53) - 1, -3):
        for column in ("name", "trace", "threshold"):
            yield _changed(scene.native([scene.span()]), cols={column: [index]})
    offsets = [{"name": "e", "offset_us": each} for each in (-(1 << 62), (1 << 62), -1, 1 << 40)]
    yield scene.native([scene.span(events=offsets)], encoding="msgpack")


def anchors(scene: Scene) -> Iterator[Request]:
    """That contradict the stamp, are another device's, of another epoch, immensely wide; bridges of both signs."""
    sent = 50_000_000
    offset = scene.now_us - sent
    wrong = [offset - HOUR_US, offset + HOUR_US, 0, -offset, offset + 9_000_000, offset - 19_000_000]
    for each in wrong:
        for query in (f"?s={sent}&e=b1&o={each}&d=1000&t={sent - 9}", f"?s={sent}&e=b2&o={each}&d=9&t=1&oe=b1"):
            yield scene.native(_mono(scene, sent), query, clock={"kind": "mono", "epoch": "b1", "mono_us": sent - 1})
    for width in (0, 20_000_000, 1 << 40, (1 << 53) - 1):
        query = f"?s={sent}&e=b1&o={offset}&d={width}&t={sent - 9}&r={width}"
        yield scene.native(_mono(scene, sent), query, clock={"kind": "mono", "epoch": "b1"})
    for bridge in (1, -1, 8 * HOUR_US, -8 * HOUR_US, (1 << 53) - 1, 1 - (1 << 53)):
        query = f"?s={sent}&e=b2&o={offset}&d=1000&t={sent - 9}&b={bridge}"
        yield scene.native(_mono(scene, sent), query, clock={"kind": "mono", "epoch": "b1"})


def _mono(scene: Scene, sent: int) -> list[Span]:
    return [scene.span(start_us=sent - 2_000_000), scene.span(start_us=sent + HOUR_US), scene.span(start_us=0)]


def thresholds(scene: Scene) -> Iterator[Request]:
    """Above R, or such that one span would weigh 2^56."""
    spans = [scene.span(threshold=ALL_F, randomness=ALL_F) for _ in range(50)]
    spans += [scene.span(threshold=ALL_F, randomness="0" * 14) for _ in range(50)]
    spans += [scene.span(threshold="8", randomness="f" * 14) for _ in range(50)]
    spans += [scene.span(threshold=text) for text in ("", "g", "-1", "f" * 15, "FF", "0x1", "٣", "f" * 8000)]
    spans += [scene.span(randomness=text) for text in ("f", "g" * 14, "f" * 15, "0" * 13, "F" * 14)]
    yield scene.native(spans)
    for unsent in ("sketched", "anything"):
        yield scene.native(spans, unsent=unsent, resource={"reported": True})


def one_randomness(scene: Scene) -> Iterator[Request]:
    """Many spans that all say to have drawn the number that is always kept."""
    for _ in range(6):
        yield scene.native([scene.span(randomness=ALL_F) for _ in range(MOST)], encoding="msgpack")


def collisions(scene: Scene) -> Iterator[Request]:
    """The victim's trace id, its span ids, and parents and children of its spans."""
    stolen = [
        scene.span(trace_id=scene.trace_id, span_id=span_id, parent_span_id=parent, status=2)
        for span_id in (*scene.span_ids, scene.hex(8))
        for parent in (*scene.span_ids, scene.hex(8))
    ]
    links = [{"trace_id": scene.trace_id, "span_id": span_id} for span_id in scene.span_ids]
    timing = f'traceparent;desc="00-{scene.trace_id}-{scene.span_ids[0]}-01", total;dur=86400000'
    yield scene.native([*stolen, scene.span(links=links, attributes={SERVER_TIMING: timing})])
    request = request_of(
        span_of(
            trace_id=bytes.fromhex(scene.trace_id),
            span_id=bytes.fromhex(scene.span_ids[0]),
            kind=2,
            start_time_unix_nano=scene.now_us * 1000,
            end_time_unix_nano=scene.now_us * 1000 + HOUR_US,
            name="I am your backend",
        )
    )
    yield Request("/v1/traces", request.SerializeToString(), 1)


def routes(scene: Scene) -> Iterator[Request]:
    """A new route, version, network and model with every span."""
    for number in range(6):
        spans = [scene.span(url=f"https://evil.example/{_word(number * MOST + row)}") for row in range(MOST)]
        resource = {name: _word(number) for name in ("version", "network", "device_model", "os_name")}
        yield scene.native(spans, encoding="msgpack", resource=resource)


def _word(number: int) -> str:
    """Letters alone: no id that a template would take out."""
    return "".join(chr(97 + int(digit)) for digit in f"{number:07d}")


def sketches(scene: Scene) -> Iterator[Request]:
    """At every bound of a sketch set, and beyond each."""
    good = {"start_us": scene.now_us - 9_000_000, "width_us": 1_000_000, "spans": 2, "name": 1}
    two = {"duration": ddsketch([1000, 2000], 0.01).hex()}

    def body(*sets: Mapping[str, Any]) -> Request:
        return _changed(scene.native([]), strings=["GET /evil"], sketches=[good | {"values": two} | s for s in sets])

    yield body(*[{}] * 500)
    yield body(*[{}] * 501)
    for name in ("start_us", "width_us", "spans", "errors"):
        for number in (-1, 0, 3, 1 << 31, 1 << 53, (1 << 62) - 1, 1 << 63, -(1 << 63), 300_000_001, 1_000_001, 0.5):
            yield body({name: number})
    for name in ("reused", "unknown"):
        yield body({name: {"dns": 3}})
        yield body({name: {"dns": -1, "nonsense": 1 << 62}})
    yield body({"spans": 1_000_000, "values": {"duration": _one_bin(1_000_000.0)}})
    for count in (1e300, -1.0, 0.5, float("nan"), float("inf"), 1_000_001.0, 0.0):
        yield body({"spans": 1, "values": {"duration": _one_bin(count)}})
    for index in (0, 2000, -2000, (1 << 31) - 1):
        yield body({"spans": 1, "values": {"duration": _one_bin(1.0, index)}})
    wide = ddsketch([round(1.021**power) for power in range(400, 1000)], 0.01).hex()
    yield body({"spans": 600, "values": {"duration": wide}})
    yield body({"start_us": scene.now_us + HOUR_US}, {"start_us": 0}, {"start_us": scene.now_us - 30 * 24 * HOUR_US})


def _one_bin(count: float, index: int = 600) -> str:
    gamma = b"\x09" + pack("<d", 1.01 / 0.99)
    zigzag, varint = index << 1 if index >= 0 else -index * 2 - 1, b""
    while zigzag > 127:
        varint, zigzag = varint + bytes([zigzag & 127 | 128]), zigzag >> 7
    entry = b"\x08" + varint + bytes([zigzag]) + b"\x11" + pack("<d", count)
    store = b"\x0a" + bytes([len(entry)]) + entry
    return (b"\x0a" + bytes([len(gamma)]) + gamma + b"\x12" + bytes([len(store)]) + store).hex()


def server_timings(scene: Scene) -> Iterator[Request]:
    """As many and as long as a body may hold, and some that say a day, nothing, or no number."""
    texts = [f"e{row};dur=1," + 'a;dur=1e9;desc="\\",' * 400 for row in range(120)]
    strings = ["GET /evil", SERVER_TIMING, *texts]
    rows = [(span, 2, 3 + row) for span in range(2) for row in range(len(texts))]
    spans = [scene.span(ttfb_us=1000, attributes={SERVER_TIMING: "total;dur=5000"}) for _ in range(2)]
    table = {name: [row[at] for row in rows] for at, name in enumerate(("span", "key", "value"))}
    plain = _changed(scene.native(spans), strings=strings, attrs=table, cols={"name": [1, 1], "url": [1, 1]})
    yield plain._replace(body=encoder.compress(plain.body, "zstd"))
    said = ["86400000", "-1", "1e400", "nan", "inf", "0", "0x10", "9" * 60, '"5"', ""]
    yield scene.native([scene.span(ttfb_us=70_000, attributes={SERVER_TIMING: f"total;dur={text}"}) for text in said])


def loops(scene: Scene) -> Iterator[Request]:
    """Traces whose spans are their own ancestors, and many spans of one id."""
    trace_id = scene.hex(16)
    a, b, c = (scene.hex(8) for _ in range(3))
    rounds = [(a, a), (b, c), (c, b)]
    yield scene.native([scene.span(trace_id=trace_id, span_id=own, parent_span_id=up) for own, up in rounds])
    ids = [scene.hex(8) for _ in range(MOST)]
    ring = zip(ids, [*ids[1:], ids[0]], strict=True)
    yield scene.native([scene.span(trace_id=scene.hex(16), span_id=own, parent_span_id=up) for own, up in ring])
    trace_id = scene.hex(16)
    ring = zip(ids, [*ids[1:], ids[0]], strict=True)
    yield scene.native([scene.span(trace_id=trace_id, span_id=own, parent_span_id=up) for own, up in ring])
    one = scene.hex(16)
    for _ in range(12):
        yield scene.native([scene.span(trace_id=one, span_id=a) for _ in range(MOST)], encoding="msgpack")


def otlp_times(scene: Scene) -> Iterator[Request]:
    """Nanoseconds at both ends of 64 bits."""
    now_ns = scene.now_us * 1000
    moments = (0, 1, now_ns, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
    pairs = [(start, end) for start in moments for end in moments]
    spans = [
        span_of(
            {"http.response.status_code": 200, SERVER_TIMING: "total;dur=1"},
            trace_id=scene.random.randbytes(16),
            span_id=scene.random.randbytes(8),
            start_time_unix_nano=start,
            end_time_unix_nano=end,
            trace_state=f"ot=th:{ALL_F};rv:{ALL_F}",
        )
        for start, end in pairs
    ]
    for span in spans:
        span.events.add(name="domainLookupStart", time_unix_nano=(1 << 64) - 1)
        span.events.add(name="domainLookupEnd", time_unix_nano=0)
    yield Request("/v1/traces", request_of(*spans).SerializeToString(), len(spans))
    many = [span_of(attributes={f"k{n}": "v" * 50 for n in range(20)}, trace_id=b"\1" * 16) for _ in range(300)]
    yield Request("/v1/traces", request_of(*many).SerializeToString(), len(many))


def dear_texts(scene: Scene) -> Iterator[Request]:
    """Texts of the greatest length that expressions could try in as many ways as they have pairs of characters."""
    pieces = (
        "a111",
        "a1",
        "1",
        "-a1b",
        "~",
        "{a",
        "?",
        "#",
        "/a1",
        "&a",
        "?a=b",
        "//",
        "http://a",
        "a@",
        "1.",
        "%",
        ";",
    )
    for piece in pieces:
        for end in ("!", "{", "."):
            texts = [f"https://h/{row:03d}{piece * (8100 // len(piece))}{end}" for row in range(60)]
            spans = [scene.span(url=text, name=text[8:]) for text in texts]
            plain = scene.native(spans, encoding="msgpack")
            yield plain._replace(body=encoder.compress(plain.body, "zstd"))


def _changed(request: Request, **fields: Any) -> Request:
    """The same JSON body with other members; columns are added to those there are."""
    body = json.loads(request.body)
    fields["cols"] = body["cols"] | fields.get("cols", {})
    return request._replace(body=json.dumps(body | fields).encode())


class Attack(NamedTuple):
    """What is sent, and rows of the ledger that must have grown by it: it is counted, not swallowed."""

    requests: Callable[[Scene], Iterator[Request]]
    counted: tuple[str, ...]


ATTACKS: Mapping[str, Attack] = {
    "clocks from 1970 to beyond 2106": Attack(
        clocks, ("rejected:future", "rejected:too_old", "noted:clock_e", "noted:clock_f", "noted:clock_conflict")
    ),
    "durations that cannot be": Attack(
        durations,
        ("rejected:negative_duration", "rejected:too_long", "rejected:invalid_time", "noted:phase_too_long"),
    ),
    "escapes at every column": Attack(escapes, ("rejected:too_long", "rejected:invalid_time", "kept")),
    "anchors that are not true": Attack(
        anchors, ("noted:clock_conflict", "noted:clock_a", "noted:clock_b", "noted:clock_d")
    ),
    "forged thresholds": Attack(
        thresholds, ("noted:threshold_forged", "noted:threshold_clamped", "noted:weighted", "kept")
    ),
    "one randomness for all": Attack(one_randomness, ("kept",)),
    "a victim's trace id": Attack(collisions, ("kept", "noted:server_time_exceeds")),
    "a route with every span": Attack(routes, ("kept",)),
    "sketches at every bound": Attack(sketches, ("noted:sketched", "noted:sketch_future", "noted:sketch_too_old")),
    "headers of a hostile server": Attack(server_timings, ("noted:server_time_exceeds", "noted:ttfb_interim")),
    "traces that bite their tail": Attack(loops, ("kept",)),
    "texts that are dear to read": Attack(dear_texts, ("kept",)),
    "nanoseconds beyond 63 bits": Attack(
        otlp_times, ("rejected:invalid_time", "rejected:negative_duration", "rejected:too_old")
    ),
}
