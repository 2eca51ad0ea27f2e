"""sample: which accepted spans are stored whole, and how many spans each of them stands for.

By thresholds on the trace's randomness (`ingest.pipeline.thresholds`). Errors, slow requests and what users reported
form strata of their own that are kept whatever the rate, unless they alone exceed the budget. A threshold that the
client applied already is part of the inclusion probability.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ingest.model import I32, I64, U8, UNKNOWN, DeviceClass, Kind, Mask, SpanBatch, Stratum
from ingest.pipeline.findings import Devices, Sampled, Weighed
from ingest.pipeline.thresholds import ALL, threshold, weight
from ingest.ports import Allotment, Demand, Published, Rates
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

    def stored(self, demand: Demand, spans: I64) -> None:
        """See `ingest.ports.Rates`."""

    def published(self, app_id: int, device_class: int) -> Published:
        """See `ingest.ports.Rates`."""
        del app_id
        return Published(int(self._by_class[device_class]), {}, self._slow_us, {})


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
    """Decides by randomness alone, so that a trace is kept or left as a whole within a kind of spans.

    A span whose client sent its randomness (`rv`) is asked about without its route: then all ordinary spans of a
    session that share one are kept or left together, as the client wants.

    Args:
        accepted: (n,) spans that no stage rejected.
        app_of_body: (m,) app of each body.
        origins: (n,) `Origin` of each span.
        routes: (n,) codes into `strings`.
    """
    spans = batch.spans
    kinds = (
        (app_of_body[batch.body_of_span].astype(np.int64) << _APP)
        | (origins.astype(np.int64) << _ORIGIN)
        | (devices.classes[spans.resource].astype(np.int64) << _CLASS)
        | routes
    )
    cells, cell = np.unique(kinds, return_inverse=True)
    slow_us = rates.slow_us((cells >> _APP).astype(np.int32), [strings[code] for code in (cells & _ROUTES).tolist()])
    stratum = np.full(len(spans), Stratum.RANDOM, dtype=np.uint8)
    stratum[(spans.kind == Kind.CLIENT) & (spans.duration_us >= slow_us[cell.ravel()])] = Stratum.SLOW
    stratum[spans.failed] = Stratum.ERROR
    stratum[batch.resources.reported[spans.resource]] = Stratum.REPORTED
    ordinary = stratum == Stratum.RANDOM
    with_own = ordinary & (spans.randomness != UNKNOWN)
    if with_own.any():
        kinds[with_own] &= ~_ROUTES
        cells, cell = np.unique(kinds, return_inverse=True)
    cell = cell.ravel()
    demand = _demand(cells, cell, strings, weighed, (accepted & ordinary, accepted & ~ordinary))
    allotment = rates.allot(demand)
    asked = np.where(ordinary, allotment.ordinary[cell], allotment.required[cell])
    applied = np.maximum(weighed.declared, asked)
    kept = weighed.randomness >= applied
    rates.stored(demand, np.bincount(cell[accepted & kept], minlength=len(cells)))
    return Sampled(
        kept=kept,
        weight=np.where(weighed.stands_for == 0, 0.0, weight(applied)),
        stratum=stratum,
        thinned=~ordinary & (asked > 0),
        barred=asked >= ALL,
    )


_APP, _ORIGIN, _CLASS = 32, 31, 29
_ROUTES = np.int64((1 << _CLASS) - 1)
"""Where app, origin, device class and route stand in the number of a kind."""


def _demand(
    cells: I64, cell: npt.NDArray[np.intp], strings: Sequence[str], weighed: Weighed, spans: tuple[Mask, Mask]
) -> Demand:
    ordinary, required = spans
    count = len(cells)
    received = np.bincount(cell[ordinary], minlength=count)
    meant = received
    if weighed.declared.any():
        meant = np.rint(np.bincount(cell[ordinary], weight(weighed.declared[ordinary]), count)).astype(np.int64)
    return Demand(
        app_id=(cells >> _APP).astype(np.int32),
        origin=(cells >> _ORIGIN & 1).astype(np.uint8),
        device_class=(cells >> _CLASS & 3).astype(np.uint8),
        routes=[strings[code] for code in (cells & _ROUTES).tolist()],
        ordinary=meant,
        received=received,
        required=np.bincount(cell[required], minlength=count),
    )
