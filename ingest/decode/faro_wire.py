"""One body of Grafana Faro: what is in it, as far as JSON tells.

    {meta, logs?, exceptions?, measurements?, events?, traces?}

The source is faro-core's `TransportBody` (its `transports/types.ts`), checked against what versions 2.10 to 2.12 of the
web SDK send. Of `meta`, `user` and `geo` are not even read. Fields that no decision needs are not typed: a client in
another language may send a number where the web SDK sends text. An item that cannot be read stands as None, and costs
no other its place.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ingest.decode.mend import mend_json
from ingest.errors import Malformed, TooLarge

_Map = dict[str, Any] | None
_NOTHING: Final = msgspec.Raw(b"null")


class Context(msgspec.Struct, gc=False):
    """The span that was active."""

    trace_id: Any = None
    span_id: Any = None


class Action(msgspec.Struct, gc=False):
    """What the user did that led to it."""

    name: Any = None


class Item(msgspec.Struct, gc=False):
    """What all items have."""

    timestamp: Any = None
    trace: Context | None = None
    action: Action | None = None


class Event(Item, gc=False):
    """Something happened; resource and navigation timing come as events, too."""

    name: Any = None
    domain: Any = None
    attributes: _Map = None


class Log(Item, gc=False):
    """A line of the console, or of the app's own."""

    message: Any = None
    level: Any = None
    context: _Map = None


class Measurement(Item, gc=False):
    """Numbers under names; web vitals are of the type `web-vitals`."""

    type: Any = None
    values: _Map = None
    context: _Map = None


class Stack(msgspec.Struct, gc=False):
    """Where it was thrown, innermost first."""

    frames: list[_Map] | None = None


class Thrown(Item, gc=False):
    """An error or rejection."""

    type: Any = None
    value: Any = None
    stacktrace: Stack | None = None
    context: _Map = None
    fatal: Any = None
    fingerprint: Any = None


class Session(msgspec.Struct, gc=False):
    id: Any = None
    attributes: _Map = None


class Page(msgspec.Struct, gc=False):
    id: Any = None
    url: Any = None
    attributes: _Map = None


class View(msgspec.Struct, gc=False):
    name: Any = None


class Meta(msgspec.Struct, gc=False):
    """Who sends, and where in the app."""

    sdk: _Map = None
    app: _Map = None
    session: Session | None = None
    page: Page | None = None
    browser: _Map = None
    view: View | None = None
    os: _Map = None
    device: _Map = None
    k6: _Map = None


class Body(msgspec.Struct, gc=False):
    """A whole body."""

    meta: Meta | None = None
    events: Sequence[Event | None] | None = None
    measurements: Sequence[Measurement | None] | None = None
    exceptions: Sequence[Thrown | None] | None = None
    logs: Sequence[Log | None] | None = None
    traces: msgspec.Raw = _NOTHING
    """OTLP's own JSON."""


_Raws = list[msgspec.Raw] | None


class _Loose(msgspec.Struct, gc=False):
    meta: Meta | None = None
    events: _Raws = None
    measurements: _Raws = None
    exceptions: _Raws = None
    logs: _Raws = None
    traces: msgspec.Raw = _NOTHING


_BODY: Final = msgspec.json.Decoder(Body)
_LOOSE: Final = msgspec.json.Decoder(_Loose)
_KINDS: Final = {"events": Event, "measurements": Measurement, "exceptions": Thrown, "logs": Log}
_ITEMS: Final = {name: msgspec.json.Decoder(kind) for name, kind in _KINDS.items()}


def read(body: bytes) -> Body:
    """One inflated body.

    Raises:
        Malformed: `bad_json`, it is no JSON; `bad_faro`, it is none of Faro.
        TooLarge: `too_deep`.
    """
    try:
        return _decoded(body)
    except UnicodeDecodeError:
        pass
    except msgspec.DecodeError:
        pass
    except RecursionError:
        raise _too_deep() from None
    mended = mend_json(body)
    try:
        return _read_loose(body if mended is None else mended)
    except msgspec.ValidationError:
        raise Malformed("bad_faro", "the body is not Faro's: an object with meta, and arrays of signals") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("bad_json", "the body is not JSON; check Content-Encoding and encoder") from None
    except RecursionError:
        raise _too_deep() from None


def _decoded(body: bytes) -> Body:
    read_body: Body = _BODY.decode(body)
    return read_body


def _read_loose(body: bytes) -> Body:
    """The same item by item, with None for those that have another shape."""
    loose = _LOOSE.decode(body)
    items: dict[str, Any] = {}
    for name, decoder in _ITEMS.items():
        raws: list[msgspec.Raw] | None = getattr(loose, name)
        items[name] = None if raws is None else [_item(decoder, raw) for raw in raws]
    return Body(meta=loose.meta, traces=loose.traces, **items)


def _item(decoder: "msgspec.json.Decoder[Any]", raw: msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _too_deep() -> TooLarge:
    return TooLarge("too_deep", "the body is nested deeper than any field of the format")
