"""The series of a day: which there are, and whether a view has room for another."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ingest.model import I64, VIEWS
from ingest.ports import SeriesRow

HASHES_KEPT = 200_000
"""Distinct dimension values whose hashes are remembered; clients choose them, so there must be an end."""

U64 = npt.NDArray[np.uint64]


def hash_of(text: str) -> int:
    """64 bits of a text, the same everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class Catalog:
    """The series used on one day, and whether a view has room for another.

    Args:
        day: the day since 1970 that it is about.
        known: series_id → (app_id, view) of those stored already.
        limit: series per app and view; what comes later counts in the overflow series.
    """

    def __init__(self, day: int, known: Mapping[int, tuple[int, str]], limit: int) -> None:
        self.day = day
        self._limit = limit
        self._known = set(known)
        self._counts: dict[tuple[int, str], int] = {}
        for key in known.values():
            self._counts[key] = self._counts.get(key, 0) + 1
        self._hashes: dict[str, int] = {}

    def add(self, rows: Sequence[SeriesRow]) -> None:
        """These series are stored now."""
        for row in rows:
            self._known.add(row.series_id)
            key = (row.app_id, row.view)
            self._counts[key] = self._counts.get(key, 0) + 1

    def __contains__(self, series_id: int) -> bool:
        return series_id in self._known

    def unknown(self, series_ids: I64) -> list[int]:
        """Places of the ids not used on this day before."""
        known = self._known
        return [place for place, series_id in enumerate(series_ids.tolist()) if series_id not in known]

    def room(self, app_id: int, view: str) -> int:
        """How many more series the view may have."""
        return self._limit - self._counts.get((app_id, view), 0) if VIEWS[view] else 1

    def hashes(self, strings: Sequence[str], used: npt.NDArray[np.intp]) -> U64:
        """(len(strings),) the hash of every used string; 0 for the others."""
        if len(self._hashes) > HASHES_KEPT:
            self._hashes.clear()
        known, table = self._hashes, np.zeros(len(strings), np.uint64)
        found = []
        for code in used.tolist():
            text = strings[code]
            value = known.get(text)
            if value is None:
                value = known[text] = hash_of(text)
            found.append(value)
        table[used] = np.array(found, np.uint64)
        return table
