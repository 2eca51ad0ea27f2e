"""User-Agents, parsed by `user-agents`, remembered, and rationed.

A parse costs about a millisecond, so a stranger who sends a fresh User-Agent with every request would buy CPU with it:
what was found is remembered, and fresh ones are parsed at a bounded rate; beyond it the answer is "unknown" for now.
"""

import threading
import time
from collections import OrderedDict

import user_agents

from ingest.device_classes import NOBODY, Agent

MAX_CHARS = 400
REMEMBERED = 8192
PARSES_PER_SECOND = 20.0
BURST = 200.0
HEADLESS = "HeadlessChrome"
"""Chromium without a screen, a person or a device of theirs; the parser takes it for a desktop."""


class UserAgents:
    """Says what User-Agents say in bounded time and memory; large micro-batches ask from a thread of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._agents: OrderedDict[str, Agent] = OrderedDict()
        self._tokens = BURST
        self._filled_at = time.monotonic()

    def agent_of(self, user_agent: str) -> Agent:
        """System, model and whether it is a robot; nothing when unknown or when too many are new at once."""
        text = user_agent[:MAX_CHARS]
        with self._lock:
            known = self._agents.get(text)
            if known is not None:
                self._agents.move_to_end(text)
                return known
            if not self._take_token():
                return NOBODY
            self._agents[text] = agent = _parse(text)
            if len(self._agents) > REMEMBERED:
                self._agents.popitem(last=False)
            return agent

    def _take_token(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * PARSES_PER_SECOND)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def _parse(text: str) -> Agent:
    parsed = user_agents.parse(text)
    system, model = str(parsed.os.family), str(parsed.device.model or "")
    return Agent(
        os="" if system == "Other" else system,
        # Browsers send K in place of every Android device's model; crawlers are given one that is none.
        model="" if model == "K" or parsed.is_bot else model,
        robot=parsed.is_bot or HEADLESS in text,
    )
