"""One body of the native format (`client_sdk_spec/WIRE.md`), read and checked as far as it can be alone.

MessagePack and JSON have the same map; they differ in that a column is a blob of u32 here and an array there, an id bin
here and hex there. The columns stay as they came: `native.py` turns those of all bodies into arrays at once.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgpack  # type: ignore[import-untyped]
import msgspec

from ingest.decode.build import from_hex
from ingest.decode.mend import mend_json
from ingest.decode.native_sketches import Sketched, read_sketches, sketch_set
from ingest.errors import Malformed, Refusal, TooLarge
from ingest.model import UNKNOWN, Phase
from ingest.settings import Limits

VERSION = 1
SPANS = 1000
"""Most spans in one body."""
REASONS = 32
"""Most reasons in `dropped`: each becomes a line of the ledger."""
STEPS = (1 << 31) - 1
"""Most steps of a wall clock that are believed."""
REACH_US = 1 << 62
"""No clock reads more: sums of two stay within int64."""

CODES = ("name", "method", "url", "route", "error_type", "protocol", "screen", "threshold", "randomness")
PHASES = tuple(f"{phase.name.lower()}_us" for phase in Phase)
NUMBERS = (
    *("signal", "kind", "status", "start_us", "duration_us", *PHASES),
    *("http_status", "request_bytes", "response_bytes"),
)
WHOLE = (*CODES, "trace", *NUMBERS)
"""The columns of whole numbers, in the order in which they are assembled."""
IDS = ("span_id", "parent_span_id")

DEFAULTS = tuple({"signal": 0, "kind": 3, "status": 0}.get(name, 0 if name in CODES else UNKNOWN) for name in WHOLE)

_Int64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Clock64 = Annotated[int, msgspec.Meta(ge=-REACH_US, le=REACH_US)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Resource(msgspec.Struct, gc=False):
    """Who sends. The order is that of the codes in `ingest.model.Resources`, then its numbers, consent, report."""

    service: str | None = None
    version: str | None = None
    environment: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    device_manufacturer: str | None = None
    device_model: str | None = None
    network: str | None = None
    session: str | None = None
    installation: str | None = None
    sdk: str | None = None
    memory_mb: _Int64 | None = None
    cores: _Int64 | None = None
    consent: str | None = None
    reported: bool | _Int64 | None = None


class Clock(msgspec.Struct, gc=False):
    """Both clocks of the device when the batch was sealed, and what its starts count from."""

    kind: str | None = None
    epoch: str | None = None
    mono_us: _Clock64 | None = None
    wall_us: _Clock64 | None = None
    base_us: _Clock64 | None = None
    steps: _Int64 | None = None


def _body(name: str, column: Any, blob: Any) -> type[msgspec.Struct]:
    """The map with its columns of whole numbers as `column` and its ids as `blob`."""

    def table(what: str, fields: Sequence[tuple[str, Any] | tuple[str, Any, None]]) -> Any:
        return msgspec.defstruct(f"{name}{what}", fields, gc=False) | None

    columns = [*((field, column | None, None) for field in WHOLE), *((field, blob | None, None) for field in IDS)]
    return msgspec.defstruct(
        name,
        [
            ("v", _Int64, 0),
            ("id", blob, blob()),
            ("n", _Int64, -1),
            ("strings", list[str] | None, None),
            ("resource", Resource | None, None),
            ("clock", Clock | None, None),
            ("traces", blob | None, None),
            ("cols", table("Columns", columns), None),
            ("attrs", table("Attributes", [("span", column), ("key", column), ("value", column)]), None),
            ("events", table("Events", [("span", column), ("name", column), ("offset_us", column)]), None),
            ("links", table("Links", [("span", column), ("trace_id", blob), ("span_id", blob)]), None),
            ("dropped", dict[str, _Count] | None, None),
            ("sketches", list[sketch_set(f"{name}Sketches", blob)] | None, None),  # type: ignore[misc]
            ("unsent", str | None, None),
            ("big", dict[str, list[tuple[_Int64, _Int64]]] | None, None),
        ],
        gc=False,
    )


_PackedBody = _body("PackedBody", bytes, bytes)
_JsonBody = _body("JsonBody", list[_Int64], str)
_Peek = msgspec.defstruct("Peek", [("v", Any, None)])

_PACKED = msgspec.msgpack.Decoder(_PackedBody)
_JSON = msgspec.json.Decoder(_JsonBody)

_IS_JSON = re.compile(rb"[ \t\r\n]*\{")
_OFFSET = re.compile(r"\(byte (\d+)\)")
_PATH = re.compile(r"(?:key` in )?`\$\.?(\w*)([^`]*)`$")


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A body that can be read. Codes, rows and escapes are still to be checked against their tables."""

    json: bool
    batch_id: bytes
    n: int
    strings: Sequence[str]
    resource: Resource
    clock: Clock
    traces: bytes
    whole: Sequence[Any]
    """By `WHOLE`: n × u32 each, or n ints each; None when absent."""
    span_id: bytes
    parent_span_id: bytes
    attributes: Any
    events: Any
    links: Any
    link_trace_id: bytes
    link_span_id: bytes
    dropped: dict[str, int]
    big: dict[str, list[tuple[int, int]]]
    sketched: Sketched | None
    unsent_sketched: bool
    """What the client samples away it sends as sketches."""


def read(body: bytes, limits: Limits) -> Reading:
    """One inflated body, whose first byte tells its encoding.

    Raises:
        Malformed: it is not JSON or MessagePack, of another version, or a field has a type, length or range that the
            format does not allow.
        TooLarge: it has more spans, strings or nesting than allowed.
    """
    json = _IS_JSON.match(body) is not None
    wire: Any = _decode_json(body) if json else _decode_packed(body, limits)
    if wire.v != VERSION:
        raise _another_version()
    n = wire.n
    if n < 0:
        raise Malformed("n", "n is missing or negative; it is the number of spans, 0 to 1000")
    if n > min(SPANS, limits.spans):
        raise TooLarge("too_many_spans", f"n exceeds {min(SPANS, limits.spans)} spans; send smaller batches")
    strings = wire.strings or ()
    if len(strings) > limits.strings:
        raise TooLarge("too_many_strings", f"strings has more than {limits.strings} entries; send smaller batches")
    clock = wire.clock or _NO_CLOCK
    if clock.kind not in {None, "mono", "wall"}:
        raise Malformed("clock", "clock.kind is neither mono nor wall")
    dropped = wire.dropped or {}
    if len(dropped) > REASONS:
        raise TooLarge("too_many_reasons", f"dropped has more than {REASONS} reasons; merge them")

    columns = msgspec.structs.astuple(wire.cols) if wire.cols else _NO_COLUMNS
    whole, (span_id, parent_span_id) = columns[: len(WHOLE)], columns[len(WHOLE) :]
    length = n if json else 4 * n
    for column in whole:
        if column is not None and len(column) != length:
            raise _wrong_length(f"cols.{WHOLE[whole.index(column)]}", f"{n} whole numbers")
    _check_tables(wire, 1 if json else 4)
    links = wire.links
    return Reading(
        json=json,
        batch_id=batch_id(wire.id),
        n=n,
        strings=strings,
        resource=wire.resource or _NO_RESOURCE,
        clock=clock,
        traces=_blob("traces", wire.traces, 16, None),
        whole=whole,
        span_id=_blob("cols.span_id", span_id, 8, n),
        parent_span_id=_blob("cols.parent_span_id", parent_span_id, 8, n),
        attributes=wire.attrs,
        events=wire.events,
        links=links,
        link_trace_id=b"" if links is None else _blob("links.trace_id", links.trace_id, 16, _rows(links.span)),
        link_span_id=b"" if links is None else _blob("links.span_id", links.span_id, 8, _rows(links.span)),
        dropped=dropped,
        big=wire.big or {},
        sketched=read_sketches(wire.sketches, limits.duration_us),
        unsent_sketched=wire.unsent == "sketched" or bool(wire.sketches),
    )


def batch_id(value: bytes | str) -> bytes:
    """The 16 bytes of a batch id, given as bytes or hex.

    Raises:
        Malformed: `id`, it is missing, of another length, not hex, or all zeros.
    """
    found = from_hex(value) if isinstance(value, str) else value
    if found is None or len(found) != 16 or found == bytes(16):
        raise Malformed("id", "id is missing or not 16 random bytes (32 hex digits in JSON); it makes a retry safe")
    return found


_NO_RESOURCE = Resource()
_NO_CLOCK = Clock()
_NO_COLUMNS = (None,) * (len(WHOLE) + len(IDS))


def _rows(column: bytes | list[int]) -> int:
    return len(column) // 4 if isinstance(column, bytes) else len(column)


def _check_tables(wire: Any, width: int) -> None:
    """The columns of whole numbers of one table are of one length, a multiple of their width in bytes."""
    attrs, events, links = wire.attrs, wire.events, wire.links
    if attrs is not None and not (len(attrs.span) == len(attrs.key) == len(attrs.value)):
        raise _wrong_length("attrs", "as many keys and values as spans")
    if events is not None and not (len(events.span) == len(events.name) == len(events.offset_us)):
        raise _wrong_length("events", "as many names and offsets as spans")
    for table in (attrs, events, links):
        if table is not None and len(table.span) % width:
            raise _wrong_length("a column of attrs, events or links", "four bytes a row")


def _blob(field: str, value: bytes | str | None, width: int, rows: int | None) -> bytes:
    """Ids of `width` bytes each, from bin or hex; zeros when absent."""
    if value is None:
        return bytes(width * (rows or 0))
    found = from_hex(value) if isinstance(value, str) else value
    if found is None:
        raise Malformed("bad_hex", f"{field} is not hex text; write two digits for each byte")
    if len(found) % width or (rows is not None and len(found) != width * rows):
        raise _wrong_length(field, f"{width} bytes each" if rows is None else f"{rows} × {width} bytes")
    return found


def _wrong_length(field: str, due: str) -> Malformed:
    return Malformed("wrong_length", f"{field} has another length than it must have: {due}")


def _decode_packed(body: bytes, limits: Limits) -> Any:
    try:
        return _decoded(_PACKED, body)
    except UnicodeDecodeError:
        return _mended_packed(body, limits)
    except msgspec.DecodeError as error:
        raise Malformed("bad_msgpack", "the body is not whole MessagePack", offset=_offset(error, body)) from None


def _mended_packed(body: bytes, limits: Limits) -> Any:
    """The same body with U+FFFD for bytes that are not UTF-8."""
    try:
        loose = msgpack.unpackb(
            body, unicode_errors="replace", max_array_len=limits.strings, max_map_len=limits.strings
        )
        return msgspec.convert(loose, _PackedBody)
    except msgspec.ValidationError as error:
        raise _wrong_type(error) from None
    except ValueError:
        raise Malformed("bad_msgpack", "the body is not whole MessagePack, nor is its text UTF-8") from None


def _decode_json(body: bytes) -> Any:
    try:
        return _decoded(_JSON, body)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        mended = mend_json(body)
        if mended is not None:
            try:
                return _decoded(_JSON, mended)
            except msgspec.DecodeError:
                pass
        raise Malformed("bad_json", "the body is not whole JSON", offset=_offset(error, body)) from None


def _decoded(decoder: Any, body: bytes) -> Any:
    """What the decoder makes of the body. A wrong type or depth is refused here; broken syntax is the caller's."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        refusal: Refusal = _wrong_type(error)
        try:
            version = (msgspec.json if decoder is _JSON else msgspec.msgpack).decode(body, type=_Peek).v
        except (ValueError, RecursionError):
            version = VERSION
        if type(version) is int and version != VERSION:
            refusal = _another_version()
        raise refusal from None
    except RecursionError:
        raise TooLarge("too_deep", "the body is nested deeper than any field of the format") from None


def _wrong_type(error: msgspec.ValidationError) -> Malformed:
    """msgspec's messages name types and paths of known fields, never values or keys of the client."""
    message = str(error)
    found = _PATH.search(message)
    field = found[1] if found else ""
    expected = message.partition(" - at ")[0].replace("`", "").lower()
    where = f"{field}{found[2]}" if found and field else "the body"
    reason = {"id": "id", "n": "n", "v": "version"}.get(field, "wrong_type")
    return Malformed(reason, f"{where}: {expected}")


def _another_version() -> Malformed:
    return Malformed("version", f"v is missing or another version; this server speaks version {VERSION}")


def _offset(error: Exception, body: bytes) -> int | None:
    found = _OFFSET.search(str(error))
    if found:
        return int(found[1])
    return len(body) if "truncated" in str(error) else None
