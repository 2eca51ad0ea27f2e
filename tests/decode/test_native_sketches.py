"""Sketches of clients: whose bytes are read, bin for bin, how far off another mapping is, and what is refused."""

import json
import math
import struct
import tracemalloc
from random import Random
from typing import Any

import msgpack
import numpy as np
import pytest
from ddsketch import DDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.pb.proto import DDSketchProto
from hypothesis import given, settings
from hypothesis import strategies as st

from client_sdk_spec.encoder import encode
from client_sdk_spec.sketch_vectors import sketched_case
from client_sdk_spec.sketches import ddsketch
from ingest import sketch
from ingest.decode.ddsketch_wire import BINS, Bins, read_ddsketches
from ingest.decode.native import decode_native
from ingest.errors import Malformed, Refusal, TooLarge
from ingest.model import METRICS, SpanBatch
from ingest.settings import Limits
from tests.decode.vectors import told

LIMITS = Limits()
DAY_US = LIMITS.duration_us
QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0)
ENCODINGS = ("json", "msgpack")


def decode(*bodies: bytes) -> SpanBatch:
    decoded = decode_native(bodies, LIMITS)
    assert not decoded.faults
    return decoded.batch


def refusal(body: bytes) -> Refusal:
    (fault,) = decode_native([body], LIMITS).faults.values()
    assert isinstance(fault, Refusal)
    return fault


def changed(body: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(body) | fields).encode()


def as_counts(bins: Bins) -> dict[int, int]:
    found: dict[int, int] = {}
    for bucket, count in zip(bins.bucket.tolist(), bins.count.tolist(), strict=True):
        found[bucket] = found.get(bucket, 0) + count
    return found


def counts_of(values: np.ndarray) -> dict[int, int]:
    buckets, counts = np.unique(sketch.bucket(values), return_counts=True)
    return dict(zip(buckets.tolist(), counts.tolist(), strict=True))


def as_array(bins: Bins) -> Any:
    counts = as_counts(bins)
    return np.array([(bucket, counts[bucket]) for bucket in sorted(counts)], sketch.Bins)


def durations(seed: int, count: int = 3000) -> np.ndarray:
    values = np.random.default_rng(seed).lognormal(11, 2, count).astype(np.int64)
    values[:3] = 0, 1, DAY_US
    return values


def theirs(values: np.ndarray, mapping: Any = None) -> bytes:
    """As the `ddsketch` package writes them."""
    made = DDSketch(relative_accuracy=sketch.ALPHA)
    if mapping is not None:
        made._mapping = mapping
    for value in values.tolist():
        made.add(value)
    written: bytes = DDSketchProto.to_proto(made).SerializeToString()
    return written


class TestTheSameMapping:
    def test_a_sketch_of_the_ddsketch_package_is_read_bin_for_bin(self) -> None:
        values = durations(1)
        assert as_counts(read_ddsketches([theirs(values)], DAY_US)) == counts_of(values)

    def test_one_of_the_reference_encoder_too(self) -> None:
        values = durations(2)
        assert as_counts(read_ddsketches([ddsketch(values.tolist(), 0.01)], DAY_US)) == counts_of(values)

    @pytest.mark.parametrize("offset", [7, -3])
    def test_a_whole_offset_shifts_and_loses_nothing(self, offset: int) -> None:
        values = durations(3)
        written = theirs(values, LogarithmicMapping(sketch.ALPHA, offset=offset))
        assert as_counts(read_ddsketches([written], DAY_US)) == counts_of(values)

    def test_buckets_that_begin_at_their_index_are_sent_with_an_offset_of_minus_one(self) -> None:
        """As in sketches-go and -java, ⌊log x⌋: WIRE.md says how they are sent."""
        values = durations(4)
        gamma = sketch.GAMMA
        floors = [math.floor(math.log(value) / math.log(gamma)) for value in values[2:].tolist()]
        store = b"".join(
            b"\x0a" + bytes([len(entry)]) + entry
            for index in floors
            for entry in [b"\x08" + _zigzag(index) + b"\x11" + struct.pack("<d", floors.count(index))]
        )
        mapping = b"\x09" + struct.pack("<d", gamma) + b"\x11" + struct.pack("<d", -1.0)
        message = b"\x0a" + bytes([len(mapping)]) + mapping + b"\x12" + _varint(len(store)) + store
        assert as_counts(read_ddsketches([message], DAY_US)) == counts_of(values[2:])

    def test_sparse_and_contiguous_bins_add_up(self) -> None:
        values = np.array([500, 500, 500], np.int64)
        (bucket,) = counts_of(values)
        entry = b"\x08" + _zigzag(bucket) + b"\x11" + struct.pack("<d", 2)
        store = b"\x0a" + bytes([len(entry)]) + entry + b"\x12\x08" + struct.pack("<d", 1) + b"\x18" + _zigzag(bucket)
        mapping = b"\x09" + struct.pack("<d", sketch.GAMMA)
        message = b"\x0a" + bytes([len(mapping)]) + mapping + b"\x12" + bytes([len(store)]) + store
        assert as_counts(read_ddsketches([message], DAY_US)) == {bucket: 3}


@pytest.mark.parametrize("accuracy", [0.001, 0.005, 0.02, 0.05])
@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_quantiles_of_another_mapping_are_within_both_errors(accuracy: float, offset: float) -> None:
    # A dense store of the finest mapping would not fit into the bins allowed over the whole range.
    values = np.sort(np.clip(durations(5), 1000, 3_000_000))
    mapping = LogarithmicMapping(accuracy, offset=offset)
    # The package rounds before it adds a fractional offset, and its own values are then off.
    mapping.key = lambda value: math.ceil(mapping._log_gamma(value) + offset)
    bins = read_ddsketches([theirs(values, mapping)], DAY_US)
    found = sketch.quantiles(as_array(bins), QUANTILES)
    exact = [float(values[math.floor(q * (len(values) - 1))]) for q in QUANTILES]
    assert found == pytest.approx(exact, rel=(1 + accuracy) * (1 + sketch.ALPHA) - 1 + 1e-9)
    assert sum(as_counts(bins).values()) == len(values)


def test_what_stands_for_less_than_half_a_microsecond_is_zero_and_what_for_less_than_one_is_one() -> None:
    made = DDSketch(relative_accuracy=sketch.ALPHA)
    for value in (0.004, 0.4, 0.6, 0.9, 1.0):
        made.add(value)
    bins = read_ddsketches([DDSketchProto.to_proto(made).SerializeToString()], DAY_US)
    assert as_counts(bins) == {sketch.ZERO: 2, 0: 3}


@given(values=st.lists(st.integers(0, DAY_US), min_size=1, max_size=40), accuracy=st.floats(0.001, 0.05))
def test_no_value_is_lost_and_none_moves_beyond_the_bound(values: list[int], accuracy: float) -> None:
    bins = read_ddsketches([ddsketch(values, accuracy)], DAY_US)
    found = np.repeat(sketch.value(bins.bucket), bins.count)
    assert np.sort(found).tolist() == pytest.approx(sorted(values), rel=(1 + accuracy) * (1 + sketch.ALPHA) - 1 + 1e-6)


class TestHostile:
    @given(st.binary(max_size=80))
    @settings(max_examples=300)
    def test_arbitrary_bytes_are_read_or_refused(self, blob: bytes) -> None:
        _assert_sound(blob)

    @given(st.data())
    @settings(max_examples=400)
    def test_a_sketch_with_damaged_bytes_is_read_or_refused(self, data: st.DataObject) -> None:
        good = data.draw(st.sampled_from([ddsketch([1, 50, 50, 10**9, 0], 0.01), theirs(durations(6)[:9])]))
        damaged = bytearray(good)
        for at in data.draw(st.lists(st.integers(0, len(good) - 1), min_size=1, max_size=5)):
            damaged[at] = data.draw(st.integers(0, 255))
        _assert_sound(bytes(damaged))

    @given(
        gamma=st.floats() | st.floats(1.002, 1.1053),
        offset=st.floats() | st.floats(-(2.0**31), 2.0**31),
        index=st.integers(-(2**31), 2**31 - 1),
        count=st.floats() | st.integers(0, 1_000_000).map(float),
        zeros=st.floats() | st.just(0.0),
    )
    @settings(max_examples=300)
    def test_any_numbers_are_read_or_refused(
        self, gamma: float, offset: float, index: int, count: float, zeros: float
    ) -> None:
        mapping = b"\x09" + struct.pack("<d", gamma) + b"\x11" + struct.pack("<d", offset)
        store = b"\x12\x08" + struct.pack("<d", count) + b"\x18" + _zigzag(index)
        message = b"\x0a" + bytes([len(mapping)]) + mapping + b"\x12" + bytes([len(store)]) + store
        _assert_sound(message + b"\x21" + struct.pack("<d", zeros))

    def test_more_bins_than_allowed_are_refused_even_when_they_are_empty(self) -> None:
        mapping = b"\x09" + struct.pack("<d", sketch.GAMMA)
        for bins, refused in ((BINS, False), (BINS + 1, True)):
            store = b"\x12" + _varint(8 * bins) + bytes(8 * bins)
            message = b"\x0a\x09" + mapping + b"\x12" + _varint(len(store)) + store
            if refused:
                with pytest.raises(Malformed, match="more than 4096 bins"):
                    read_ddsketches([message], DAY_US)
            else:
                assert len(read_ddsketches([message], DAY_US).of) == 0

    def test_every_refusal_says_what_is_wrong_and_nothing_of_the_client(self) -> None:
        body = encode(sketched_case(Random(1)), "json")
        sets = json.loads(body)["sketches"]
        wrong = changed(body, sketches=[sets[0] | {"spans": sets[0]["spans"] + 1}, *sets[1:]])
        assert refusal(wrong).reason == "bad_sketch"
        assert "durations" in refusal(wrong).message

    @pytest.mark.parametrize("kind", ["bins", "sets", "zeros"])
    def test_the_largest_hostile_bodies_are_bounded_in_memory(self, kind: str) -> None:
        mapping = b"\x0a\x09\x09" + struct.pack("<d", sketch.GAMMA)
        some = 200 * 9
        full = b"\x12" + _varint(8 * 130) + struct.pack("<d", 1) * 130 + b"\x18\x00"
        sketches = {
            "bins": mapping + b"\x12" + _varint(len(full)) + full,
            "sets": mapping,
            "zeros": mapping + b"\x21" + struct.pack("<d", 100),
        }
        values = dict.fromkeys(METRICS, sketches[kind])
        each = {"name": 1, "start_us": 1, "width_us": 1, "spans": 100 if kind == "zeros" else 130, "values": values}
        number = some // 9 if kind == "bins" else 500
        body = msgpack.packb(
            {"v": 1, "id": b"\x0f" * 16, "n": 0, "strings": ["x"], "sketches": [each] * number}, use_bin_type=True
        )
        assert len(body) <= LIMITS.body_bytes
        tracemalloc.start()
        try:
            decoded = decode_native([body], LIMITS)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 64 << 20
        if kind == "sets":
            assert set(decoded.faults) == {0}
        else:
            assert len(decoded.batch.sketches) == number

    def test_501_sets_are_too_many(self) -> None:
        body = encode(sketched_case(Random(1)), "json")
        (first, *_) = json.loads(body)["sketches"]
        assert isinstance(refusal(changed(body, sketches=[first] * 501)), TooLarge)


@pytest.mark.parametrize("encoding", ENCODINGS)
class TestBatches:
    def test_many_bodies_are_one_table_and_each_bin_belongs_to_its_set(self, encoding: str) -> None:
        one = sketched_case(Random(2))
        plain = {"id": "0f" * 16, "spans": []}
        alone = decode(encode(one, encoding))
        batch = decode(encode(plain, encoding), encode(one, encoding), encode(one, encoding))
        assert batch.resources.body[batch.sketches.resource].tolist() == [1] * 4 + [2] * 4
        assert batch.sketches.spans.tolist() == alone.sketches.spans.tolist() * 2
        by_set = np.bincount(batch.sketch_bins.owner[batch.sketch_bins.metric == 0], minlength=8)
        counted = np.bincount(
            batch.sketch_bins.owner, weights=batch.sketch_bins.count * (batch.sketch_bins.metric == 0)
        )
        assert by_set.all()
        assert counted.tolist() == batch.sketches.spans.tolist()

    def test_batches_joined_later_are_those_decoded_together(self, encoding: str) -> None:
        bodies = [encode(sketched_case(Random(seed)), encoding) for seed in (5, 6, 7)]
        assert told(SpanBatch.concat([decode(body) for body in bodies])) == told(decode(*bodies))

    def test_a_device_says_that_it_sketches_by_word_or_by_doing_it(self, encoding: str) -> None:
        case = sketched_case(Random(3))
        silent = {key: value for key, value in case.items() if key != "unsent"}
        waiting = {key: value for key, value in case.items() if key != "sketches"}
        neither = {key: value for key, value in waiting.items() if key != "unsent"}
        other = neither | {"unsent": "carrier pigeon"}
        bodies = [encode(each, encoding) for each in (case, silent, waiting, neither, other)]
        assert decode(*bodies).bodies.sketched.tolist() == [True, True, True, False, False]

    @pytest.mark.parametrize(
        ("said", "reported"), [(True, True), (1, True), (False, False), (0, False), (2, False), (None, False)]
    )
    def test_a_reported_problem_is_a_flag(self, encoding: str, said: Any, reported: bool) -> None:
        batch = {"id": "0f" * 16, "resource": {"reported": said}, "spans": []}
        assert decode(encode(batch, encoding)).resources.reported.tolist() == [reported]

    def test_metrics_and_phases_of_a_later_version_are_left_out(self, encoding: str) -> None:
        body = json.loads(encode(sketched_case(Random(4)), "json"))
        newer = [
            each | {"values": each["values"] | {"lux": "00"}, "reused": {"teleport": 9}} for each in body["sketches"]
        ]
        before, after = decode(json.dumps(body).encode()), decode(json.dumps(body | {"sketches": newer}).encode())
        assert before.sketch_bins.count.sum() == after.sketch_bins.count.sum()
        assert not after.sketches.reused.any()


def _assert_sound(blob: bytes) -> None:
    try:
        bins = read_ddsketches([blob], DAY_US)
    except Malformed:
        return
    assert ((bins.bucket == sketch.ZERO) | ((bins.bucket >= 0) & (bins.bucket < sketch.BUCKET_LIMIT))).all()
    assert ((bins.count > 0) & (bins.count <= 1_000_000)).all()
    assert (sketch.value(bins.bucket) <= DAY_US * 1.12).all()


def _zigzag(value: int) -> bytes:
    return _varint(2 * value if value >= 0 else -2 * value - 1)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
