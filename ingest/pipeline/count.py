"""count: for every accepted span the series it belongs to, its window, and its sketch bucket per metric.

This happens before sampling, so percentiles and counts come from 100 % of the spans. A series here is the full
combination of dimensions; the aggregator folds it into the configured views. What a client sketched instead of sending
becomes rows beside those of the spans; what it left out without a sketch is counted by the spans that stand for it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ingest import sketch
from ingest.model import (
    I32,
    VERSION_CHARS,
    WINDOW_US,
    Counted,
    DeviceClass,
    Phase,
    Reception,
    Series,
    Signal,
    SketchBins,
    SpanBatch,
    Summaries,
    no_sketches,
    short_name,
)
from ingest.pipeline.findings import Found, Weighed
from ingest.pipeline.strings import StringTable


def count(
    batch: SpanBatch, receptions: Sequence[Reception], found: Found, weighed: Weighed, table: StringTable
) -> tuple[Series, Counted, Summaries, SketchBins]:
    """The distinct series of the micro-batch, and the counting columns of its accepted spans and clients' sketches."""
    senders, sender_of = _distinct_senders(batch, receptions, found, table)
    spans, sketches = batch.spans, batch.sketches
    rows = np.flatnonzero(found.accepted & (weighed.stands_for > 0))
    sets = np.flatnonzero(found.placed.accepted)
    routes = np.concatenate([found.routes[rows], found.sketched_routes[sets]])
    resources = np.concatenate([spans.resource[rows], sketches.resource[sets]])
    signals = np.concatenate([spans.signal[rows], found.sketched_signals[sets]])
    keys = (routes.astype(np.int64) * senders.shape[1] + sender_of[resources]) * len(Signal) + signals
    distinct, inverse = np.unique(keys, return_inverse=True)
    series_of = inverse.astype(np.int32)
    distinct, signal = np.divmod(distinct, len(Signal))
    route, sender = np.divmod(distinct, max(senders.shape[1], 1))
    values = np.concatenate([route[np.newaxis], senders[1:, sender]]).astype(np.int32)
    phases = np.where(spans.signal[rows] == Signal.REQUEST, spans.phases_us[:, rows], sketch.ABSENT)
    measured = np.concatenate([spans.duration_us[np.newaxis, rows], phases])
    return (
        Series(app_id=senders[0, sender].astype(np.int32), signal=signal.astype(np.uint8), values=values),
        Counted(
            body=batch.body_of_span[rows],
            series=series_of[: len(rows)],
            window=found.anchored.start_at_us[rows] // WINDOW_US,
            error=spans.failed[rows],
            buckets=sketch.bucket(measured),
            session=found.identities[spans.resource[rows]],
            stands_for=weighed.stands_for[rows],
        ),
        *_summarise(batch, found, sets, series_of[len(rows) :]),
    )


def _summarise(batch: SpanBatch, found: Found, sets: npt.NDArray[np.intp], series: I32) -> tuple[Summaries, SketchBins]:
    """The sketch sets that count, each in its series and window."""
    if not len(sets):
        return no_summaries()
    sketches = batch.sketches.take(sets)
    place = np.full(len(batch.sketches), -1, dtype=np.int32)
    place[sets] = np.arange(len(sets), dtype=np.int32)
    bins = batch.sketch_bins.take(place[batch.sketch_bins.owner] >= 0)
    summaries = Summaries(
        body=batch.resources.body[sketches.resource],
        series=series,
        window=found.placed.at_us[sets] // WINDOW_US,
        spans=sketches.spans,
        errors=sketches.errors,
        reused=sketches.reused,
        unknown=sketches.unknown,
        session=found.identities[sketches.resource],
    )
    return summaries, replace(bins, owner=place[bins.owner])


def no_summaries() -> tuple[Summaries, SketchBins]:
    """Of a micro-batch whose clients sent no sketches."""
    codes, numbers, by_phase = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros((len(Phase), 0), np.int64)
    _, bins = no_sketches()
    return Summaries(codes, codes, numbers, numbers, numbers, by_phase, by_phase, numbers), bins


def _distinct_senders(
    batch: SpanBatch, receptions: Sequence[Reception], found: Found, table: StringTable
) -> tuple[I32, I32]:
    """The distinct senders and each resource's place among them: app, then `DIMENSIONS` without the route, as rows."""
    resources = batch.resources
    app_ids = np.array([reception.app_id for reception in receptions], dtype=np.int32)
    classes = table.codes([device_class.name.lower() for device_class in DeviceClass])
    unknown = table.code("unknown")

    def known(codes: I32) -> I32:
        return np.where(codes == 0, np.int32(unknown), codes)

    network = table.codes([short_name(batch.strings[code]) for code in resources.network.tolist()])
    version = table.codes([batch.strings[code][:VERSION_CHARS] for code in resources.version.tolist()])
    rows = np.stack(
        [
            app_ids[resources.body],
            known(version),
            known(found.countries),
            classes[found.devices.classes],
            known(network),
            known(found.devices.os),
        ]
    )
    distinct, place = np.unique(rows, axis=1, return_inverse=True)
    return distinct, place.astype(np.int32).ravel()
