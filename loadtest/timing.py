"""How long the requests of a visit take, phase by phase: log-normal with heavy tails, columns in and columns out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loadtest.world import App, Country, Device, Endpoint, Network

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

PHASES = ("redirect", "blocked", "dns", "tcp", "tls", "request", "ttfb", "download")
REUSED = -1
UNKNOWN = -2

REUSED_SHARE = 0.7
"""Share of requests on a pooled connection."""
TIMEOUT_US = 10_000_000
FAILURE_RATE = {"wifi": 0.006, "4g": 0.012, "3g": 0.035, "wired": 0.002}
"""Share of requests that fail without an answer, by network."""
_FAILURES = ("timeout", "name_not_resolved", "connection_reset")


@dataclass(frozen=True, slots=True)
class Timed:
    """One row per request."""

    phases_us: I64
    """(8, r) by `PHASES`, with the marks REUSED and UNKNOWN."""
    duration_us: I64
    """At least the sum of the measured phases."""
    http_status: I64
    """0 when it failed without an answer."""
    response_bytes: I64
    error_type: list[str]
    protocol: list[str]


def time_requests(
    rng: np.random.Generator,
    app: App,
    endpoint_of: I64,
    *,
    device: Device,
    network: Network,
    country: Country,
    version: str,
) -> Timed:
    """Times the requests to `app.endpoints[endpoint_of]` made on one device over one network."""
    count = len(endpoint_of)
    endpoints = [app.endpoints[e] for e in endpoint_of.tolist()]
    protocol = rng.choice(np.array(["h2", "h1", "h3"]), count, p=[0.7, 0.12, 0.18])
    phases_us = _phases(rng, endpoints, device=device, network=network, country=country, protocol=protocol)
    for regression in app.regressions:
        if (regression.version, regression.device_class, regression.country) == (
            version,
            device.device_class,
            country.code,
        ):
            slower = endpoint_of == regression.endpoint
            row = PHASES.index(regression.phase)
            phases_us[row, slower] += rng.lognormal(np.log(regression.median_us), 0.35, slower.sum()).astype(np.int64)

    http_status = np.full(count, 200, dtype=np.int64)
    wrong = rng.random(count) < np.array([e.error_rate for e in endpoints])
    http_status[wrong] = np.array([e.error_status for e in endpoints], dtype=np.int64)[wrong]
    error_type = np.where(wrong, http_status.astype(str), "").astype(object)
    duration_us = np.where(phases_us > 0, phases_us, 0).sum(axis=0) + rng.integers(100, 900, count)

    lost = rng.random(count) < FAILURE_RATE[network.name]
    _fail(rng, lost, phases_us, duration_us, error_type)
    http_status[lost] = 0
    response_bytes = (np.array([e.response_bytes for e in endpoints]) * rng.lognormal(0, 0.3, count)).astype(np.int64)
    response_bytes[lost] = UNKNOWN
    if device.platform == "web":
        opaque = np.array([e.opaque for e in endpoints], dtype=bool)
        phases_us[:, opaque] = UNKNOWN
        response_bytes[opaque] = UNKNOWN
    return Timed(
        phases_us=phases_us,
        duration_us=duration_us,
        http_status=http_status,
        response_bytes=response_bytes,
        error_type=error_type.tolist(),
        protocol=np.where(lost, "", protocol).tolist(),
    )


def _phases(
    rng: np.random.Generator,
    endpoints: list[Endpoint],
    *,
    device: Device,
    network: Network,
    country: Country,
    protocol: npt.NDArray[np.str_],
) -> I64:
    count = len(endpoints)
    slowness = {"low": 6.0, "mid": 2.0}.get(device.device_class, 1.0)

    def about(median_us: npt.ArrayLike, sigma: float) -> I64:
        return (np.asarray(median_us) * rng.lognormal(0, sigma, count)).astype(np.int64) + 1

    pooled = rng.random(count) < REUSED_SHARE
    rtt_us = about(network.rtt_us * country.distance, 0.35)
    server_us = about([e.server_us for e in endpoints], 0.5)
    server_us[rng.random(count) < 0.02] *= 7
    up_us = np.array([e.request_bytes for e in endpoints]) / network.bytes_per_s * 4e6
    down_us = np.array([e.response_bytes for e in endpoints]) / network.bytes_per_s * 1e6
    return np.stack(
        [
            np.where(rng.random(count) < 0.01, rtt_us * 2, REUSED),
            np.where(rng.random(count) < 0.1, about(40_000, 0.8), about(600 * slowness, 0.9)),
            np.where(pooled | (rng.random(count) < 0.2), REUSED, about(network.dns_us * country.distance, 0.8)),
            np.where(pooled | (protocol == "h3"), REUSED, about(rtt_us, 0.2)),
            np.where(pooled, REUSED, about(rtt_us * 1.2 + 1_500 * slowness, 0.25)),
            about(150 * slowness + up_us, 0.4),
            rtt_us + server_us,
            about(300 * slowness + down_us, 0.5),
        ]
    ).astype(np.int64)


def _fail(
    rng: np.random.Generator, lost: Mask, phases_us: I64, duration_us: I64, error_type: npt.NDArray[np.object_]
) -> None:
    """Cuts the lost requests short in place: what came after the failure is unknown, never 0."""
    kinds = rng.integers(len(_FAILURES), size=len(lost))
    for kind, name in enumerate(_FAILURES):
        rows = lost & (kinds == kind)
        if not rows.any():
            continue
        error_type[rows] = name
        known = PHASES.index("dns" if name == "name_not_resolved" else "ttfb")
        phases_us[known:, rows] = UNKNOWN
        reached_us = np.where(phases_us[:, rows] > 0, phases_us[:, rows], 0).sum(axis=0)
        waited_us = TIMEOUT_US if name == "timeout" else rng.integers(20_000, 900_000, int(rows.sum()))
        duration_us[rows] = reached_us + waited_us
