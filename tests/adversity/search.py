"""Looks for many byte strings at once in anything that bytes are kept in."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

WORD = 8
CHUNK = 1 << 24


class Haystack:
    """Searches for patterns of at least eight bytes, without regard to ASCII case.

    The first eight bytes of every pattern are numbers; so are the bytes searched, at each of eight alignments. What is
    equal is compared in full.
    """

    def __init__(self, patterns: Mapping[bytes, str]) -> None:
        assert all(len(pattern) >= WORD for pattern in patterns)
        self._patterns = {pattern.lower(): name for pattern, name in patterns.items()}
        self._longest = max(map(len, self._patterns))
        heads: dict[int, list[bytes]] = {}
        for pattern in self._patterns:
            heads.setdefault(int.from_bytes(pattern[:WORD], "little"), []).append(pattern)
        self._heads = heads
        self._sorted = np.array(sorted(heads), dtype=np.uint64)

    def find(self, data: bytes) -> set[str]:
        """The names of the patterns that the bytes hold."""
        found: set[str] = set()
        step = CHUNK - self._longest
        for start in range(0, max(len(data), 1), step):
            found |= self._find(data[start : start + CHUNK].lower())
        return found

    def _find(self, data: bytes) -> set[str]:
        found: set[str] = set()
        for offset in range(WORD):
            count = (len(data) - offset) // WORD
            if count <= 0:
                break
            words = np.frombuffer(data, np.uint64, count, offset)
            places = np.searchsorted(self._sorted, words).clip(max=len(self._sorted) - 1)
            for row in np.flatnonzero(self._sorted[places] == words).tolist():
                at = offset + row * WORD
                for pattern in self._heads[int(words[row])]:
                    if data.startswith(pattern, at):
                        found.add(self._patterns[pattern])
        return found

    def find_in_files(self, directory: Path) -> dict[str, set[str]]:
        """File → what it holds, of every file below a directory."""
        found = {}
        for path in sorted(directory.rglob("*")):
            if path.is_file() and not path.is_symlink():
                names = self.find(path.read_bytes())
                if names:
                    found[str(path.relative_to(directory))] = names
        return found

    def find_in_all(self, pieces: Iterable[bytes]) -> set[str]:
        """What any of the pieces holds."""
        found: set[str] = set()
        for piece in pieces:
            found |= self.find(piece)
        return found
