"""Pseudonyms: the same text and key give the same name, and nobody without the key can tell whose it is."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

HEX_DIGITS = 20
"""80 bits: among a thousand million texts, two meet by chance about once in two million keys."""
PERIOD_US = 30 * 86_400_000_000
"""A key serves for 30 days: whoever comes back later is somebody new."""
KEY_BYTES = 32

_IN_A_MARK = re.compile(r":[0-9a-f]{8,64}(?=\})")
"""Begins with its colon, which is quick to look for."""


def pseudonym(key: bytes, text: str) -> str:
    """The keyed BLAKE2b of a text as 20 hex digits; "" stays "".

    Args:
        key: 1 to 64 secret bytes. Whoever destroys it makes every pseudonym under it anonymous.
        text: anything, lone surrogates included.

    Raises:
        ValueError: the key is empty (anybody could then redo the hash) or longer than 64 bytes.
    """
    if not key:
        raise ValueError("the pseudonym key is empty; give 16 to 64 secret bytes")
    if not text:
        return ""
    return blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=HEX_DIGITS // 2).hexdigest()


def without_pseudonyms(text: str) -> str:
    """The text with marks alone: `{email:1f0c…}` becomes `{email}`. For what many share and nobody can have erased."""
    return _IN_A_MARK.sub("", text)


def period_of(at_us: int) -> int:
    """The number of the key period that a moment (µs since 1970) falls in."""
    return at_us // PERIOD_US


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of all periods from one on: each is the hash of the one before, so none leads back.

    Whoever forgets an old ring and keeps a later one (`since`) cannot make the old pseudonyms again.
    """

    period: int
    """The first period that this ring can give keys for."""
    root: bytes
    """32 secret bytes: the root of that period."""

    def __repr__(self) -> str:
        return f"<Ring from period {self.period}>"

    def since(self, period: int) -> "Ring":
        """The ring without the keys of earlier periods; itself when it begins no earlier."""
        return self if period <= self.period else Ring(period, _root(self.root, period - self.period))

    def key(self, app_id: int, period: int) -> bytes:
        """The app's key in a period. Before the ring begins, that of its first period.

        Two apps have different keys, so that nobody can follow a user from one to the other.
        """
        root = _root(self.root, max(period - self.period, 0))
        return blake2b(app_id.to_bytes(8, "little"), key=root, digest_size=KEY_BYTES, person=b"app").digest()


@lru_cache(maxsize=64)
def _root(root: bytes, steps: int) -> bytes:
    for _ in range(steps):
        root = blake2b(key=root, digest_size=KEY_BYTES, person=b"next period").digest()
    return root
