"""The record's bytes."""

import hashlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import record as format_
from ingest.journal.record import RecordError, decode, encode
from ingest.model import NOT_MEASURED, Columns, Origin, Processed
from ingest.outcome import Outcome
from ingest.pipeline.thresholds import low_56_bits
from tests.records import make_record

SCHEMA_OF_VERSION = {3: "38a3680712d6d881"}


def same(one: Any, other: Any) -> bool:
    """Whether two records are equal in every value, type and shape."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, Columns) or hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return list(one) == list(other) if isinstance(one, (list, tuple)) else bool(one == other)


@given(
    seed=st.integers(0, 1000),
    spans=st.integers(0, 40),
    bodies=st.integers(1, 5),
    keep=st.sampled_from([0.0, 0.3, 1.0]),
    drops=st.integers(0, 3),
)
@settings(max_examples=50)
def test_a_record_comes_back_exactly(seed: int, spans: int, bodies: int, keep: float, drops: int) -> None:
    record = make_record(seed, spans=spans, bodies=bodies, keep=keep, drops=drops)
    assert same(decode(encode(record)), record)


@given(st.lists(st.text(st.characters()), max_size=10))
@settings(max_examples=50)
def test_any_text_comes_back_even_half_a_surrogate_pair(texts: list[str]) -> None:
    record = make_record(spans=3)
    strings = [*record.strings, *texts, "\ud800", "\0"]
    record = replace(
        record, strings=strings, kept=replace(record.kept, batch=replace(record.kept.batch, strings=strings))
    )
    assert decode(encode(record)).strings == strings


def test_columns_come_back_aligned_and_read_only() -> None:
    record = decode(encode(make_record(spans=7)))
    assert record.counted.buckets.flags.aligned
    assert record.kept.batch.spans.phases_us.flags.aligned
    with pytest.raises(ValueError, match="read-only"):
        record.counted.body[0] = 1


def test_the_record_and_its_sample_share_one_string_table() -> None:
    record = decode(encode(make_record()))
    assert record.kept.batch.strings is record.strings


def test_a_record_of_the_version_before_is_read_as_far_as_it_goes() -> None:
    record = decode((Path(__file__).parent / "record_2.bin").read_bytes())
    assert (len(record.ledger), len(record.counted), len(record.series)) == (3, 24, len(record.series))
    assert record.ledger.outcomes.shape == (len(Outcome), 3)
    assert (record.ledger.outcomes.sum(axis=0) == record.ledger.spans).all()
    kept = record.kept
    assert len(kept.assigned) == len(kept.batch.spans) == len(kept.batch.links) > 0
    assert set(kept.assigned.origin.tolist()) == {Origin.CLIENT}
    assert kept.assigned.randomness.tolist() == low_56_bits(kept.batch.spans.trace_id).tolist()
    assert set(kept.assigned.clock_skew_ms.tolist()) == {NOT_MEASURED}
    assert set(record.counted.stands_for.tolist()) == {1}
    assert (len(record.notes), len(record.summaries), len(kept.batch.sketches)) == (0, 0, 0)
    assert same(decode(encode(record)), record), "and it can be written again"


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x01" + encode(make_record())[1:], b"\x04" + encode(make_record())[1:]]
)
def test_another_version_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(RecordError, match="version"):
        decode(data)


@given(st.data())
@settings(max_examples=100)
def test_damage_is_noticed(data: st.DataObject) -> None:
    good = encode(make_record(spans=5))
    at = data.draw(st.integers(1, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    try:
        found: Processed | None = decode(bytes(bad))
    except RecordError:
        found = None
    assert found is None or same(found, decode(good))


@pytest.mark.parametrize("cut", [2, 10, -1])
def test_a_truncated_record_is_refused(cut: int) -> None:
    with pytest.raises(RecordError, match="damaged"):
        decode(encode(make_record())[:cut])


def test_the_schema_of_a_version_never_changes() -> None:
    """Fails when a column is added, removed or retyped: raise VERSION and keep reading the version before."""
    found = hashlib.blake2b(format_.SCHEMA.encode(), digest_size=8).hexdigest()
    assert SCHEMA_OF_VERSION[format_.VERSION] == found
