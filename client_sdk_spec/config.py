"""The configuration that a client holds (`CONFIG.md`), and when it asks again."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
        public_key: of the signature, base64; "" where it is not checked.
    """

    def __init__(self, mono: Callable[[], int], chance: Callable[[], float], public_key: str = "") -> None:
        self._mono, self._chance, self._public_key = mono, chance, public_key
        self._told: Mapping[str, Any] = SEND_ALL
        self._told_us: int | None = None
        self.etag = ""
        self.ask_at_us = mono()

    @property
    def answer(self) -> Mapping[str, Any]:
        """What holds now."""
        old = self._told_us is not None and self._mono() - self._told_us > KEPT_US
        return SEND_ALL if old else self._told

    def answered(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Takes an answer, or with status 0 its absence; one that cannot be used only says when to ask again."""
        ours = status == 200 and self._is_signed(body, headers.get("Firsthop-Signature", ""))
        told = _read(body) if ours else None
        if told is not None:
            self._told, self._told_us, self.etag = told, self._mono(), headers.get("ETag", "")
        elif status == 304:
            self._told_us = self._mono()
        ttl_us = int(self._told.get("ttl_s", TTL_S) * SECOND_US)
        self.ask_at_us = self._mono() + ttl_us + int(self._chance() * ttl_us / 10)

    def _is_signed(self, body: bytes, signature: str) -> bool:
        if not self._public_key:
            return True
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self._public_key))
            key.verify(base64.b64decode(signature.partition("ed25519=")[2]), body)
        except (ValueError, InvalidSignature):
            return False
        return True


def _read(body: bytes) -> Mapping[str, Any] | None:
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
