"""User-Agents, parsed by `user-agents`, remembered, and rationed.

A parse costs about a millisecond, so a stranger who sends a fresh User-Agent with every request would buy CPU with it:
families are remembered, and fresh ones are parsed at a bounded rate; beyond it the answer is "unknown" for now.
"""

import threading
import time
from collections import OrderedDict

import user_agents

MAX_CHARS = 400
REMEMBERED = 8192
PARSES_PER_SECOND = 20.0
BURST = 200.0


class UserAgents:
    """Names operating systems in bounded time and memory; large micro-batches ask from a thread of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._os: OrderedDict[str, str] = OrderedDict()
        self._tokens = BURST
        self._filled_at = time.monotonic()

    def os_of(self, user_agent: str) -> str:
        """The operating system's name, e.g. `Android`; "" when unknown or when too many are new at once."""
        text = user_agent[:MAX_CHARS]
        with self._lock:
            known = self._os.get(text)
            if known is not None:
                self._os.move_to_end(text)
                return known
            if not self._take_token():
                return ""
            name = str(user_agents.parse(text).os.family)
            self._os[text] = name = "" if name == "Other" else name
            if len(self._os) > REMEMBERED:
                self._os.popitem(last=False)
            return name

    def _take_token(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * PARSES_PER_SECOND)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
