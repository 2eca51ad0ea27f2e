"""What nobody says is told from the span itself; figures are never about two signals."""

from typing import Any

import numpy as np
import pytest

from client_sdk_spec.encoder import encode
from ingest.aggregate.catalog import Catalog
from ingest.aggregate.items import Counts
from ingest.aggregate.windows import fold
from ingest.decode.native import decode_native
from ingest.model import METRICS, REUSED, UNKNOWN, Phase, Processed, Repair, Signal
from ingest.outcome import Note
from ingest.pipeline.process import process
from ingest.pipeline.tell_signals import tell_signals
from ingest.ports import SeriesRow
from ingest.settings import Limits
from ingest.sketch import ABSENT
from tests.batches import built_in, policy, reception, spans_of

NOTHING: dict[str, Any] = {"url": "", "method": "", "http_status": UNKNOWN}
TTFB = [40_000 if phase == Phase.TTFB else UNKNOWN for phase in Phase]


def told(**span: Any) -> Signal:
    return Signal(tell_signals(spans_of([NOTHING | span])).spans.signal[0])


def run(*spans: dict[str, Any]) -> Processed:
    return process(spans_of(spans), [reception()], policy(), policy_of=built_in, country_of=lambda _: "BR")


def series_of(record: Processed, **limits: int) -> list[SeriesRow]:
    counts = Counts(record.strings, record.series, record.counted, record.summaries, record.summary_bins)
    return fold([counts], Catalog(0, {}, limits.get("limit", 100)))[0]


@pytest.mark.parametrize(
    "evidence",
    [{"url": "https://a.example/x"}, {"method": "GET"}, {"http_status": 0}, {"phases_us": TTFB}],
    ids=["url", "method", "status", "phase"],
)
def test_whatever_went_over_a_network_is_a_request(evidence: dict[str, Any]) -> None:
    assert told(**evidence) == Signal.REQUEST


def test_what_took_time_and_went_nowhere_is_an_operation() -> None:
    assert told() == Signal.OPERATION


@pytest.mark.parametrize("signal", [signal for signal in Signal if signal != Signal.REQUEST])
def test_what_a_client_says_is_believed(signal: Signal) -> None:
    assert told(signal=signal, url="https://a.example/x", method="GET") == signal


def test_phases_count_for_requests_alone() -> None:
    phases = [REUSED if phase == Phase.DNS else 30_000 if phase == Phase.TTFB else UNKNOWN for phase in Phase]
    record = run({"phases_us": phases}, {"phases_us": phases, "signal": Signal.PAGE})
    ttfb = record.counted.buckets[METRICS.index("ttfb")]
    assert ttfb[0] > 0
    assert (record.counted.buckets[1:, 1] == ABSENT).all()
    assert record.kept.batch.spans.phases_us[Phase.TTFB].tolist() == [30_000, 30_000]


def test_no_series_is_about_two_signals_even_where_one_stands_for_all_others() -> None:
    one = {"url": "https://a.example/x", "method": ""}
    record = run(*(one | {"signal": signal, "name": "x"} for signal in Signal))
    rows = series_of(record)
    assert {row.signal for row in rows if row.view == "all"} == {*Signal}
    assert len({row.series_id for row in rows}) == len(rows)
    crowded = series_of(record, limit=0)
    assert {row.signal for row in crowded if row.view == "route"} == {*Signal}
    assert len({row.series_id for row in crowded}) == len(crowded)


def test_events_are_compared_by_their_name_and_everything_else_at_a_page_by_the_page() -> None:
    page = {"url": "https://a.example/cart/77", "method": ""}
    record = run(page | {"signal": Signal.EVENT, "name": "session_start"}, page | {"signal": Signal.LCP, "name": "LCP"})
    routes = [record.strings[code] for code in record.kept.assigned.route.tolist()]
    assert routes == ["session_start", "a.example/cart/{id}"]


def test_what_was_repaired_is_noted() -> None:
    record = run({"repairs": 1 << Repair.FARO_OPAQUE | 1 << Repair.FARO_TLS_ON_HTTP}, {"repairs": 0})
    noted = dict(zip(record.notes.note.tolist(), record.notes.spans.tolist(), strict=True))
    assert noted[Note.REPAIRED_FARO_OPAQUE] == noted[Note.REPAIRED_FARO_TLS_ON_HTTP] == 1
    assert Note.REPAIRED_FARO_TCP_WITH_TLS not in noted


def test_every_repair_has_a_note() -> None:
    assert {f"REPAIRED_{repair.name}" for repair in Repair} == {
        note.name for note in Note if note.name.startswith("REPAIRED_")
    }


def test_a_signal_of_a_later_version_is_no_request() -> None:
    span = {
        "trace_id": "11" * 16,
        "span_id": "22" * 8,
        "name": "x",
        "start_us": 1,
        "duration_us": 1,
        "url": "http://a/",
    }
    numbers = [*range(len(Signal)), len(Signal), 255, 1 << 31, -1, -2]
    batch = {"id": "33" * 16, "spans": [span | {"signal": number} for number in numbers]}
    for encoding in ("json", "msgpack"):
        signals = decode_native([encode(batch, encoding)], Limits()).batch.spans.signal
        assert signals[: len(Signal)].tolist() == [*Signal]
        assert (signals[len(Signal) :] == Signal.OPERATION).all(), np.unique(signals)
