"""The keys of pseudonyms at rest: made once, shared, and forgotten period by period."""

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest.compose.doctor import examine
from ingest.compose.home import Home, HomeError
from ingest.settings import Settings
from privacy.pseudonyms import PERIOD_US, period_of

DAY_US = 86_400_000_000
SETTINGS = Settings.from_env({})
ROOT = "ab" * 32


def present() -> int:
    return period_of(time.time_ns() // 1000)


def written(home: Home) -> dict[str, object]:
    content: dict[str, object] = json.loads((home.path / "keys.json").read_text())
    return content


def test_a_new_key_belongs_to_the_present_period_and_stays(tmp_path: Path):
    home = Home(tmp_path)
    kept = home.secrets()
    assert kept.pseudonym_period == present()
    assert Home(tmp_path).secrets() == kept
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_key_from_before_there_were_periods_is_the_present_ones_from_then_on(tmp_path: Path):
    (tmp_path / "keys.json").write_text(json.dumps({"pseudonym_key": ROOT, "token": "t"}))
    kept = Home(tmp_path).secrets()
    assert (kept.pseudonym_key, kept.pseudonym_period, kept.token) == (ROOT, present(), "t")
    assert written(Home(tmp_path))["pseudonym_period"] == present()


def test_the_key_of_the_configuration_is_made_once_and_survives_forgetting(tmp_path: Path):
    (tmp_path / "keys.json").write_text(json.dumps({"pseudonym_key": ROOT, "pseudonym_period": 600}))
    with ThreadPoolExecutor(8) as asking:
        found = {kept.signer.public_key for kept in asking.map(lambda _: Home(tmp_path).secrets(), range(32))}
    assert len(found) == 1
    Home(tmp_path).forget_before(603)
    assert Home(tmp_path).secrets().signer.public_key in found


@pytest.mark.parametrize(
    "changes",
    [
        {"pseudonym_key": "ab"},
        {"pseudonym_key": 1},
        {"pseudonym_period": "x"},
        {"config_key": "ab"},
        {"config_key": 1},
        {"zz": 1},
    ],
)
def test_keys_that_are_damaged_are_not_replaced(tmp_path: Path, changes: dict[str, object]):
    given = json.dumps({"pseudonym_key": ROOT, "pseudonym_period": 600} | changes)
    (tmp_path / "keys.json").write_text(given)
    with pytest.raises(HomeError, match="cannot be read"):
        Home(tmp_path).secrets()
    assert (tmp_path / "keys.json").read_text() == given


def test_forgetting_keeps_later_keys_and_leaves_no_way_to_earlier_ones(tmp_path: Path):
    (tmp_path / "keys.json").write_text(json.dumps({"pseudonym_key": ROOT, "pseudonym_period": 600}))
    before = Home(tmp_path).secrets().ring
    Home(tmp_path).forget_before(603)
    after = Home(tmp_path).secrets().ring
    assert [after.key(1, period) for period in (603, 604)] == [before.key(1, period) for period in (603, 604)]
    assert before.key(1, 602) not in (after.key(1, period) for period in range(590, 603))
    assert ROOT not in (tmp_path / "keys.json").read_text()
    assert written(Home(tmp_path))["pseudonym_period"] == 603
    Home(tmp_path).forget_before(601)
    assert Home(tmp_path).secrets().ring == after


def test_keys_of_all_that_is_kept_or_may_come_late_are_not_forgotten():
    now_us = 700 * PERIOD_US + 20 * DAY_US
    first = SETTINGS.first_period(now_us)
    oldest_us = now_us - (SETTINGS["FIRSTHOP_SPAN_DAYS"] + SETTINGS["FIRSTHOP_BATCH_ID_DAYS"]) * DAY_US
    assert first < period_of(oldest_us)
    assert period_of(now_us) - first <= 2
    long = Settings.from_env({"FIRSTHOP_SPAN_DAYS": "90"})
    assert long.first_period(now_us) < first
    dead = Settings.from_env({"FIRSTHOP_DEAD_DAYS": "90"})
    assert dead.first_period(now_us) == long.first_period(now_us)


async def test_the_doctor_says_when_keys_are_kept_too_long(tmp_path: Path):
    environment = {"FIRSTHOP_DATA": str(tmp_path)}
    Home(tmp_path)

    async def finding() -> str:
        [found] = [finding for finding in await examine(environment) if finding.what == "pseudonyms"]
        return found.remedy

    assert await finding() == ""
    (tmp_path / "keys.json").write_text(json.dumps({"pseudonym_key": ROOT, "pseudonym_period": present() - 9}))
    assert "firsthop privacy forget" in await finding()
    Home(tmp_path).forget_before(SETTINGS.first_period(time.time_ns() // 1000))
    assert await finding() == ""
