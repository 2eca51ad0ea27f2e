"""The browser SDK as the edge serves it: one file, the same for everybody, that any page may load."""

import gzip
import hashlib
from typing import NamedTuple, Self

FRESH_S = 3600
"""A page may use its copy this long without asking; then it asks by ETag."""


class Script(NamedTuple):
    """A file ready to be sent."""

    body: bytes
    gzipped: bytes
    etag: str
    """Quoted, as HTTP has it."""

    @classmethod
    def of(cls, body: bytes) -> Self:
        """The script of these bytes."""
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        return cls(body, gzip.compress(body, 9, mtime=0), f'"{digest}"')
