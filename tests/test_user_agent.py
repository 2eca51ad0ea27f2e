"""User-Agents are named, remembered and rationed, from whatever thread they are asked for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.user_agent import BURST, UserAgents

PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"


def test_the_system_of_a_phone_is_named():
    assert UserAgents().os_of(PHONE) == "Android"


def test_a_stranger_cannot_buy_cpu_with_fresh_user_agents():
    agents = UserAgents()
    named = [agents.os_of(f"{PHONE} {number}") for number in range(int(BURST) * 4)]
    assert named[0] == "Android"
    assert named.count("") > BURST
    assert agents.os_of(f"{PHONE} 0") == "Android", "what is known costs nothing"


def test_threads_may_ask_at_once_while_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.user_agent.REMEMBERED", 2)
    monkeypatch.setattr("ingest.user_agent.PARSES_PER_SECOND", 1e9)
    agents = UserAgents()
    with ThreadPoolExecutor(4) as threads:
        named = list(threads.map(agents.os_of, [f"{PHONE} {number % 5}" for number in range(400)]))
    assert set(named) == {"Android"}
