"""judge_phases: phases that contradict themselves, their span or each other become unknown, and are counted.

What a phase is, and what each kind of client must send: `client_sdk_spec/PHASES.md`. Nothing is repaired here. A number
that cannot be is not replaced by a likely one, and a phase that did not happen (REUSED) stays what it is.

Some that look wrong are legal and pass: a name looked up for a connection that was then not needed, TLS over a TCP
connection to a proxy that was there before, TLS for an `http:` address that was redirected.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ingest.model import I32, I64, REUSED, UNKNOWN, Mask, Phase, SpanBatch
from ingest.outcome import Note
from ingest.pipeline.findings import Noted
from ingest.pipeline.server_timing import read_entries, read_values, server_time

TOLERANCE_US: Final = 1_000
"""By how much phases may exceed their span: OpenTelemetry's web SDK cuts start and end of a fetch to whole milliseconds
(`Date.now()`), and the stamps between them come from a finer clock."""

SERVER_TIMING: Final = frozenset({"http.response.header.server-timing", "http.response.header.server_timing"})
"""Attribute of the semantic conventions: the header as the answer brought it. With `_` by SDKs from before 1.21."""

_HTTP3: Final = ("h3", "http/3", "3", "quic")
_LONGEST_US: Final = 1 << 58
"""Above all believable durations; eight of it fit into 64 bits."""


def judge_phases(batch: SpanBatch) -> tuple[SpanBatch, Sequence[Noted]]:
    """The batch with believable phases only, and what was found.

    Decoders leave an impossible phase below UNKNOWN. A phase is measured when it is 0 or more; what is said of it here
    holds for every format.
    """
    spans = batch.spans
    phases = spans.phases_us
    wrong = _impossible(batch)
    impossible: Mask = np.bitwise_or.reduce(wrong, axis=0)
    interim = _interim(batch)
    if interim.any():
        wrong[[Phase.TTFB, Phase.DOWNLOAD]] |= interim
    none: Mask = np.zeros(len(spans), dtype=np.bool_)
    negative = too_long = exceeding = none
    if phases.min(initial=0) < UNKNOWN:
        below = phases < UNKNOWN
        wrong |= below
        negative = np.bitwise_or.reduce(below, axis=0)
    longest = np.clip(spans.duration_us, 0, _LONGEST_US) + TOLERANCE_US
    if (_sum(phases) > longest).any():
        above = phases > longest
        wrong |= above
        too_long = np.bitwise_or.reduce(above, axis=0)
        exceeding = _sum(np.where(wrong, UNKNOWN, phases)) > longest
        wrong |= exceeding & (phases >= 0)
    notes: Sequence[Noted] = (
        (Note.PHASE_NEGATIVE, negative),
        (Note.PHASE_TOO_LONG, too_long),
        (Note.PHASES_EXCEED, exceeding),
        (Note.PHASE_IMPOSSIBLE, impossible),
        (Note.TTFB_INTERIM, interim),
    )
    if not wrong.any():
        return batch, notes
    return replace(batch, spans=replace(spans, phases_us=np.where(wrong, UNKNOWN, phases))), notes


def _sum(phases: I64) -> I64:
    """(n,) how long the measured phases are together; those beyond all belief stay beyond it."""
    together: I64 = np.minimum(np.maximum(phases, 0), _LONGEST_US).sum(axis=0)
    return together


def _impossible(batch: SpanBatch) -> Mask:
    """(8, n) measured phases that cannot have happened to this request."""
    spans = batch.spans
    phases = spans.phases_us
    impossible = np.zeros(phases.shape, dtype=np.bool_)
    unanswered = spans.http_status == 0
    impossible[Phase.TTFB] = unanswered & (phases[Phase.TTFB] >= 0)
    impossible[Phase.DOWNLOAD] = unanswered & (phases[Phase.DOWNLOAD] >= 0)
    # An unknown redirect may have led from http to https: the phases are those of the last request, the URL the first.
    secured = np.flatnonzero((phases[Phase.TLS] >= 0) & (phases[Phase.REDIRECT] == REUSED))
    impossible[Phase.TLS, secured] = _start_with(batch.strings, spans.url[secured], ("http:",))
    connected = np.flatnonzero((phases[Phase.TCP] >= 0) & (spans.protocol != 0))
    impossible[Phase.TCP, connected] = _start_with(batch.strings, spans.protocol[connected], _HTTP3)
    return impossible


def _start_with(strings: Sequence[str], codes: I32, words: tuple[str, ...]) -> Mask:
    """Which texts begin with one of the words, whatever the case of their letters."""
    longest = max(map(len, words))
    distinct = set(codes.tolist())
    matching = [code for code in distinct if strings[code][:longest].lower().startswith(words)]
    return np.isin(codes, matching) if matching else np.zeros(len(codes), dtype=np.bool_)


def _interim(batch: SpanBatch) -> Mask:
    """(n,) spans whose first byte came before the server was done, by its own word: that of an interim answer."""
    interim = np.zeros(len(batch.spans), dtype=np.bool_)
    attributes, strings = batch.attributes, batch.strings
    keys = np.flatnonzero(np.bincount(attributes.key, minlength=1))
    telling = [key for key in keys.tolist() if strings[key].lower() in SERVER_TIMING]
    if not telling:
        return interim
    rows = np.flatnonzero(np.isin(attributes.key, telling))
    owner = attributes.owner[rows]
    ttfb_us = batch.spans.phases_us[Phase.TTFB, owner]
    rows, owner, ttfb_us = (column[ttfb_us >= 0] for column in (rows, owner, ttfb_us))
    interim[owner[_server_us(strings, attributes.value[rows]) > ttfb_us + TOLERANCE_US]] = True
    return interim


def _server_us(strings: Sequence[str], codes: I32) -> I64:
    """How long the server says it took, or UNKNOWN."""
    distinct, of = np.unique(codes, return_inverse=True)
    times = [_read_time(strings[code]) for code in distinct.tolist()]
    return np.array(times, dtype=np.int64)[of]


def _read_time(header: str) -> int:
    return server_time([entry for value in read_values(header) for entry in read_entries(value)])
