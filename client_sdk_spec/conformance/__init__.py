"""Checks whether a server or a client does what `SPEC.md` says: `firsthop conformance`."""
