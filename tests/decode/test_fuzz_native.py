"""Whatever bytes arrive, the native decoder answers with columns and refusals, and with bounded memory."""

import json
import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.decode.inflate import inflate
from ingest.decode.native import decode_native
from ingest.errors import Refusal
from ingest.model import Decoded
from ingest.settings import Limits
from tests.decode.vectors import CONTENT_ENCODING, VECTORS, bodies, told

LIMITS = Limits()
GOLDEN = [path.read_bytes() for path in bodies("golden") if path.suffix in {".json", ".msgpack"}]
SMALL = [body for body in GOLDEN if len(body) < 2_000]
NEIGHBOUR = (VECTORS / "golden" / "n001.msgpack").read_bytes()
NEIGHBOUR_ALONE = told(decode_native([NEIGHBOUR], LIMITS).batch)
MANY = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def assert_sound(decoded: Decoded, given_bodies: int) -> None:
    """Every index points to something, every text can be stored, every fault is a refusal."""
    batch, m = decoded.batch, given_bodies
    assert all(isinstance(refusal, Refusal) for refusal in decoded.faults.values())
    assert len(batch.bodies) == m
    assert set(decoded.faults).isdisjoint(batch.resources.body.tolist())
    assert set(decoded.faults) | set(batch.resources.body.tolist()) == set(range(m))
    assert not batch.bodies.batch_id[sorted(decoded.faults)].any()
    told(batch)
    assert "\0" not in "".join(batch.strings)
    assert all(len(text.encode()) <= LIMITS.string_bytes for text in batch.strings)
    n = len(batch.spans)
    for table in (batch.attributes, batch.events, batch.links):
        assert ((table.owner >= 0) & (table.owner < n)).all()
    sketches, bins = batch.sketches, batch.sketch_bins
    assert ((sketches.resource >= 0) & (sketches.resource < len(batch.resources))).all()
    assert ((bins.owner >= 0) & (bins.owner < len(sketches))).all()
    durations = bins.take(bins.metric == 0)
    counted = np.bincount(durations.owner, weights=durations.count, minlength=len(sketches))
    assert counted.tolist() == sketches.spans.tolist()
    assert (sketches.spans <= 1_000_000).all()
    assert (batch.spans.phases_us >= -2).all()
    assert (batch.spans.kind <= 5).all()
    assert batch.spans.phases_us.shape == (8, n)
    assert batch.spans.resource.dtype == batch.spans.name.dtype == np.int32
    assert batch.spans.start_us.dtype == batch.events.offset_us.dtype == np.int64
    batch.select(np.zeros(n, np.bool_))


def assert_harmless(body: bytes) -> None:
    """Alone and between neighbours: the neighbours do not notice."""
    assert_sound(decode_native([body], LIMITS), 1)
    between = decode_native([NEIGHBOUR, body, NEIGHBOUR], LIMITS)
    assert_sound(between, 3)
    assert set(between.faults) <= {1}
    before = between.batch.select(between.batch.body_of_span == 0)
    assert told(before)["spans"] == NEIGHBOUR_ALONE["spans"]
    assert told(before)["attributes"] == NEIGHBOUR_ALONE["attributes"]


@given(body=st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b'{"v":1,' + tail))
@MANY
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    assert_harmless(body)


@given(body=st.sampled_from(GOLDEN), data=st.data())
@MANY
def test_a_golden_body_with_damaged_bytes_is_read_or_refused(body: bytes, data: st.DataObject) -> None:
    damaged = bytearray(body)
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=6)):
        damaged[at] = data.draw(st.integers(0, 255))
    assert_harmless(bytes(damaged))


@given(body=st.sampled_from(GOLDEN), data=st.data())
@MANY
def test_a_golden_body_with_bytes_cut_out_or_put_in_is_read_or_refused(body: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    assert_harmless(body[:start] + data.draw(st.binary(max_size=8)) + body[end:])


@pytest.mark.parametrize("body", SMALL, ids=len)
def test_a_golden_body_cut_off_anywhere_is_refused(body: bytes) -> None:
    pieces = [body[:kept] for kept in range(len(body))]
    decoded = decode_native(pieces, LIMITS)
    assert_sound(decoded, len(pieces))
    assert len(decoded.faults) == len(pieces)


@pytest.mark.parametrize("path", bodies("golden"), ids=lambda path: path.name)
def test_a_compressed_golden_body_with_any_byte_changed_is_read_or_refused(path: Any) -> None:
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 60)):
        damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            body = inflate(damaged, CONTENT_ENCODING.get(path.suffix), LIMITS.body_bytes)
        except Refusal:
            continue
        assert_sound(decode_native([body], LIMITS), 1)


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["mono", "0f" * 16, "00" * 8])
)
top = ["v", "id", "n", "strings", "resource", "clock", "traces", "cols", "attrs", "events", "links", "dropped", "big"]
top += ["sketches", "unsent"]
inner = ["span", "key", "value", "name", "offset_us", "trace_id", "span_id", "trace", "start_us", "kind", "epoch", "x"]
inner += ["width_us", "spans", "errors", "reused", "unknown", "values", "duration", "dns", "reported"]
fields = st.sampled_from(top + inner)
trees = st.recursive(leaves, lambda t: st.lists(t, max_size=4) | st.dictionaries(fields, t, max_size=5), max_leaves=25)
maps = st.dictionaries(fields, trees, max_size=8).map(lambda body: {"v": 1, "n": 1, "id": "0f" * 16} | body)


SKETCHED = json.loads((VECTORS / "golden" / "sketched.json").read_bytes())


@given(
    number=st.integers(0, 3),
    changes=st.dictionaries(
        st.sampled_from(["name", "url", "start_us", "width_us", "spans", "errors", "reused", "unknown", "values"]),
        trees | st.integers(-1, 70) | st.dictionaries(st.sampled_from(["dns", "duration", "x"]), trees),
        max_size=3,
    ),
)
@MANY
def test_a_sketch_set_with_anything_in_its_fields_is_read_or_refused(number: int, changes: dict[str, Any]) -> None:
    sets = [each | (changes if place == number else {}) for place, each in enumerate(SKETCHED["sketches"])]
    assert_harmless(json.dumps(SKETCHED | {"sketches": sets}).encode())


@given(tree=maps)
@example(tree={"v": 1, "id": "0f" * 16, "n": 0, "strings": ["\ud800"]})
@MANY
def test_any_json_of_any_shape_is_read_or_refused(tree: dict[str, Any]) -> None:
    assert_harmless(json.dumps(tree).encode())
    assert_harmless(json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@given(tree=maps, raw=st.dictionaries(fields, st.binary(max_size=24), max_size=6))
@MANY
def test_any_messagepack_of_any_shape_is_read_or_refused(tree: dict[str, Any], raw: dict[str, bytes]) -> None:
    body = tree | {"id": bytes(15) + b"x", "cols": raw, "attrs": raw, "events": raw, "links": raw}
    assert_harmless(msgpack.packb(body, unicode_errors="surrogatepass"))


def hostile() -> dict[str, bytes]:
    """Bodies of the greatest size allowed, each the worst of its kind."""
    size = LIMITS.body_bytes
    head = b'{"v":1,"id":"' + b"0f" * 16 + b'","n":1000,'
    packed = b"\x85\xa1v\x01\xa1n\xcd\x03\xe8\xa2id\xc4\x10" + b"\x0f" * 16
    rows = size // 13 // 4 * 4
    owned = b"\xa5attrs\x83" + b"".join(
        name + b"\xc6" + (rows * 4).to_bytes(4, "big") + bytes(rows * 4)
        for name in (b"\xa4span", b"\xa3key", b"\xa5value")
    )
    return {
        "empty strings": head + b'"strings":[' + b'"",' * ((size - 200) // 3) + b'""]}',
        "distinct strings": head + b'"strings":[' + b",".join(b'"%x"' % at for at in range(19_999)) + b"]}",
        "numbers": head + b'"cols":{"name":[' + b"1," * ((size - 200) // 2) + b"1]}}",
        "long numbers": head + b'"cols":{"name":[' + b",".join([b"9" * 18] * (size // 20)) + b"]}}",
        "huge numbers": head + b'"cols":{"name":[' + b",".join([b"9" * 4_000] * (size // 4_010)) + b"]}}",
        "attributes": head
        + b'"attrs":{'
        + b",".join(b'"%s":[%s0]' % (k, b"0," * (size // 7)) for k in (b"span", b"key", b"value"))
        + b"}}",
        "blobs of attributes": packed + owned + b"\xa1x\xc0",
        "reasons": head + b'"dropped":{' + b",".join(b'"%x":0' % at for at in range(size // 10)) + b"}}",
        "big": packed
        + b"\xa3big\x81\xa1x\xdd"
        + (size // 4).to_bytes(4, "big")
        + b"\x92\0\1" * (size // 4)
        + b"\xa1x\xc0",
        "unknown keys": head + b'"a":0,' * (size // 6 - 20) + b'"z":0}',
        "unknown columns": head + b'"cols":{' + b'"a":0,' * (size // 6 - 20) + b'"z":0}}',
        "nesting": head + b'"x":' + b"[" * (size - 200),
        "objects": head + b'"x":[' + b"{}," * (size // 3 - 40) + b"{}]}",
        "backslashes": head + b'"strings":["' + rb"\\" * (size // 2 - 80) + rb"\ud800" + b'"]}',
        "surrogates": head + b'"strings":["' + rb"\ud800" * (size // 6 - 20) + b'"]}',
        "pairs and lone": head + b'"strings":["' + rb"\ud83d\ude00\ud83d" * (size // 18 - 20) + b'"]}',
        "not utf-8": head + b'"strings":["' + b"\xff" * (size // 1 - 200) + b'"]}',
        "packed not utf-8": packed
        + b"\xa7strings\xdc\x4e\x00"
        + b"\xd9\x64"
        + b"\xff" * 100
        + (b"\xd9\x64" + b"a" * 100) * 19_967
        + b"\xa1x\xc0",
        "declared arrays": packed + b"\xa7strings\x91\xa1\xff\xa1x" + b"\xdd\x00\x1f\xff\xff" * 400_000,
        "long string": head + b'"strings":["' + "é".encode() * (size // 2 - 100) + b'"]}',
        "space": b" " * size,
    }


@pytest.mark.parametrize("name", hostile())
def test_the_largest_hostile_bodies_are_sound_and_bounded_in_memory(name: str) -> None:
    body = hostile()[name]
    assert len(body) <= LIMITS.body_bytes + 4096
    tracemalloc.start()
    try:
        decoded = decode_native([body], LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_sound(decoded, 1)
    assert peak < 64 << 20
