"""The configuration that a client holds (`CONFIG.md`), and when it asks again."""

import json
from collections.abc import Callable, Mapping
from typing import Any

SECOND_US = 1_000_000
FORMAT = 1
TTL_S = 300
"""Until the first answer."""
KEPT_US = 86_400 * SECOND_US
"""Without an answer for so long, what is held is given up and everything is sent."""
SEND_ALL: Mapping[str, Any] = {
    "send": True,
    "sampling": {"th": "0", "routes": {}, "always": []},
    "slow": {"default_ms": 3_000, "routes_ms": {}},
}
"""What holds without an answer."""


class Held:
    """The last answer that could be used.

    Args:
        mono: the monotonic clock, µs.
        chance: uniform in [0, 1); spreads the times of asking.
    """

    def __init__(self, mono: Callable[[], int], chance: Callable[[], float]) -> None:
        self._mono, self._chance = mono, chance
        self._told: Mapping[str, Any] = SEND_ALL
        self._told_us: int | None = None
        self.etag = ""
        self.ask_at_us = mono()

    @property
    def answer(self) -> Mapping[str, Any]:
        """What holds now."""
        old = self._told_us is not None and self._mono() - self._told_us > KEPT_US
        return SEND_ALL if old else self._told

    def answered(self, status: int, body: bytes, etag: str) -> None:
        """Takes an answer, or with status 0 its absence; one that cannot be used only says when to ask again."""
        told = self._read(body) if status == 200 else None
        if told is not None:
            self._told, self._told_us, self.etag = told, self._mono(), etag
        elif status == 304:
            self._told_us = self._mono()
        ttl_us = int(self._told.get("ttl_s", TTL_S) * SECOND_US)
        self.ask_at_us = self._mono() + ttl_us + int(self._chance() * ttl_us / 10)

    def _read(self, body: bytes) -> Mapping[str, Any] | None:
        """The answer with everything in it that is needed; None for one of another version, or none of ours."""
        try:
            told = json.loads(body)
            if told["v"] != FORMAT:
                return None
            return {
                "send": bool(told["send"]),
                "ttl_s": float(told["ttl_s"]),
                "sampling": {name: told["sampling"][name] for name in ("th", "routes", "always")},
                "slow": {name: told["slow"][name] for name in ("default_ms", "routes_ms")},
            }
        except (ValueError, TypeError, KeyError):
            return None
