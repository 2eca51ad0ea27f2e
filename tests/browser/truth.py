"""A seeded world as its devices know it, sent through a real edge; and how the dashboard's texts compare with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

from client_sdk_spec import encoder
from tests.service import Service

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
HOURS = 6
"""How long the range is that is looked at; the world began as long before it, and half an hour."""
PHASES = ("redirect", "blocked", "dns", "tcp", "tls", "request", "ttfb", "download")
REUSED, UNKNOWN = -1, -2
ROUTES = {"/checkout": 0.2, "/cart": 0.3, "/search": 0.5}
VITALS = {"lcp": (7, 2_200_000), "inp": (8, 180_000), "cls": (9, 70_000), "fcp": (10, 1_500_000), "ttfb": (11, 700_000)}
"""Signal's number on the wire, and the median."""
ERROR_BOUND = 0.01
ROUNDING = 0.006
"""Three significant digits."""


@dataclass
class World:
    """Every span that was sent: a dict each, with its version, device class and vital."""

    until_us: int
    spans: list[dict[str, Any]] = field(default_factory=list)

    def requests(self, from_us: int, to_us: int, **wanted: str) -> list[dict[str, Any]]:
        """Requests that began in a stretch of time and are all of this."""
        return [
            span
            for span in self.spans
            if span["signal"] == 0
            and from_us <= span["start_us"] < to_us
            and all(span[name] == value for name, value in wanted.items())
        ]

    def vitals(self, vital: str, from_us: int, to_us: int) -> np.ndarray:
        """Values of a vital."""
        number, _ = VITALS[vital]
        return durations(
            [span for span in self.spans if span["signal"] == number and from_us <= span["start_us"] < to_us]
        )


def durations(spans: Sequence[dict[str, Any]]) -> np.ndarray:
    """Of spans, ascending, in µs."""
    return np.sort(np.array([span["duration_us"] for span in spans], np.int64))


def failed(span: dict[str, Any]) -> bool:
    """As the product counts errors."""
    return bool(span.get("http_status", 200) >= 400 or span.get("http_status", 200) == 0 or span.get("status") == 2)


def quantile(values: np.ndarray, q: float) -> float:
    """By lower rank."""
    return float(np.sort(values)[int(q * (len(values) - 1))])


async def send(service: Service, until_us: int, seed: int) -> World:
    """150 sessions of a shop over 12 hours and a half; version 2.0 is released two hours before the end."""
    rng = np.random.default_rng(seed)
    world = World(until_us)
    # Before the range, in it, and a crowd in the minute of the release.
    starts = [until_us - (2 * HOURS + 0.5 - at / 10) * HOUR_US for at in range(65)]
    starts += [until_us - HOURS * HOUR_US + at * HOURS * HOUR_US / 70 for at in range(70)]
    starts += [until_us - 2 * HOUR_US + 1_000_000] * 15
    async with aiohttp.ClientSession() as session:
        for number, start in enumerate(starts):
            version = "2.0" if start > until_us - 2 * HOUR_US and number % 2 == 0 else "1.0"
            low = number % 3 == 0
            spans = list(_session(rng, int(start), slow=2.0 if version == "2.0" and low else 1.0))
            batch = {
                "id": f"{seed:016x}{number:016x}",
                "resource": {
                    "service": "shop",
                    "version": version,
                    "session": f"session {number}",
                    "network": "wifi",
                    "memory_mb": 1024 if low else 16_384,
                    "cores": 2 if low else 12,
                },
                "clock": {"kind": "wall"},
                "spans": spans,
            }
            address = f"{service.edge}/v1/batches?key={service.client_key}"
            async with session.post(address, data=encoder.encode(batch, "json")) as answer:
                assert answer.status == 202
                assert (await answer.json())["accepted"] == len(spans)
            world.spans += [span | {"version": version, "device": "low" if low else "high"} for span in spans]
    await service.drained()
    return world


def _session(rng: np.random.Generator, start_us: int, slow: float) -> list[dict[str, Any]]:
    """Fourteen requests and one value of each vital, all within ten seconds."""
    spans: list[dict[str, Any]] = []
    for place in range(14):
        path = str(rng.choice(list(ROUTES), p=list(ROUTES.values())))
        phases = {name: int(rng.lognormal(10.3, 0.8) * slow) for name in PHASES}
        for name in ("redirect", "dns", "tcp", "tls"):
            if rng.random() < 0.6:
                phases[name] = REUSED
        if rng.random() < 0.1:
            phases = dict.fromkeys(PHASES, UNKNOWN)
        status = int(rng.choice([200, 404, 503, 0], p=[0.9, 0.03, 0.05, 0.02]))
        if status == 0:
            phases |= {"ttfb": UNKNOWN, "download": UNKNOWN}
        spent = sum(us for us in phases.values() if us > 0)
        span: dict[str, Any] = {
            "signal": 0,
            "name": path,
            "method": "GET",
            "url": f"https://shop.example{path}",
            "route": path,
            "duration_us": spent + int(rng.lognormal(11.5, 1.0) * slow),
            "http_status": status,
            **{f"{name}_us": us for name, us in phases.items()},
        }
        if phases["ttfb"] > 0 and rng.random() < 0.5:
            took_us = max(int(phases["ttfb"] * rng.uniform(0.2, 0.9)) // 1000, 1) * 1000
            span["attributes"] = {"http.response.header.server-timing": f"total;dur={took_us / 1000:.0f}"}
            span["server_us"] = took_us
        spans.append(span | {"start_us": start_us + place * 500_000})
    for number, median_us in VITALS.values():
        value = int(rng.lognormal(np.log(median_us), 0.7))
        vital = {"signal": number, "kind": 1, "name": "vital", "url": "https://shop.example/cart", "duration_us": value}
        spans.append(vital | {"start_us": start_us + number * 500_000})
    for span in spans:
        span |= {"trace_id": rng.bytes(16).hex(), "span_id": rng.bytes(8).hex()}
    return spans


UNITS_US = {"µs": 1.0, "ms": 1e3, "s": 1e6, "min": 60e6, "h": 3600e6}


def as_us(text: str) -> float:
    """A duration as the page writes it."""
    found = re.fullmatch(r"(?:≈\s*)?([\d.]+)\s(µs|ms|s|min|h)", text.strip())
    assert found, text
    return float(found[1]) * UNITS_US[found[2]]


def as_count(text: str) -> int:
    """A number below ten thousand as the page writes it."""
    return int(re.sub(r"[≈\s]", "", text))


def assert_us(text: str, exact_us: float) -> None:
    """A duration shown is within the sketch's bound of the true one, but for rounding."""
    assert abs(as_us(text) - exact_us) <= exact_us * (ERROR_BOUND + ROUNDING), (text, exact_us)


def assert_share(text: str, exact: float, bound: float = 0.0) -> None:
    """A share shown is the true one, rounded."""
    found = re.fullmatch(r"([<>]?)(\d+)(\.\d+)?\s%", text.strip())
    assert found, text
    if found[1]:
        assert 0 < exact < 0.001 or 0.999 < exact < 1, (text, exact)
        return
    half = 0.05 if found[3] else 0.5
    assert abs(float(found[2] + (found[3] or "")) - exact * 100) <= half + bound * 100 + 1e-6, (text, exact)
