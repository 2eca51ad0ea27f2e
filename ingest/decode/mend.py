"""JSON that a browser wrote and no parser takes: text cut inside an emoji, bytes that are not UTF-8."""

import re

_LONE_HIGH = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_LONE_LOW = re.compile(rb"\\u(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2}")
"""Two patterns that begin with the same literal are searched ten times faster than one with two branches."""


def mend_json(body: bytes) -> bytes | None:
    """The same body with U+FFFD for bytes that are not UTF-8 and for lone surrogates; None when it has neither.

    A script that cuts text between the halves of an emoji sends a lone surrogate, and a batch must not be lost for it.
    """
    valid = body.decode("utf-8", "replace").encode()
    # With the escaped backslashes out of the way (no UTF-8 has these bytes), every other one begins an escape.
    mended = valid.replace(rb"\\", b"\xff\xff")
    mended, high = _LONE_HIGH.subn(rb"\\ufffd", mended)
    mended, low = _LONE_LOW.subn(rb"\\ufffd", mended)
    return mended.replace(b"\xff\xff", rb"\\") if high or low or valid != body else None
