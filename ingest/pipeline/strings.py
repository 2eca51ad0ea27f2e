"""String tables on the way through the pipeline: interning what stages add, dropping what nothing refers to."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ingest.model import I32, Bodies, Kept, Mask, Processed, Resources


class StringTable:
    """A string table that grows: `code` gives the one code of a text. Code 0 is the empty string."""

    def __init__(self, strings: Sequence[str] = ("",)) -> None:
        self.strings = list(strings)
        self._codes: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """The code of a text, added when new."""
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.strings)
            self.strings.append(text)
        return code

    def codes(self, texts: Sequence[str]) -> I32:
        """The codes of many texts."""
        return np.fromiter(map(self.code, texts), dtype=np.int32, count=len(texts))


def compact(record: Processed) -> Processed:
    """The same record without the resources, bodies' clocks and strings that no kept span, series or drop refers to."""
    kept = _compact_resources(record.kept)
    used = np.zeros(len(record.strings), dtype=np.bool_)
    used[0] = True
    batch = kept.batch
    for table in (
        batch.bodies,
        batch.resources,
        batch.spans,
        batch.attributes,
        batch.resource_attributes,
        batch.events,
    ):
        for name in table.CODES:
            used[getattr(table, name)] = True
    for name in kept.assigned.CODES:
        used[getattr(kept.assigned, name)] = True
    used[record.drops.reason] = True
    used[record.series.values] = True
    used[record.scrubs.rule] = True
    codes = _renumber(used)
    strings = record.strings
    return replace(
        record,
        strings=[strings[code] for code in np.flatnonzero(used).tolist()],
        drops=record.drops.recode(codes),
        scrubs=record.scrubs.recode(codes),
        series=replace(record.series, values=codes[record.series.values]),
        kept=Kept(batch=replace(batch.recode(codes), strings=()), assigned=kept.assigned.recode(codes)),
    )


def _compact_resources(kept: Kept) -> Kept:
    batch = kept.batch
    used = np.zeros(len(batch.resources), dtype=np.bool_)
    used[batch.spans.resource] = True
    rows = _renumber(used)
    owned = batch.resource_attributes.take(used[batch.resource_attributes.owner])
    empty = np.zeros(0, dtype=np.int64)
    return replace(
        kept,
        batch=replace(
            batch,
            bodies=Bodies.take(batch.bodies, empty),
            resources=Resources.take(batch.resources, used),
            spans=replace(batch.spans, resource=rows[batch.spans.resource]),
            resource_attributes=replace(owned, owner=rows[owned.owner]),
            drops=batch.drops.take(empty),
            sketches=batch.sketches.take(empty),
            sketch_bins=batch.sketch_bins.take(empty),
        ),
    )


def _renumber(used: Mask) -> I32:
    """New row number by old one, for the rows that stay."""
    return np.cumsum(used, dtype=np.int32) - np.int32(1)
