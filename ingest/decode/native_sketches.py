"""Sketches of the native format (`client_sdk_spec/WIRE.md`): what a client measured and did not send as spans.

`read_sketches` judges those of one body as far as it can be done alone; `build_sketches` makes the tables of many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import numpy as np

from ingest.decode import ddsketch_wire
from ingest.decode.build import from_hex
from ingest.errors import Malformed, TooLarge
from ingest.model import I32, I64, METRICS, Mask, Phase, SketchBins, Sketches

SETS = 500
"""Most sketch sets in one body."""
SKETCHED = ddsketch_wire.LARGEST_COUNT
"""Most spans that the sets of one body may stand for."""
WIDTH_US = 300_000_000
"""Longest while that one set may be about."""
CODES = ("name", "method", "url", "route")

_Int64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Clock64 = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
_Span = Annotated[int, msgspec.Meta(ge=1, le=SKETCHED)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=SKETCHED)]
_Width = Annotated[int, msgspec.Meta(ge=0, le=WIDTH_US)]


def sketch_set(name: str, blob: Any) -> type[msgspec.Struct]:
    """One entry of `sketches`, with its sketches as `blob`."""
    return msgspec.defstruct(
        name,
        [
            ("start_us", _Clock64),
            ("width_us", _Width),
            ("spans", _Span),
            ("values", dict[str, blob]),
            *((field, _Int64 | None, None) for field in CODES),
            ("errors", _Count | None, None),
            ("reused", dict[str, _Count] | None, None),
            ("unknown", dict[str, _Count] | None, None),
        ],
        gc=False,
    )


class Sketched(msgspec.Struct, frozen=True, gc=False):
    """The sketch sets of one body; codes are still to be checked."""

    codes: I64
    """(4, s) by `CODES`."""
    start_us: I64
    width_us: I64
    spans: I64
    errors: I64
    reused: I64
    """(8, s) by `Phase`, as `unknown`."""
    unknown: I64
    remapped: Mask
    bins: SketchBins


def read_sketches(sets: Sequence[Any] | None, longest_us: int) -> Sketched | None:
    """The sets of one body; None when it has none.

    Args:
        longest_us: of a span that is taken.

    Raises:
        Malformed: `bad_sketch`, `bad_hex`.
        TooLarge: `too_many_sketches`.
    """
    if not sets:
        return None
    if len(sets) > SETS:
        raise TooLarge("too_many_sketches", f"sketches has more than {SETS} entries; send smaller batches")
    codes = np.array([[getattr(each, name) or 0 for name in CODES] for each in sets], np.int64).T
    if not (codes[0] | codes[2] | codes[3]).all():
        raise _bad("it has neither name, url nor route")
    spans = np.array([each.spans for each in sets], np.int64)
    if spans.sum() > SKETCHED:
        raise _bad(f"with the others of its batch it stands for more than {SKETCHED} spans")
    errors = np.array([each.errors or 0 for each in sets], np.int64)
    if (errors > spans).any():
        raise _bad("it has more errors than spans")
    reused, unknown = (_by_phase([getattr(each, mark) or {} for each in sets]) for mark in ("reused", "unknown"))
    bins, remapped = _bins([each.values for each in sets], longest_us)
    cell = bins.owner.astype(np.int64) * len(METRICS) + bins.metric
    cells = np.bincount(cell, weights=bins.count, minlength=len(sets) * len(METRICS))
    measured = cells.astype(np.int64).reshape(len(sets), len(METRICS)).T
    if (measured[0] != spans).any():
        raise _bad("its sketch of durations does not count as many values as it has spans")
    if (measured[1:] + reused + unknown > spans).any():
        raise _bad("a phase was measured, reused or unknown in more spans than it has")
    return Sketched(
        codes=codes,
        start_us=np.array([each.start_us for each in sets], np.int64),
        width_us=np.array([each.width_us for each in sets], np.int64),
        spans=spans,
        errors=errors,
        reused=reused,
        unknown=unknown,
        remapped=remapped,
        bins=bins,
    )


def build_sketches(sketched: Sequence[Sketched], resource: I32, codes: I32) -> tuple[Sketches, SketchBins]:
    """The sets of many bodies as one table.

    Args:
        sketched: one for each body that has any.
        resource: (s,) of each set.
        codes: (4, s) of the batch, by `CODES`.
    """
    sizes = [len(each.spans) for each in sketched]
    first = np.repeat(np.cumsum(sizes) - sizes, [len(each.bins) for each in sketched])

    def joined(name: str) -> Any:
        return np.concatenate([getattr(each, name) for each in sketched], axis=-1)

    sets = Sketches(
        resource=resource,
        **dict(zip(CODES, codes, strict=True)),
        **{name: joined(name) for name in ("start_us", "width_us", "spans", "errors", "reused", "unknown", "remapped")},
    )
    bins = SketchBins.concat([each.bins for each in sketched])
    return sets, replace(bins, owner=(bins.owner + first).astype(np.int32))


def _by_phase(counts: Sequence[Mapping[str, int]]) -> I64:
    names = [phase.name.lower() for phase in Phase]
    return np.array([[given.get(name, 0) for given in counts] for name in names], np.int64)


def _bins(values: Sequence[Mapping[str, bytes | str]], longest_us: int) -> tuple[SketchBins, Mask]:
    """All bins of a body, and which sets have some of other buckets; a metric that nobody knows is left out."""
    blobs, owners, metrics = [], [], []
    for place, sketches in enumerate(values):
        for row, name in enumerate(METRICS):
            given = sketches.get(name)
            if given is None:
                continue
            blob = from_hex(given) if isinstance(given, str) else given
            if blob is None:
                raise Malformed("bad_hex", "sketches.values is not hex text; write two digits for each byte")
            blobs.append(blob)
            owners.append(place)
            metrics.append(row)
    bins = ddsketch_wire.read_ddsketches(blobs, longest_us)
    owner = np.array(owners, np.int32)
    remapped = np.zeros(len(values), np.bool_)
    remapped[owner[bins.remapped]] = True
    metric = np.array(metrics, np.uint8)[bins.of]
    return SketchBins(owner[bins.of], metric, bins.bucket, bins.count), remapped


def _bad(why: str) -> Malformed:
    return Malformed("bad_sketch", f"a sketch set cannot be taken: {why}")
