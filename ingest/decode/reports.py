"""Reports that browsers send by themselves (Reporting API) → one `SpanBatch` for many bodies.

    from ingest.decode.reports import decode_reports
    decoded = decode_reports([body], Limits())

A body is an array of reports, `{age, type, url, user_agent, body}` (https://www.w3.org/TR/reporting-1/), or one report;
also the older `{"csp-report": {…}}`. What becomes of each:

    network-error    a `report`: a request that failed, or did not, where no page may ever have loaded
                     (Network Error Logging, https://www.w3.org/TR/network-error-logging/)
    crash            an `exception`
    anything else    an `event` named by its type, with the plain fields of its body as attributes

Browsers say how long ago something happened, not when: clocks of devices are wrong. So the body's clock is a monotonic
one that reads `SENT_US` when the request was sent, which is what the edge takes for its send stamp.

A sampled network error counts for 1 / `sampling_fraction`: its threshold is that fraction's, its randomness is drawn
above it by the body's hash. Never kept: `server_ip`, `user_agent`, and request and response headers.

A browser that got no answer sends the same reports again with other ages, perhaps with more beside them. Nothing in
them tells that: such reports count twice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np

from ingest.decode.mend import mend_json
from ingest.decode.otlp_rows import check_spans
from ingest.decode.report_fields import MOST_FIELDS, fields_of, word
from ingest.decode.signal_rows import SignalRows, build_signals, text
from ingest.errors import Malformed, Refusal, TooLarge
from ingest.model import ClockKind, Decoded, Kind, Signal
from ingest.settings import Limits

SENT_US: Final = 1 << 52
"""What the clock of every body reads when it is sent: so late that no age that is believed leads before its epoch."""

_ALL: Final = 1 << 56
_MS: Final = 1_000_000
_OLDEST_MS: Final = (SENT_US // 1000) // 4
_OPENERS_PER_REPORT: Final = 64


class ReportRows(SignalRows):
    """Everything read of a micro-batch of reports."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.pairs = self.memo(lambda token: self.span_pairs.add(*token))
        self.digest = b""
        """Of the body begun last."""

    def draw(self) -> int:
        """A number for the row added last: as good as drawn, and the same for the same body."""
        place = len(self.names) - self.first_row
        return int.from_bytes(blake2b(self.digest + place.to_bytes(4), digest_size=8).digest())


def decode_reports(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """Decodes inflated bodies of the Reporting API.

    Returns:
        One batch of all reports in order, and for each bad body a `Malformed` or `TooLarge`; it touches no other body.
        A report of another shape is a span that will be rejected.
    """
    rows = ReportRows(limits)
    faults: dict[int, Exception] = {}
    digests = [blake2b(body, digest_size=16).digest() for body in bodies]
    for number, body in enumerate(bodies):
        rows.begin(number)
        rows.digest = digests[number]
        try:
            _read(body, rows)
        except Refusal as refusal:
            rows.undo()
            faults[number] = refusal.detached()
    batch = build_signals(rows, digests)
    monotonic = np.full(len(bodies), ClockKind.MONOTONIC, dtype=np.uint8)
    return Decoded(replace(batch, bodies=replace(batch.bodies, clock=monotonic)), faults, rows.trimmed)


def _read(body: bytes, rows: ReportRows) -> None:
    """Appends the body's reports.

    Raises:
        Malformed: not a body of the Reporting API.
        TooLarge: too many reports or values, or too deep.
    """
    if body.count(b"{") + body.count(b"[") > rows.limits.spans * _OPENERS_PER_REPORT:
        raise TooLarge("too_many_values", "the body has too many objects and arrays; send fewer reports at once")
    reports = _reports(_parse(body))
    check_spans(len(reports), rows.limits)
    if not reports:
        return
    rows.open_resource(())
    for given in reports:
        report = given if isinstance(given, dict) else {}
        said = report.get("body")
        if isinstance(report.get("type"), str) and report["type"]:
            _add(rows, report, said if isinstance(said, dict) else {})
        else:
            rows.add_unreadable()


def _parse(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        mended = mend_json(body)
    except RecursionError:
        raise _too_deep() from None
    try:
        return msgspec.json.decode(body if mended is None else mended)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("bad_json", "the body is not JSON; check Content-Encoding and encoder") from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> TooLarge:
    return TooLarge("too_deep", "the body is nested deeper than any field of the format")


def _reports(parsed: Any) -> list[Any]:
    if isinstance(parsed, list):
        return parsed
    if isinstance(parsed, dict):
        old = parsed.get("csp-report")
        if isinstance(old, dict):
            return [{"type": "csp-violation", "url": old.get("document-uri"), "age": 0, "body": old}]
        if "type" in parsed:
            return [parsed]
    raise Malformed("bad_reports", "the body is neither an array of reports nor a csp-report")


def _add(rows: ReportRows, report: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    kind = word(report["type"])
    age_ms = _milliseconds(report.get("age", 0))
    page = rows.pairs["url.full", text(report.get("url"))]
    if kind == "network-error":
        _add_network_error(rows, said, page, age_ms)
        return
    crashed = kind == "crash"
    named = fields_of(kind, said)
    pairs = [page, *(rows.pairs[name, value] for name, value in rows.first(named, MOST_FIELDS))]
    signal = Signal.EXCEPTION if crashed else Signal.EVENT
    rows.add(kind, signal, _times(age_ms, 0), pairs, failed=crashed)


def _add_network_error(rows: ReportRows, said: Mapping[str, Any], url: int, age_ms: float) -> None:
    kind, status = word(said.get("type")), said.get("status_code")
    answered = isinstance(status, int) and status > 0
    fine = kind == "ok"
    named = {
        "http.response.status_code": str(status) if answered else "" if fine else "0",
        "error.type": "" if fine else kind,
        "http.request.method": text(said.get("method")),
        "network.protocol.version": text(said.get("protocol")),
        "http.request.header.referer": text(said.get("referrer")),
        "nel.phase": word(said.get("phase")),
    }
    pairs = [url, *(rows.pairs[name, value] for name, value in named.items() if value)]
    times = _times(age_ms, _milliseconds(said.get("elapsed_time", 0)))
    row = rows.add("network-error", Signal.REPORT, times, pairs, kind=Kind.CLIENT, failed=not fine)
    fraction = said.get("sampling_fraction")
    if isinstance(fraction, float) and 0 < fraction < 1:
        threshold = min(_ALL - round(fraction * _ALL), _ALL - 1)
        rows.sampling.append((row, threshold, threshold + rows.draw() % (_ALL - threshold)))


def _milliseconds(value: Any) -> float:
    """From 0; NaN for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _OLDEST_MS:
        return math.nan
    return value


def _times(age_ms: float, elapsed_ms: float) -> tuple[int, int]:
    """Start and duration in ns of what ended `age_ms` before it was sent."""
    if math.isnan(age_ms):
        return 0, -1
    if math.isnan(elapsed_ms):
        return (SENT_US * 1000) - round(age_ms * _MS), -1
    return (SENT_US * 1000) - round((age_ms + elapsed_ms) * _MS), round(elapsed_ms * _MS)
