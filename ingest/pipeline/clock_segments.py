"""The segments of clocks: which bodies were measured by one clock in one epoch, named so that nobody can tell whose.

A raw offset is the moment at which a device booted or a page was opened; with it, a device that sends no id could be
followed. So a stored offset has a secret added that is the same for the whole segment: only differences inside a
segment mean anything.
"""

from hashlib import blake2b

import numpy as np

from ingest.model import I64, ClockKind, SpanBatch
from ingest.pipeline.scopes import Scopes

_PERSON = b"clock segment"
_SECRET_BITS = 62
"""Of the constant: its sum with an offset stays within int64."""


def name_segments(batch: SpanBatch, scopes: Scopes) -> tuple[I64, I64]:
    """(m,) The segment of each body, and the secret to add to its offsets.

    64 bits of a keyed hash of session (else installation, else batch) and epoch; 0 where a client names no epoch, and
    for wall clocks, which may step within one.

    Args:
        batch: scrubbed: sessions, installations and epochs are pseudonyms.
        scopes: the keys.
    """
    bodies, resources = batch.bodies, batch.resources
    segments, secrets = np.zeros((2, len(bodies)), dtype=np.int64)
    named = np.flatnonzero((bodies.epoch != 0) & (bodies.clock == ClockKind.MONOTONIC))
    if not len(named):
        return segments, secrets
    owners = np.zeros(len(bodies), dtype=np.int32)
    # Backwards, so that the first resource of a body has the last word.
    owners[resources.body[::-1]] = np.where(resources.session != 0, resources.session, resources.installation)[::-1]
    digests = [
        _digest(
            scopes.all[scope].key,
            batch.strings[owner] or bodies.batch_id[body].tobytes().hex(),
            batch.strings[epoch],
        )
        for body, scope, epoch, owner in zip(
            named.tolist(),
            scopes.of_body[named].tolist(),
            bodies.epoch[named].tolist(),
            owners[named].tolist(),
            strict=True,
        )
    ]
    halves = np.frombuffer(b"".join(digests), dtype=">u8").reshape(-1, 2).astype(np.uint64)
    segments[named] = np.maximum(halves[:, 0], 1).view(np.int64)
    secrets[named] = halves[:, 1] >> np.uint64(64 - _SECRET_BITS)
    return segments, secrets


def _digest(key: bytes, owner: str, epoch: str) -> bytes:
    return blake2b(f"{owner}\n{epoch}".encode(), key=key, digest_size=16, person=_PERSON).digest()
