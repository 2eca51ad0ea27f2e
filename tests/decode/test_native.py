"""The native decoder against the golden vectors, the reference encoder, and the rules of the format one by one."""

import json
from pathlib import Path
from random import Random
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_sdk_spec.encoder import compress, encode
from client_sdk_spec.samples import batch as sample
from ingest.decode.inflate import inflate
from ingest.decode.native import decode_native
from ingest.decode.native_wire import CODES, DEFAULTS, IDS, SPANS, WHOLE, Clock, Resource
from ingest.errors import Malformed, Refusal, TooLarge
from ingest.model import REUSED, UNKNOWN, Decoded, Phase, SpanBatch
from ingest.settings import Limits
from tests.decode.vectors import CONTENT_ENCODING, VECTORS, bodies, load, told, told_of_one

LIMITS = Limits()
ENCODINGS = ("json", "msgpack")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def logical(*spans: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"trace_id": TRACE, "span_id": SPAN, "name": "GET /", "start_us": 1, "duration_us": 2}
    return {"id": "0f" * 16, "spans": [known | span for span in spans], **more}


def decode(*bodies: bytes, limits: Limits = LIMITS) -> SpanBatch:
    """All bodies, none of which may be refused."""
    decoded = decode_native(bodies, limits)
    assert not decoded.faults
    return decoded.batch


def fault(body: bytes, limits: Limits = LIMITS) -> Refusal:
    """Why the one body is refused."""
    decoded = decode_native([body], limits)
    assert_empty(decoded, 1)
    refusal = decoded.faults[0]
    assert isinstance(refusal, Refusal)
    return refusal


def assert_empty(decoded: Decoded, rows: int) -> None:
    assert len(decoded.batch.bodies) == rows
    assert not decoded.batch.bodies.batch_id.any()
    assert len(decoded.batch.resources) == len(decoded.batch.spans) == len(decoded.batch.attributes) == 0
    assert list(decoded.batch.strings) == [""]


def changed(body: bytes, **fields: Any) -> bytes:
    """A body of either encoding with fields of the map replaced."""
    if body.startswith(b"{"):
        return json.dumps(json.loads(body) | fields).encode()
    packed: bytes = msgpack.packb(msgpack.unpackb(body) | fields)
    return packed


def plain(path: Path) -> bytes:
    return inflate(path.read_bytes(), CONTENT_ENCODING.get(path.suffix), LIMITS.body_bytes)


def refused_inflating(path: Path) -> str | None:
    try:
        plain(path)
    except Refusal as refusal:
        return refusal.reason
    return None


class TestVectors:
    @pytest.mark.parametrize("path", bodies("golden"), ids=lambda path: path.name)
    def test_a_golden_body_decodes_to_its_columns(self, path: Path) -> None:
        name = path.name.partition(".")[0]
        assert told_of_one(decode(plain(path))) == load(path.with_name(f"{name}.columns.json"))

    @pytest.mark.parametrize("path", bodies("golden"), ids=lambda path: path.name)
    def test_a_golden_body_is_known_without_naming_its_encoding(self, path: Path) -> None:
        assert inflate(path.read_bytes(), None, LIMITS.body_bytes) == plain(path)

    @pytest.mark.parametrize("path", sorted(VECTORS.glob("golden/*.batch.json")), ids=lambda path: path.name)
    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_the_reference_encoder_still_writes_the_golden_bodies(self, path: Path, encoding: str) -> None:
        name = path.name.partition(".")[0]
        assert encode(load(path), encoding) == path.with_name(f"{name}.{encoding}").read_bytes()

    @pytest.mark.parametrize("path", bodies("tolerated"), ids=lambda path: path.name)
    def test_a_tolerated_body_decodes_to_its_columns(self, path: Path) -> None:
        columns = load(path.with_name(f"{path.name}.columns.json"))
        assert told_of_one(decode(path.read_bytes())) == columns

    @pytest.mark.parametrize("path", bodies("malformed"), ids=lambda path: path.name)
    def test_a_malformed_body_is_refused_for_its_reason_and_leaves_its_neighbours_alone(self, path: Path) -> None:
        reason = load(path.with_name("reasons.json"))[path.name]
        if refused_inflating(path) is not None:
            assert refused_inflating(path) == reason
            return
        body = plain(path)
        good = (VECTORS / "golden" / "n001.msgpack").read_bytes()
        decoded = decode_native([good, body, good], LIMITS)
        assert {row: refusal.reason for row, refusal in decoded.faults.items()} == {1: reason}
        assert decoded.batch.body_of_span.tolist() == [0, 2]
        assert decoded.batch.bodies.batch_id.any(axis=1).tolist() == [True, False, True]
        assert_empty(decode_native([body], LIMITS), 1)

    def test_the_table_of_fields_is_the_decoders_own(self) -> None:
        fields = load(VECTORS.parent / "fields.json")
        assert set(fields["columns"]) == {*WHOLE, *IDS}
        assert {name for name, field in fields["columns"].items() if field["type"] == "code"} == set(CODES)
        due = {name: UNKNOWN if f["default"] is None else f["default"] for name, f in fields["columns"].items()}
        assert {name: due[name] for name in WHOLE} == dict(zip(WHOLE, DEFAULTS, strict=True))
        assert tuple(fields["resource"]) == Resource.__struct_fields__


class TestBothEncodings:
    @given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(0, 8), min_size=1, max_size=5), data=st.data())
    @settings(max_examples=40)
    def test_encoding_and_grouping_make_no_difference(self, seed: int, sizes: list[int], data: st.DataObject) -> None:
        random = Random(seed)
        batches = [sample(random, size) for size in sizes]
        packed = [encode(batch, "msgpack") for batch in batches]
        mixed = [encode(batch, data.draw(st.sampled_from(ENCODINGS))) for batch in batches]
        together = told(decode(*packed))
        assert told(decode(*mixed)) == together
        assert told(decode(*(encode(batch, "json") for batch in batches))) == together
        cut = data.draw(st.integers(1, len(sizes)))
        apart = [decode(*group) for group in (mixed[:cut], mixed[cut:]) if group]
        assert told(SpanBatch.concat(apart)) == together

    numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-4, 4) | st.integers(2**32 - 9, 2**32 + 9)

    @given(columns=st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=4))
    def test_any_int64_means_the_same_in_both(self, columns: list[tuple[int, int, int, int]]) -> None:
        """Hand-made, since the reference encoder writes no start a real clock cannot have."""
        names = ("start_us", "duration_us", "ttfb_us", "response_bytes")
        batch = logical(*({} for _ in columns))
        table = {name: [row[at] for row in columns] for at, name in enumerate(names)}
        written = json.loads(encode(batch, "json"))
        written["cols"] |= table
        written["events"] = {"span": [0], "name": [0], "offset_us": [columns[0][0]]}
        packed = msgpack.unpackb(encode(batch, "msgpack"))
        packed["big"] = {}
        for name, column in (*table.items(), ("events.offset_us", written["events"]["offset_us"])):
            fits = [-2 <= value < 2**32 - 3 for value in column]
            big = [[row, value] for row, value in enumerate(column) if not fits[row]]
            if big:
                packed["big"][name] = big
            blob = b"".join(
                (value % 2**32 if fit else 2**32 - 3).to_bytes(4, "little")
                for value, fit in zip(column, fits, strict=True)
            )
            if name in table:
                packed["cols"][name] = blob
            else:
                packed["events"] = {"span": bytes(4), "name": bytes(4), "offset_us": blob}
        from_json, from_msgpack = decode(json.dumps(written).encode()), decode(msgpack.packb(packed))
        assert told(from_json) == told(from_msgpack)
        assert from_json.spans.duration_us.tolist() == table["duration_us"]

    def test_the_strings_of_all_bodies_are_interned_once(self) -> None:
        batch = decode(*(encode(logical({"url": "/a"}, {"url": "/b"}), encoding) for encoding in ENCODINGS * 3))
        assert sorted(batch.strings) == ["", "/a", "/b", "GET /"]

    def test_no_bodies_make_an_empty_batch(self) -> None:
        assert told(decode())["spans"]["trace_id"] == []


@pytest.mark.parametrize("encoding", ENCODINGS)
class TestValues:
    def test_what_is_missing_is_unknown(self, encoding: str) -> None:
        batch = decode(encode({"id": "0f" * 16, "spans": [{}]}, encoding))
        spans = batch.spans
        assert not spans.trace_id.any()
        assert not spans.span_id.any()
        assert spans.start_us.tolist() == spans.duration_us.tolist() == spans.http_status.tolist() == [UNKNOWN]
        assert (spans.phases_us == UNKNOWN).all()
        assert spans.kind.tolist() == [3]
        assert batch.resources.cores.tolist() == batch.bodies.sealed_mono_us.tolist() == [UNKNOWN]

    def test_a_span_without_a_trace_beside_one_with_has_zeros(self, encoding: str) -> None:
        body = encode({"id": "0f" * 16, "spans": [{"trace_id": TRACE}, {}]}, encoding)
        assert decode(body).spans.trace_id.any(axis=1).tolist() == [True, False]

    def test_numbers_that_mean_nothing_are_unknown(self, encoding: str) -> None:
        odd = {"http_status": 600, "request_bytes": -1, "kind": 9, "status": 3, "dns_us": -1, "tcp_us": -2}
        batch = decode(encode(logical(odd, resource={"cores": -1, "memory_mb": 0}), encoding))
        spans = batch.spans
        assert spans.http_status.tolist() == spans.request_bytes.tolist() == batch.resources.cores.tolist() == [UNKNOWN]
        assert spans.kind.tolist() == spans.status.tolist() == batch.resources.memory_mb.tolist() == [0]
        assert spans.phases_us[[Phase.DNS, Phase.TCP], 0].tolist() == [REUSED, UNKNOWN]

    def test_a_phase_that_ended_before_it_began_is_left_for_judge_phases(self, encoding: str) -> None:
        spans = decode(encode(logical({"ttfb_us": -70, "dns_us": -(2**62)}), encoding)).spans
        assert spans.phases_us[[Phase.TTFB, Phase.DNS], 0].tolist() == [-70, -(2**62)]

    def test_a_negative_duration_is_left_for_validate(self, encoding: str) -> None:
        assert decode(encode(logical({"duration_us": -70}), encoding)).spans.duration_us.tolist() == [-70]

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("8", 1 << 55),
            ("0", 0),
            ("fd70a", 0xFD70A << 36),
            ("", UNKNOWN),
            ("E6", UNKNOWN),
            ("0x1", UNKNOWN),
            ("f" * 15, UNKNOWN),
        ],
    )
    def test_a_threshold_is_padded_to_the_right(self, encoding: str, text: str, value: int) -> None:
        assert decode(encode(logical({"threshold": text}), encoding)).spans.threshold.tolist() == [value]

    @pytest.mark.parametrize(("text", "value"), [("0" * 13 + "7", 7), ("7", UNKNOWN), ("g" * 14, UNKNOWN)])
    def test_randomness_has_fourteen_digits(self, encoding: str, text: str, value: int) -> None:
        assert decode(encode(logical({"randomness": text}), encoding)).spans.randomness.tolist() == [value]

    def test_long_text_is_cut_at_a_character_and_says_so(self, encoding: str) -> None:
        batch = decode(encode(logical({"url": "é" * 50, "route": "r" * 21}), encoding), limits=Limits(string_bytes=20))
        assert batch.strings[batch.spans.url[0]] == "é" * 8 + "…"
        assert batch.strings[batch.spans.route[0]] == "r" * 17 + "…"
        assert batch.strings[batch.spans.name[0]] == "GET /"
        assert all(len(text.encode()) <= 20 for text in batch.strings)

    def test_owned_rows_beyond_their_limit_are_dropped_the_first_kept(self, encoding: str) -> None:
        rows = {
            "events": [{"name": str(at), "offset_us": at} for at in range(4)],
            "links": [{"trace_id": TRACE, "span_id": SPAN}] * 4,
        }
        span = {"attributes": {str(at): "x" for at in range(4)}, **rows}
        batch = decode(encode(logical(span, {}, span), encoding), limits=Limits(attributes=3, events=2, links=1))
        assert [batch.strings[code] for code in batch.attributes.key] == ["0", "1", "2"] * 2
        assert batch.attributes.owner.tolist() == [0, 0, 0, 2, 2, 2]
        assert batch.events.offset_us.tolist() == [0, 1, 0, 1]
        assert batch.links.owner.tolist() == [0, 2]

    def test_a_base_no_clock_can_have_is_refused(self, encoding: str) -> None:
        body = changed(encode(logical({}), encoding), clock={"base_us": 2**63 - 1})
        assert fault(body).reason == "wrong_type"

    def test_a_start_no_clock_can_have_is_unknown(self, encoding: str) -> None:
        body = encode(logical({"start_us": 2**63 - 1}, {"start_us": 5}), encoding)
        assert decode(body).spans.start_us.tolist() == [UNKNOWN, 5]
        assert decode(changed(body, clock={"base_us": 2**62})).spans.start_us.tolist() == [UNKNOWN, 2**62]

    def test_ids_are_hex_of_either_case(self, encoding: str) -> None:
        body = encode(logical({}), encoding)
        if encoding == "json":
            body = changed(body, traces=TRACE.upper(), id="AB" * 16)
        assert bytes(decode(body).spans.trace_id[0]).hex() == TRACE


class TestLimits:
    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_a_thousand_spans_pass_and_one_more_is_refused(self, encoding: str) -> None:
        body = encode(logical(*({} for _ in range(SPANS))), encoding)
        assert len(decode(body).spans) == SPANS
        assert isinstance(fault(changed(body, n=SPANS + 1)), TooLarge)
        assert fault(body, Limits(spans=SPANS - 1)).reason == "too_many_spans"

    def test_a_string_table_beyond_the_limit_is_refused(self) -> None:
        body = encode(logical({"url": "a", "route": "b"}), "json")
        assert decode(body, limits=Limits(strings=3))
        assert fault(body, Limits(strings=2)).reason == "too_many_strings"


class TestRefusals:
    @pytest.mark.parametrize("column", [True, 1.0, "1", None, [1], 2**63, -(2**63) - 1, 10**30])
    def test_only_whole_numbers_of_64_bits_stand_in_a_column(self, column: Any) -> None:
        body = changed(encode(logical({}), "json"), cols={"duration_us": [column]})
        refusal = fault(body)
        assert isinstance(refusal, Malformed)
        assert refusal.reason == "wrong_type"
        assert refusal.message.startswith("cols.duration_us[0]: expected ")

    def test_a_truncated_body_is_refused_with_its_offset(self) -> None:
        body = encode(logical({}), "json")
        assert fault(body[:40]).offset == 40
        assert fault(b'{"v":1,}').offset == 7

    def test_messages_name_the_field_and_never_what_was_sent(self) -> None:
        secret = "jane@example.com"
        for fields in (
            {"id": secret},
            {"resource": {"service": 1, secret: secret}},
            {"dropped": {secret: secret}},
            {"traces": secret},
            {"clock": {"kind": secret}},
            {"strings": [secret, 5]},
            {"cols": {"name": [secret]}},
            {"v": secret},
            {"n": secret},
        ):
            refusal = fault(changed(encode(logical({}), "json"), **fields))
            assert secret not in f"{refusal.message} {refusal.reason} {refusal}"
            assert next(iter(fields)) in refusal.message

    def test_another_version_is_named_even_when_its_fields_have_other_types(self) -> None:
        assert fault(b'{"v":2,"id":{"new":true}}').reason == "version"
        assert fault(msgpack.packb({"v": 2, "id": [1]})).reason == "version"
        assert fault(b'{"v":true}').reason == "version"

    def test_the_structs_name_no_field_the_specification_lacks(self) -> None:
        assert Clock.__struct_fields__ == ("kind", "epoch", "mono_us", "wall_us", "base_us", "steps")
        specification = (VECTORS.parent / "WIRE.md").read_text()
        assert all(f"`{name}`" in specification for name in Clock.__struct_fields__)

    @pytest.mark.parametrize("encoding", ENCODINGS)
    @pytest.mark.parametrize(("sent", "read"), [(3, 3), (-1, UNKNOWN), (1 << 31, UNKNOWN), (None, UNKNOWN)])
    def test_steps_that_cannot_be_counted_are_unknown(self, encoding: str, sent: int | None, read: int) -> None:
        body = encode(logical({}, clock={"epoch": "b1", "steps": sent}), encoding)
        assert decode(body).bodies.steps.tolist() == [read]

    def test_text_is_fit_for_any_store(self) -> None:
        body = encode(logical({"url": "a\0b"}), "json").replace(b"GET /", rb"\ude00\ud83d\\ud83d\ud83d\ude00")
        batch = decode(body, encode(logical({"url": "a\0b"}), "msgpack"))
        assert batch.strings[batch.spans.url[0]] == batch.strings[batch.spans.url[1]] == "a\ufffdb"
        assert batch.strings[batch.spans.name[0]] == "\ufffd\ufffd\\ud83d😀"
        assert b"\0" not in "".join(batch.strings).encode()


def test_the_preset_dictionary_makes_small_batches_small() -> None:
    """The size is the reason for it: five spans shrink by a third and more against gzip."""
    body = encode(sample(Random(99), 5), "msgpack")
    assert len(compress(body, "deflate")) < 0.7 * len(compress(body, "gzip"))


def test_attributes_beyond_the_limit_of_a_span_are_left_out_and_counted() -> None:
    span = {"span_id": "00f067aa0ba902b7", "name": "GET", "start_us": 1, "duration_us": 1}
    crowded = span | {"attributes": {f"key.{number}": "v" for number in range(130)}}
    body = encode({"id": "0f" * 16, "resource": {}, "clock": {"kind": "wall"}, "spans": [crowded, span]})
    decoded = decode_native([body], Limits())
    assert len(decoded.batch.attributes) == Limits().attributes
    assert decoded.trimmed == 130 - Limits().attributes
