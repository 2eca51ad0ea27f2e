"""Sketches in DDSketch's protobuf form as bins of our own mapping (`ingest.sketch`).

Field numbers: `ddsketch.proto` of sketches-go, the same in sketches-py, -js and -java. The form leaves open where a
bucket ends: sketches-py and -js put x into ⌈log_γ x⌉ + offset, sketches-go and -java into ⌊log_γ x + offset⌋. Here it
is the former; `client_sdk_spec/WIRE.md` says how to send the latter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from ingest import sketch
from ingest.errors import Malformed
from ingest.model import F64, I16, I32, I64, Mask

BINS: Final = 4096
"""Most bins in one sketch, empty ones included."""
LARGEST_COUNT: Final = 1_000_000
"""Of one bin."""
FINEST, COARSEST = 0.001, 0.05
"""Relative accuracies α that are taken, γ = (1 + α)/(1 − α)."""

_LARGEST_OFFSET = float(1 << 31)
_ROUNDING = 1e-9
"""Relative difference of two γ that are the same number computed in different ways."""
_LOG_OURS = float(np.log(sketch.GAMMA))
_LOG_HALF = float(np.log(0.5))


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins with something in them, in no order; a bucket may come twice."""

    of: I32
    """Number of the sketch."""
    bucket: I16
    count: I64
    remapped: Mask
    """(b,) sketches whose buckets were not ours."""


def read_ddsketches(blobs: Iterable[bytes], longest_us: int) -> Bins:
    """The bins of many sketches of microseconds.

    With our own γ and a whole offset each bin is one of ours. Any other goes as a whole to the bucket of the value that
    it stands for, so that quantiles are within (1 + α)(1 + 0.01) − 1. What stands for less than half a microsecond
    counts as zero.

    Args:
        blobs: a `DDSketch` message each.
        longest_us: no bin may lie above it as a whole.

    Raises:
        Malformed: `bad_sketch`.
    """
    mappings: list[tuple[float, float]] = []
    sizes: list[int] = []
    index: list[int] = []
    count: list[float] = []
    zeros: list[float] = []
    for blob in blobs:
        try:
            wire = _Sketch.FromString(blob)
        except DecodeError:
            raise _bad("it is not a whole DDSketch message") from None
        mappings.append(_mapping(wire.mapping))
        negative = wire.negativeValues
        if any(negative.contiguousBinCounts) or any(negative.binCounts.values()):
            raise _bad("it holds negative values")
        before = len(index)
        _gather(wire.positiveValues, index, count)
        sizes.append(len(index) - before)
        zeros.append(wire.zeroCount)

    of = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    counts = _whole(np.array(count))
    filled = counts > 0
    of, indexes, counts = of[filled], np.array(index, np.int64)[filled], counts[filled]
    mapping = np.array(mappings).reshape(-1, 2)
    gamma, offset = mapping[of].T
    if ((indexes - offset - 1) * np.log(gamma) >= np.log(longest_us)).any():
        raise _bad(f"it holds values above {longest_us} us, the longest span that is taken")
    zero = _whole(np.array(zeros))
    with_zeros = np.flatnonzero(zero)
    return Bins(
        of=np.concatenate([of, with_zeros]).astype(np.int32),
        bucket=np.concatenate([_buckets(indexes, gamma, offset), np.full(len(with_zeros), sketch.ZERO, np.int16)]),
        count=np.concatenate([counts, zero[with_zeros]]),
        remapped=~_is_ours(*mapping.T),
    )


def _mapping(mapping: Any) -> tuple[float, float]:
    """γ and offset."""
    gamma, offset = mapping.gamma, mapping.indexOffset
    if mapping.interpolation:
        raise _bad("its interpolation is not NONE")
    if not (gamma > 1 and FINEST - _ROUNDING <= (gamma - 1) / (gamma + 1) <= COARSEST + _ROUNDING):
        raise _bad(f"its gamma is not that of a relative accuracy from {FINEST} to {COARSEST}")
    if not abs(offset) <= _LARGEST_OFFSET:
        raise _bad("its indexOffset is not a number from -2^31 to 2^31")
    return gamma, offset


def _gather(store: Any, index: list[int], count: list[float]) -> None:
    """Appends what the store holds; its two encodings add up."""
    sparse, dense = store.binCounts, store.contiguousBinCounts
    if len(sparse) + len(dense) > BINS:
        raise _bad(f"it has more than {BINS} bins")
    for key, number in sparse.items():
        index.append(key)
        count.append(number)
    first = store.contiguousBinIndexOffset
    index.extend(range(first, first + len(dense)))
    count.extend(dense)


def _whole(counts: F64) -> I64:
    if not ((counts >= 0) & (counts <= LARGEST_COUNT) & (counts == np.rint(counts))).all():
        raise _bad(f"a count is not a whole number from 0 to {LARGEST_COUNT}")
    return counts.astype(np.int64)


def _buckets(index: I64, gamma: F64, offset: F64) -> I16:
    """Our bucket of the value that each bin stands for, 2γ^(index − offset)/(γ + 1)."""
    log_value = (index - offset) * np.log(gamma) + np.log(2 / (1 + gamma))
    bucket = np.where(_is_ours(gamma, offset), index - np.rint(offset), np.ceil(log_value / _LOG_OURS - _ROUNDING))
    return np.where(log_value < _LOG_HALF, sketch.ZERO, np.maximum(bucket, 0)).astype(np.int16)


def _is_ours(gamma: F64, offset: F64) -> Mask:
    ours: Mask = (np.abs(gamma / sketch.GAMMA - 1) <= _ROUNDING) & (np.abs(offset - np.rint(offset)) <= _ROUNDING)
    return ours


def _bad(why: str) -> Malformed:
    return Malformed("bad_sketch", f"a sketch cannot be taken: {why}")


_Type = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _Type.LABEL_OPTIONAL, _Type.LABEL_REPEATED
_DOUBLE, _SINT32, _INT32 = _Type.TYPE_DOUBLE, _Type.TYPE_SINT32, _Type.TYPE_INT32
SCHEMA: dict[str, tuple[tuple[str, int, int | str, int], ...]] = {
    "DDSketch": (
        ("mapping", 1, "IndexMapping", _ONE),
        ("positiveValues", 2, "Store", _ONE),
        ("negativeValues", 3, "Store", _ONE),
        ("zeroCount", 4, _DOUBLE, _ONE),
    ),
    "IndexMapping": (
        ("gamma", 1, _DOUBLE, _ONE),
        ("indexOffset", 2, _DOUBLE, _ONE),
        ("interpolation", 3, _INT32, _ONE),
    ),
    "Store": (
        ("binCounts", 1, "Store.BinCountsEntry", _MANY),
        ("contiguousBinCounts", 2, _DOUBLE, _MANY),
        ("contiguousBinIndexOffset", 3, _SINT32, _ONE),
    ),
    "Store.BinCountsEntry": (("key", 1, _SINT32, _ONE), ("value", 2, _DOUBLE, _ONE)),
}
"""Message → (field, number, type or message, label)."""


def _message() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="ddsketch_wire.proto", package="ddsketch_wire", syntax="proto3")
    messages: dict[str, Any] = {}
    for name, fields in SCHEMA.items():
        outer, _, nested = name.rpartition(".")
        message = messages[outer].nested_type.add(name=nested) if outer else file.message_type.add(name=name)
        messages[name] = message
        message.options.map_entry = bool(outer)
        for field, number, kind, label in fields:
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Type.TYPE_MESSAGE, f".ddsketch_wire.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("ddsketch_wire.DDSketch"))


_Sketch = _message()
