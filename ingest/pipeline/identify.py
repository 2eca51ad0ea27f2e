"""identify: 64 bits for whoever is behind each resource, so that distinct sessions can be counted, and nothing more.

The session's pseudonym, else the installation's. Clients that send neither are told apart by a keyed hash of address
and User-Agent: without it, groups of their spans would have no sessions at all and could never be shown. It is a rough
count (people behind one address with one browser are one; who changes networks is two) and it is not stored: an address
is guessed in seconds from a hash without a key, and with one it would still follow people who never sent an id. It
goes into the sketch of a series, which counts its members and cannot be asked for one, and is gone.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from ingest.model import I64, U8, Reception, SpanBatch
from ingest.pipeline.findings import EVERYTHING
from ingest.pipeline.scopes import Scopes

_BYTES = 8


def identify(batch: SpanBatch, receptions: Sequence[Reception], scopes: Scopes, extents: U8) -> I64:
    """(r,) the identity behind each resource; 0 when there is none, or no consent to more than counters.

    Args:
        batch: scrubbed: its sessions and installations are pseudonyms.
        extents: (r,) as `honour_consent` found them.
    """
    resources = batch.resources
    allowed = extents == EVERYTHING
    names = np.where(resources.session != 0, resources.session, resources.installation) * allowed
    distinct, place = np.unique(names, return_inverse=True)
    identities = np.array([identity_of(batch.strings[code]) for code in distinct.tolist()], dtype=np.int64)[place]

    nameless = np.flatnonzero((names == 0) & allowed)
    bodies = resources.body[nameless].tolist()
    senders = {body: _of_sender(receptions[body], scopes.all[scopes.of_body[body]].key) for body in set(bodies)}
    identities[nameless] = [senders[body] for body in bodies]
    return identities


def identity_of(digits: str) -> int:
    return _number(bytes.fromhex(digits[: 2 * _BYTES])) if digits else 0


def _of_sender(reception: Reception, key: bytes) -> int:
    """0 for a backend, whose address is its own and not a user's, and for somebody of whom nothing is known."""
    if reception.trusted or not (reception.address or reception.user_agent):
        return 0
    text = f"{reception.address}\n{reception.user_agent}".encode("utf-8", "surrogatepass")
    return _number(blake2b(text, key=key, digest_size=_BYTES, person=b"sender").digest())


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "big", signed=True) or 1
