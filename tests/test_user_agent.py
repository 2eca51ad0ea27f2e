"""User-Agents are read, remembered and rationed, from whatever thread they are asked for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.device_classes import NOBODY, Agent
from ingest.user_agent import BURST, UserAgents

PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"
REDUCED = PHONE.replace("Pixel 8", "K")
GOOGLEBOT = (
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
    " Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        (PHONE, Agent("Android", "Pixel 8")),
        (REDUCED, Agent("Android")),
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-A035F Build/TP1A)", Agent("Android", "SM-A035F")),
        ("App/1 (iPhone15,2; iOS 18.7; Scale/3.00)", Agent("iOS", "iPhone15,2")),
        ("okhttp/5.1.0", NOBODY),
        (GOOGLEBOT, Agent("Android", robot=True)),
        (HEADLESS, Agent("Linux", robot=True)),
    ],
)
def test_system_model_and_robots_are_told(text: str, agent: Agent):
    assert UserAgents().agent_of(text) == agent


def test_a_stranger_cannot_buy_cpu_with_fresh_user_agents():
    agents = UserAgents()
    found = [agents.agent_of(f"{PHONE} {number}") for number in range(int(BURST) * 4)]
    assert found[0].os == "Android"
    assert found.count(NOBODY) > BURST
    assert agents.agent_of(f"{PHONE} 0").os == "Android", "what is known costs nothing"


def test_threads_may_ask_at_once_while_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.user_agent.REMEMBERED", 2)
    monkeypatch.setattr("ingest.user_agent.PARSES_PER_SECOND", 1e9)
    agents = UserAgents()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(agents.agent_of, [f"{PHONE} {number % 5}" for number in range(400)]))
    assert {agent.os for agent in found} == {"Android"}
