"""sample: which accepted spans are stored whole, and how many spans each of them stands for.

By thresholds on the trace's randomness (`ingest.pipeline.thresholds`). Errors, slow requests and what users reported
form strata of their own that are kept whatever the rate. A threshold that the client applied already is part of the
inclusion probability.
"""

from collections.abc import Sequence

import numpy as np

from ingest.model import I32, I64, U8, DeviceClass, Kind, Mask, SpanBatch, Stratum
from ingest.pipeline.findings import Devices, Sampled, Weighed
from ingest.pipeline.thresholds import threshold, weight
from ingest.ports import Allotment, Demand, Rates
from ingest.settings import Sampling


class FixedRates:
    """Rates by device class alone, whatever the traffic."""

    def __init__(self, sampling: Sampling) -> None:
        self._slow_us = sampling.slow_us
        self._by_class = np.zeros(len(DeviceClass), dtype=np.int64)
        self._by_class[DeviceClass.UNKNOWN] = threshold(sampling.unknown)
        self._by_class[DeviceClass.LOW] = threshold(sampling.low)
        self._by_class[DeviceClass.MID] = threshold(sampling.mid)
        self._by_class[DeviceClass.HIGH] = threshold(sampling.high)

    def slow_us(self, app_ids: I32, routes: Sequence[str]) -> I64:
        """See `ingest.ports.Rates`."""
        del routes
        return np.full(len(app_ids), self._slow_us, dtype=np.int64)

    def allot(self, demand: Demand) -> Allotment:
        """See `ingest.ports.Rates`."""
        return Allotment(self._by_class[demand.device_class], np.zeros(len(demand.app_id), dtype=np.int64))


def sample(
    batch: SpanBatch,
    accepted: Mask,
    *,
    app_of_body: I32,
    origins: U8,
    devices: Devices,
    routes: I32,
    strings: Sequence[str],
    weighed: Weighed,
    rates: Rates,
) -> Sampled:
    """Decides by the trace's randomness alone, so that a trace is kept or left as a whole within a kind of spans.

    Args:
        accepted: (n,) spans that no stage rejected.
        app_of_body: (m,) app of each body.
        origins: (n,) `Origin` of each span.
        routes: (n,) codes into `strings`.
    """
    spans = batch.spans
    cells, cell = np.unique(
        np.stack(
            [
                app_of_body[batch.body_of_span].astype(np.int64),
                origins.astype(np.int64),
                devices.classes[spans.resource].astype(np.int64),
                routes.astype(np.int64),
            ]
        ),
        axis=1,
        return_inverse=True,
    )
    cell = cell.ravel()
    app_id, origin, device_class, route = cells
    names = [strings[code] for code in route.tolist()]
    slow_us = rates.slow_us(app_id.astype(np.int32), names)
    stratum = np.full(len(spans), Stratum.RANDOM, dtype=np.uint8)
    stratum[(spans.kind == Kind.CLIENT) & (spans.duration_us >= slow_us[cell])] = Stratum.SLOW
    stratum[spans.failed] = Stratum.ERROR
    stratum[batch.resources.reported[spans.resource]] = Stratum.REPORTED
    ordinary = stratum == Stratum.RANDOM
    allotment = rates.allot(
        Demand(
            app_id=app_id.astype(np.int32),
            origin=origin.astype(np.uint8),
            device_class=device_class.astype(np.uint8),
            routes=names,
            ordinary=np.bincount(cell[accepted & ordinary], minlength=len(names)),
            required=np.bincount(cell[accepted & ~ordinary], minlength=len(names)),
        )
    )
    asked = np.where(ordinary, allotment.ordinary[cell], allotment.required[cell])
    applied = np.maximum(weighed.declared, asked)
    kept = weighed.randomness >= applied
    return Sampled(kept=kept, weight=weight(applied), stratum=stratum, thinned=~ordinary & (asked > 0))
