"""What a call of the client can raise.

QueryError
├── UnreachableError        no answer came
├── AnswerError   an answer came that is none of the query API's
└── RefusedError            the server said no: status, reason, parameter, remedy
    ├── ParameterError   400, 405, 413
    ├── AccessError         401, 403
    ├── NotFoundError       404
    └── BusyError           429, 503, after all attempts
"""


class QueryError(Exception):
    """A call did not work."""


class UnreachableError(QueryError):
    """No answer came: no connection, or none in time."""


class AnswerError(QueryError):
    """What came is not what the query API answers: another server's, or that of a version too new or too old."""


class RefusedError(QueryError):
    """The server refused the call.

    Attributes:
        status: of HTTP.
        reason: a stable word, e.g. `bad_parameter`.
        parameter: name of the parameter that is wrong; None where it is not about one.
    """

    remedy = "This is a fault of the server: its log says more."
    """What to do about it, beyond what the message says."""

    def __init__(self, status: int, reason: str, message: str, parameter: str | None) -> None:
        super().__init__(f"{message} ({status} {reason})")
        self.status = status
        self.reason = reason
        self.parameter = parameter


class ParameterError(RefusedError):
    """A parameter cannot be used; `parameter` names it, the message says what it must be."""

    remedy = "Change the parameter that is named; ingest/query/README.md lists what each call takes."


class AccessError(RefusedError):
    """The token opens nothing, or another app."""

    remedy = "Use a token of this app, or an operator's: `firsthop app token NAME`."


class NotFoundError(RefusedError):
    """Nothing of this id; retention may have dropped it."""

    remedy = "Ask for what a list names: retention drops spans, and most are never sampled."


class BusyError(RefusedError):
    """Too many questions at once, or this one took too long, at every attempt."""

    remedy = "Ask later, for a shorter range, fewer groups or a wider step."
    retry_after_s = 1.0
    """After which to ask again, as the server said."""


def refused(status: int, reason: str, message: str, parameter: str | None) -> RefusedError:
    """The error for an answer of this status."""
    return _KINDS.get(status, RefusedError)(status, reason, message, parameter)


_KINDS: dict[int, type[RefusedError]] = {
    400: ParameterError,
    401: AccessError,
    403: AccessError,
    404: NotFoundError,
    405: ParameterError,
    413: ParameterError,
    429: BusyError,
    503: BusyError,
}
