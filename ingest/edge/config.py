"""`GET /v1/config`: what a client may sample away itself, signed; a spare way to set its clock.

One answer serves all devices of an app and class. It is made, signed and hashed once in `FRESH_S` however often it is
asked for, so a flood of requests costs look-ups. The rates in it are coarse, so that the answer seldom changes: a
client is never told to keep less than the edge would, and the edge leaves out the rest.

The format is in client_sdk_spec/CONFIG.md.
"""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import orjson

from ingest.device_classes import DEVICES, Agent, Device, DeviceTable
from ingest.errors import Malformed
from ingest.model import UNKNOWN, DeviceClass
from ingest.pipeline.thresholds import ALL, encode, threshold
from ingest.ports import Published, Rates
from ingest.signing import Signer

FORMAT = 1
TTL_S = 300
"""How long clients keep an answer."""
FRESH_S = 5.0
ROUTES = 50
"""Most routes with a rate, and most with a duration, of their own."""
LEAST_PROBABILITY = 2.0**-13
"""The edge believes a client's threshold up to a weight of 10,000 (`ingest.settings.Sampling.max_weight`)."""
ALWAYS = ("error", "slow", "reported")
"""What clients send whatever the rate, and without declaring one."""
_DIGITS_KEPT = 6
_ROUNDING = 1e-9


class Config(NamedTuple):
    """An answer."""

    body: bytes
    etag: str
    signature: str


class Configs:
    """The answers of every app and device class.

    Args:
        rates: those in force.
        signer: signs each answer.
        agent_of: what a User-Agent says.
        device_table: which devices are low, mid and high.
        may_send: whether clients of an app are to send at all.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        rates: Rates,
        signer: Signer,
        agent_of: Callable[[str], Agent],
        device_table: DeviceTable = DEVICES,
        *,
        may_send: Callable[[int], bool] = lambda _: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates, self._signer, self._clock = rates, signer, clock
        self._agent_of, self._device_table, self._may_send = agent_of, device_table, may_send
        self._made: dict[tuple[int, DeviceClass], tuple[float, Config]] = {}

    def of(self, app_id: int, device_class: DeviceClass) -> Config:
        """The answer to a client of this app and class, at most `FRESH_S` old."""
        now = self._clock()
        made_at, config = self._made.get((app_id, device_class), (-math.inf, None))
        if config is None or now - made_at >= FRESH_S:
            rates = self._rates.published(app_id, device_class)
            body = _write(app_id, device_class, rates, send=self._may_send(app_id))
            if config is None or body != config.body:
                etag = hashlib.blake2b(body, digest_size=16).hexdigest()
                config = Config(body, f'"{etag}"', self._signer.sign(body))
            self._made[app_id, device_class] = (now, config)
        return config

    def class_of(self, query: Mapping[str, str], hints: Mapping[str, str], user_agent: str) -> DeviceClass:
        """The class of the device that asks, from parameters os, model, memory_mb and cores, then from its headers.

        Raises:
            Malformed: names the parameter that cannot be used.
        """
        told = Device(
            os=query.get("os", ""),
            model=query.get("model", ""),
            memory_mb=_whole(query, "memory_mb"),
            cores=_whole(query, "cores"),
        )
        return self._device_table.class_of(told.completed(self._agent_of(user_agent), hints))


def matches(etag: str, given: str) -> bool:
    """Whether an If-None-Match names this answer (RFC 9110, 13.1.2: weak comparison)."""
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in given.split(","))


def _write(app_id: int, device_class: DeviceClass, rates: Published, *, send: bool) -> bytes:
    return orjson.dumps(
        {
            "v": FORMAT,
            "app": app_id,
            "ttl_s": TTL_S,
            "send": send,
            "class": device_class.name.lower(),
            "sampling": {
                "th": _coarse(rates.threshold),
                "routes": {name: _coarse(rates.exceptions[name]) for name in sorted(rates.exceptions)[:ROUTES]},
                "always": ALWAYS,
            },
            "slow": {
                "default_ms": _coarse_ms(rates.default_slow_us),
                "routes_ms": {name: _coarse_ms(rates.slow_us[name]) for name in sorted(rates.slow_us)[:ROUTES]},
            },
        }
    )


def _coarse(exact: int) -> str:
    """`th` of the next power of √2 that keeps at least as much, in at most six digits."""
    probability = max((ALL - exact) / ALL, LEAST_PROBABILITY)
    steps = math.floor(-2.0 * math.log2(probability) + _ROUNDING)
    unit = 16 ** (14 - _DIGITS_KEPT)
    return encode(min(threshold(2.0 ** (-steps / 2)), max(exact, 0)) // unit * unit)


def _coarse_ms(exact_us: int) -> int:
    """Milliseconds, rounded down to two digits."""
    whole_ms = max(exact_us // 1000, 1)
    unit: int = 10 ** max(len(str(whole_ms)) - 2, 0)
    return whole_ms // unit * unit


def _whole(query: Mapping[str, str], name: str) -> int:
    text = query.get(name)
    if not text:
        return UNKNOWN
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Malformed("device", f"parameter {name} must be a whole number of at most nine digits")
    return int(text)
