"""How many new traces a minute a key and an address may bring: who makes up traces is told to come back later.

Counted are the distinct trace ids of a body that its key did not bring a moment ago, so a trace that arrives in many
bodies, and a retry, cost nothing more. Each key and each address has a bucket that holds a minute's worth and fills
evenly. A body passes while its buckets hold one trace and takes what it brings, even into debt: so any body passes
sooner or later, and nobody exceeds the limit by more than a body. Each worker counts for itself.

The limit per address is generous, because carriers put many subscribers behind one address (RFC 6888), and companies
everybody. An IPv6 subscriber has a /64 at least, so that counts as one. Keys of backends are not limited by address,
nor are addresses of this host: there stands a proxy that nobody has named as trusted.

Memory is bounded: `MOST_BUCKETS` of each kind, of which the one unused for longest is forgotten, and a table of
fingerprints in which a newer trace replaces an older one. All hold keyed hashes under a secret of the process; no
address is kept.
"""

import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.errors import TooMany
from ingest.model import SpanBatch
from privacy.addresses import read_address

MOST_BUCKETS: Final = 65_536
"""Of keys and of addresses, each: about 15 MB."""
REMEMBERED: Final = 1 << 18
"""Places for traces brought a moment ago: 2 MB. A power of two."""

U64 = npt.NDArray[np.uint64]


class Sender(NamedTuple):
    """Who a body is from, as keyed hashes; 0 where there is no limit."""

    key: int
    address: int


NOBODY: Final = Sender(0, 0)


class Buckets:
    """A bucket for each of many, each holding up to `capacity` and filling up within a minute; they begin full."""

    def __init__(self, capacity: int) -> None:
        self._capacity = float(capacity)
        self._held: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def holds(self, whose: int, now_s: float) -> float:
        """What the bucket holds now; negative while it is in debt."""
        held = self._held.get(whose)
        if held is None:
            return self._capacity
        level, at_s = held
        return min(self._capacity, level + max(now_s - at_s, 0.0) * self._capacity / 60.0)

    def take(self, whose: int, count: int, now_s: float) -> None:
        """Takes so much out, whatever it holds."""
        self._held[whose] = (self.holds(whose, now_s) - count, now_s)
        self._held.move_to_end(whose)
        if len(self._held) > MOST_BUCKETS:
            self._held.popitem(last=False)

    def __len__(self) -> int:
        return len(self._held)


class TraceLimits:
    """The limits, and what has been brought so far.

    Args:
        per_key: new traces a minute under one key.
        per_address: the same from one address.
    """

    def __init__(self, per_key: int, per_address: int) -> None:
        self._keys, self._addresses = Buckets(per_key), Buckets(per_address)
        self._secret = secrets.token_bytes(32)
        self._factors: U64 = np.frombuffer(secrets.token_bytes(16), dtype=np.uint64) | np.uint64(1)
        self._seen: U64 = np.zeros(REMEMBERED, dtype=np.uint64)
        # Micro-batches are prepared in the event loop and in a thread beside it.
        self._lock = Lock()

    def sender(self, key: str, address: str, trusted: bool) -> Sender:
        """Who sends with this key from this address.

        Args:
            trusted: with a server key.
        """
        network = b"" if trusted else _network(address)
        return Sender(self._name(b"key", key.encode("utf-8", "surrogateescape")), self._name(b"address", network))

    def charge(self, batch: SpanBatch, senders: Sequence[Sender], now_s: float) -> Mapping[int, TooMany]:
        """Takes what each body brings from its sender's buckets.

        Args:
            batch: as decoded.
            senders: of each body.
            now_s: a clock that never goes back.

        Returns:
            Row of the body that is over a limit → how to refuse it. Such a body takes nothing.
        """
        if not len(batch.spans):
            return {}
        keys = np.array([sender.key for sender in senders], dtype=np.uint64)
        marks = self._fingerprints(batch, keys)
        marks, first = np.unique(marks, return_index=True)
        place = marks >> np.uint64(40) & np.uint64(REMEMBERED - 1)
        refused: dict[int, TooMany] = {}
        with self._lock:
            fresh = self._seen[place] != marks
            body = batch.body_of_span[first]
            new = np.bincount(body[fresh], minlength=len(senders))
            for row in np.flatnonzero(new).tolist():
                if not self._take(senders[row], int(new[row]), now_s):
                    refused[row] = TooMany("too_many_traces", _MESSAGE)
            passed = fresh & ~np.isin(body, list(refused)) if refused else fresh
            self._seen[place[passed]] = marks[passed]
        return refused

    def _take(self, sender: Sender, count: int, now_s: float) -> bool:
        key, address = sender
        if (key and self._keys.holds(key, now_s) < 1) or (address and self._addresses.holds(address, now_s) < 1):
            return False
        if key:
            self._keys.take(key, count, now_s)
        if address:
            self._addresses.take(address, count, now_s)
        return True

    def _fingerprints(self, batch: SpanBatch, keys: U64) -> U64:
        """(n,) 64 bits of each span's trace and key; nobody who does not know the factors can make two alike."""
        halves: npt.NDArray[Any] = np.ascontiguousarray(batch.spans.trace_id).view(np.uint64)
        mixed: U64 = self._mix(self._mix(halves[:, 0] ^ keys[batch.body_of_span]) ^ halves[:, 1])
        return mixed | np.uint64(1)

    def _mix(self, words: U64) -> U64:
        """Spreads every bit over the whole word: multiplying carries upwards, shifting downwards."""
        first, second = self._factors
        mixed: U64 = (words ^ words >> np.uint64(32)) * first
        mixed = (mixed ^ mixed >> np.uint64(29)) * second
        mixed ^= mixed >> np.uint64(32)
        return mixed

    def _name(self, kind: bytes, text: bytes) -> int:
        if not text:
            return 0
        return int.from_bytes(blake2b(text, key=self._secret, digest_size=8, person=kind).digest(), "big") or 1


_MESSAGE = "more new traces than one key, or one address, may bring in a minute: send the same request again later"


def _network(text: str) -> bytes:
    """What is counted as one address; empty for one of this host, and for none.

    Args:
        text: as `ingest.edge.receive` writes addresses.
    """
    if ":" not in text:
        return b"" if text.startswith("127.") else text.encode()
    address = read_address(text)
    return b"" if address is None or address.is_loopback else address.packed[:8]
