"""Why a whole request is refused. A bad span inside a good batch is a value (`Outcome`), never an exception.

    Refusal
    ├── Malformed          400   cannot be read; says where
    ├── Unauthenticated    401   no key
    ├── Forbidden          403   a key that opens nothing here
    ├── UnknownPath        404
    ├── MethodNotAllowed   405
    ├── TooSlow            408   the body did not arrive in time; retry later
    ├── TooLarge           413   over a size, count or nesting limit
    ├── UnsupportedType    415   content type or encoding not spoken here
    ├── TooMany            429   over quota; retry later
    └── Unavailable        503   cannot be made durable now; retry later

Messages name the field, the limit and the remedy. They never quote what the client sent: it may be personal.
`ingest.edge.respond` holds the one table from these to HTTP.
"""

from typing import Self


class Refusal(Exception):  # noqa: N818 - the house's word for "the request as a whole is refused"
    """The request as a whole is refused.

    Args:
        reason: stable, lower-case label for metrics and answers, e.g. `bad_json`.
        message: one sentence for the client's developer.
        offset: byte offset in the inflated body where reading failed, if known.
    """

    def __init__(self, reason: str, message: str, *, offset: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.offset = offset

    def detached(self) -> Self:
        """The same without the frames it came through: to be kept as a value, it must not keep the body with it."""
        self.__traceback__ = self.__context__ = None
        return self


class Malformed(Refusal):
    """The body cannot be read as what it claims to be."""


class Unauthenticated(Refusal):
    """No key was given."""


class Forbidden(Refusal):
    """The key opens nothing here."""


class UnknownPath(Refusal):
    """Nothing is served under this path."""


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""


class TooSlow(Refusal):
    """The body did not arrive in time; the same request may succeed later."""


class TooLarge(Refusal):
    """A size, count or nesting limit is exceeded."""


class UnsupportedType(Refusal):
    """The content type or encoding is not spoken here."""


class TooMany(Refusal):
    """Over quota; the same request may succeed later."""


class Unavailable(Refusal):
    """It could not be made durable; nothing was written; the same request may succeed later."""
