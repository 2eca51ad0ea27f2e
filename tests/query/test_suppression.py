"""Figures about few sessions are not shown, and cannot be computed from those that are."""

from collections.abc import AsyncIterator, Mapping
from itertools import product
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest.model import METRICS
from tests.privacy.test_suppress import isolated
from tests.query import world as seeded
from tests.query.conftest import TOKEN, add_apps, compact, serve, show_from

LEAST = 5
ORDINARY = {name: values[0] for name, values in seeded.VALUES.items()}
MINUTE_US = 60_000_000


class Crowd:
    """Spans of made-up sessions, one after the other."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, Mapping[str, str]]] = []
        self._sessions = 0

    def come(self, sessions: int, *, spans: int = 1, minutes_ago: float = 10, **dims: str) -> range:
        """So many new sessions, each with so many spans; returns their numbers."""
        new = range(self._sessions + 1, self._sessions + 1 + sessions)
        self._sessions += sessions
        for session in new:
            self.again(session, spans=spans, minutes_ago=minutes_ago, **dims)
        return new

    def again(self, session: int, *, spans: int = 1, minutes_ago: float = 10, **dims: str) -> None:
        """More spans of one session; 0 is none."""
        at_us = seeded.NOW_US - int(minutes_ago * MINUTE_US)
        self.rows += [(at_us, session, ORDINARY | dims)] * spans

    def world(self) -> seeded.World:
        """All of them."""
        count = len(self.rows)
        return seeded.World(
            app_id=1,
            start_us=np.array([at_us for at_us, _, _ in self.rows]),
            dims={name: np.array([dims[name] for _, _, dims in self.rows]) for name in ORDINARY},
            metrics={metric: np.arange(1, count + 1) * 1000 for metric in METRICS},
            error=np.zeros(count, bool),
            session=np.array([session for _, session, _ in self.rows]),
        )


class Shop:
    """The query server over a crowd."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def __call__(self, path: str, query: Any = None, **more: str) -> Any:
        response = await self._client.get(
            f"/api/v1/{path}", params=query or more, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        answer = await response.json()
        assert response.status == 200, answer
        return answer

    async def spans(self, group_by: str = "", query: Any = None, **more: str) -> dict[Any, int]:
        """Values → spans in the total of the group."""
        asked = list((query or more).items() if not isinstance(query, list) else query)
        answer = await self("latency", [*asked, *([("group_by", group_by)] if group_by else [])])
        return {tuple(g["group"].values()): g["total"]["spans"] for g in answer["groups"]}


@pytest.fixture
def crowd() -> Crowd:
    """Four versions: the third has just enough sessions, the fourth too few."""
    crowd = Crowd()
    crowd.come(20, version="1.0", spans=3)
    crowd.come(10, version="1.1", spans=3)
    crowd.come(5, version="1.2", spans=2)
    crowd.come(2, version="1.3", spans=4)
    return crowd


@pytest.fixture
async def ask(pool: "asyncpg.Pool[Any]", crowd: Crowd) -> AsyncIterator[Shop]:
    async with opened(pool, crowd) as shop:
        yield shop


class opened:  # noqa: N801 - a context manager, used like a function
    """The server over a crowd of which every span is sampled."""

    def __init__(self, pool: "asyncpg.Pool[Any]", crowd: Crowd, least: int = LEAST) -> None:
        self._pool, self._crowd = pool, crowd
        self._serving = serve(pool, policy_of=lambda _: show_from(least))

    async def __aenter__(self) -> Shop:
        world = self._crowd.world()
        async with self._pool.acquire() as connection:
            await add_apps(connection)
            await seeded.store(connection, world, np.ones(len(world.start_us), bool), 1)
            await seeded.store_spans(connection, world, np.ones(len(world.start_us)))
        return Shop(await self._serving.__aenter__())

    async def __aexit__(self, *error: Any) -> None:
        await self._serving.__aexit__(*error)


async def test_a_small_group_is_left_out_and_the_next_smallest_with_it(ask: Shop) -> None:
    assert await ask.spans("version") == {("1.0",): 60, ("1.1",): 30}
    answer = await ask("values", dimension="version")
    assert [row["value"] for row in answer["values"]] == ["1.0", "1.1"]
    assert answer["suppressed"] == {"least_sessions": LEAST, "groups": 2, "points": 0}


async def test_what_the_total_has_beyond_the_groups_is_of_enough_sessions(ask: Shop) -> None:
    rest = sum((await ask.spans()).values()) - sum((await ask.spans("version")).values())
    assert rest == 5 * 2 + 2 * 4


async def test_no_filter_lets_a_hidden_group_through_and_none_tells_that_it_is_there(ask: Shop) -> None:
    for values in (["1.0"], ["1.0", "1.3"], ["1.0", "1.2", "1.3"], ["1.0", "9.9"]):
        filters = [("version", value) for value in values]
        answer = await ask("latency", filters)
        assert [group["total"]["spans"] for group in answer["groups"]] == [60]
        assert answer["suppressed"]["groups"] == 2
    for value in ("1.2", "1.3", "9.9"):
        assert await ask.spans(version=value) == {}


@pytest.mark.parametrize(
    "path",
    ["phases?group_by=version", "routes?version=1.3", "values?dimension=route&version=1.3", "histogram?version=1.3"],
)
async def test_every_call_leaves_it_out(ask: Shop, path: str) -> None:
    answer = await ask(path)
    assert answer["suppressed"]["groups"] >= 2
    assert answer.get("routes", []) == answer.get("values", []) == answer.get("bars", []) == []
    assert [group["group"]["version"] for group in answer.get("groups", [])] in ([], ["1.0", "1.1"])


async def test_spans_of_no_session_are_of_nobody(pool: "asyncpg.Pool[Any]", crowd: Crowd) -> None:
    crowd.again(0, spans=500, version="2.0")
    async with opened(pool, crowd) as ask:
        assert ("2.0",) not in await ask.spans("version")


async def test_an_app_of_few_sessions_shows_nothing(pool: "asyncpg.Pool[Any]") -> None:
    crowd = Crowd()
    crowd.come(4, spans=100)
    async with opened(pool, crowd) as ask:
        assert await ask.spans() == {}
        assert (await ask("traces"))["traces"] == []


@pytest.mark.parametrize(("least", "versions"), [(1, 4), (2, 4), (3, 2), (21, 0)])
async def test_the_policy_says_how_many_are_enough(
    pool: "asyncpg.Pool[Any]", crowd: Crowd, least: int, versions: int
) -> None:
    async with opened(pool, crowd, least) as ask:
        assert len(await ask.spans("version")) == versions


async def test_sessions_of_several_windows_and_tiers_count_once(pool: "asyncpg.Pool[Any]") -> None:
    crowd = Crowd()
    for session in [*crowd.come(3, version="1.0", minutes_ago=50), *crowd.come(3, version="1.1", minutes_ago=50)]:
        for minutes_ago in (5, 20, 70):
            crowd.again(session, version="1.0", minutes_ago=minutes_ago)
    async with opened(pool, crowd) as ask:
        before = await ask.spans("version", {"from": "-2h"})
        await compact(pool)
        assert await ask.spans("version", {"from": "-2h"}) == before == {}
        assert await ask.spans(query={"from": "-2h"}) == {(): 24}


async def test_nothing_asked_by_two_dimensions_isolates_fewer_sessions(pool: "asyncpg.Pool[Any]") -> None:
    """All figures that the API gives by version, by network, by both and in all, handed to a solver of equations."""
    crowd = Crowd()
    rng = np.random.default_rng(3)
    names = (seeded.VALUES["version"], [*seeded.VALUES["network"], "5g"])
    shape = (3, 3)
    who: dict[tuple[int, ...], frozenset[int]] = {}
    for at, sessions in zip(product(range(3), range(3)), (9, 2, 6, 1, 7, 0, 8, 5, 1), strict=True):
        if sessions:
            new = crowd.come(sessions, spans=int(rng.integers(1, 4)), version=names[0][at[0]], network=names[1][at[1]])
            who[at] = frozenset(new)
    async with opened(pool, crowd) as ask:
        shown: list[list[bool]] = []
        for kept in [(), (0,), (1,), (0, 1)]:
            groups = await ask.spans(",".join(("version", "network")[place] for place in kept))
            for values in groups:
                wanted = tuple(names[place].index(value) for place, value in zip(kept, values, strict=True))
                shown.append([tuple(at[place] for place in kept) == wanted for at in product(range(3), range(3))])
    assert len(shown) > 5
    assert isolated(who, LEAST, np.array(shown, float), shape) == []
    everything = np.eye(9)
    assert isolated(who, LEAST, everything, shape) != []


@pytest.fixture
def busy() -> Crowd:
    """Twelve minutes of two versions; in the third minute one of them has two sessions only."""
    crowd = Crowd()
    for minute in range(12):
        crowd.come(8, version="1.0", minutes_ago=minute + 0.5)
        crowd.come(2 if minute == 3 else 6 + minute, version="1.1", minutes_ago=minute + 0.5)
    return crowd


def points(group: Any) -> dict[str, int]:
    return {point["at"][11:16]: point["spans"] for point in group["points"]}


async def test_a_point_of_few_sessions_is_left_out_of_its_line_but_not_of_the_total(
    pool: "asyncpg.Pool[Any]", busy: Crowd
) -> None:
    async with opened(pool, busy) as ask:
        answer = await ask("latency", step="60s", group_by="version", **{"from": "-20m"})
    lines = {group["group"]["version"]: group for group in answer["groups"]}
    assert lines["1.1"]["total"]["spans"] == sum(2 if minute == 3 else 6 + minute for minute in range(12))
    hidden = {version: 12 - len(points(group)) for version, group in lines.items()}
    # Its complements: another minute of the version, the same minute of the other one, and the corner between them.
    assert hidden == {"1.0": 2, "1.1": 2}
    assert "11:56" not in points(lines["1.1"]) | points(lines["1.0"])
    assert answer["suppressed"] == {"least_sessions": LEAST, "groups": 0, "points": 4}


async def test_a_filter_does_not_bring_points_back(pool: "asyncpg.Pool[Any]", busy: Crowd) -> None:
    async with opened(pool, busy) as ask:
        both = await ask("latency", step="60s", group_by="version", **{"from": "-20m"})
        for group in both["groups"]:
            alone = await ask("latency", step="60s", **{"from": "-20m"}, **group["group"])
            assert points(alone["groups"][0]) == points(group)
            assert alone["suppressed"] == both["suppressed"]
        total = await ask("latency", step="60s", **{"from": "-20m"})
        assert total["suppressed"]["points"] == 0
        assert points(total["groups"][0])["11:56"] == 10


async def test_points_too_many_to_compare_are_judged_against_their_own_total(
    pool: "asyncpg.Pool[Any]", busy: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One line of 20 minutes may be read, both may not.
    monkeypatch.setattr("ingest.store.read_rollups.MOST_PARTIALS", 130)
    async with opened(pool, busy) as ask:
        answer = await ask("latency", step="60s", version="1.1", **{"from": "-20m"})
    (line,) = answer["groups"]
    assert "11:56" not in points(line)
    assert len(points(line)) == 10


async def test_estimates_are_about_enough_sessions_too(pool: "asyncpg.Pool[Any]") -> None:
    crowd = Crowd()
    for place, (system, country) in enumerate(product(seeded.VALUES["os"], seeded.VALUES["country"])):
        crowd.come(9 - place if place else 3, os=system, country=country)
    async with opened(pool, crowd) as ask:
        answer = await ask("latency", group_by="os,country")
        assert answer["source"] == "samples"
        shown = {tuple(group["group"].values()) for group in answer["groups"]}
        assert ("android 14", "DE") not in shown
        # A rectangle: the small cell, one beside it, one below it, and the corner.
        assert len(shown) == 2
        assert answer["suppressed"]["groups"] == 4
        assert await ask.spans(os="android 14", country="DE") == {}
        assert (await ask("traces", os="android 14", country="DE"))["traces"] == []
        grouped = await ask.spans("os,country")
        for system, country in shown:
            assert await ask.spans(os=system, country=country) == {(): grouped[system, country]}


async def test_points_of_estimates_are_left_out_like_others(pool: "asyncpg.Pool[Any]", busy: Crowd) -> None:
    busy.come(30, version="1.2", country="US", minutes_ago=15)
    async with opened(pool, busy) as ask:
        answer = await ask("latency", step="60s", group_by="version", os="android 14", country="DE", **{"from": "-20m"})
    assert answer["source"] == "samples"
    lines = {group["group"]["version"]: group for group in answer["groups"]}
    assert lines["1.1"]["total"]["spans"] == sum(2 if minute == 3 else 6 + minute for minute in range(12))
    assert "11:56" not in points(lines["1.1"])
    assert answer["suppressed"]["points"] > 0


async def test_traces_are_listed_of_groups_that_are_shown_alone(ask: Shop) -> None:
    every = await ask("traces", limit="500")
    assert {trace["version"] for trace in every["traces"]} >= {"1.0", "1.3"}
    assert every["suppressed"] == {"least_sessions": LEAST, "groups": 0, "points": 0}
    of_large = await ask("traces", version="1.0", limit="500")
    assert len(of_large["traces"]) == 20
    of_small = await ask("traces", version="1.3")
    assert of_small["traces"] == []
    assert of_small["suppressed"] == {"least_sessions": LEAST, "groups": 2, "points": 0}
    both = await ask("traces", [("version", "1.3"), ("version", "1.0"), ("limit", "500")])
    assert both["traces"] == of_large["traces"]


async def test_a_trace_whose_id_is_known_is_answered(ask: Shop) -> None:
    (newest, *_) = (await ask("traces", version="1.0"))["traces"]
    assert (await ask(f"traces/{newest['trace_id']}"))["spans"]


async def test_sessions_are_listed_of_groups_that_are_shown_alone(ask: Shop) -> None:
    assert len((await ask("sessions", limit="500"))["sessions"]) == 37
    assert len((await ask("sessions", version="1.0", limit="500"))["sessions"]) == 20
    of_small = await ask("sessions", version="1.3")
    assert of_small["sessions"] == []
    assert of_small["suppressed"] == {"least_sessions": LEAST, "groups": 2, "points": 0}


async def test_a_side_of_too_few_sessions_has_no_figures_and_no_difference(ask: Shop) -> None:
    answer = await ask("compare", [("a.version", "1.0"), ("b.version", "1.3")])
    assert (answer["a"]["spans"], answer["b"]["spans"], answer["b"]["effective_spans"]) == (60, 0, 0)
    assert answer["b"]["suppressed"]["groups"] == 2
    assert answer["difference"]["us"]["value"] is None


async def test_what_overflowed_is_a_group_like_any_other(pool: "asyncpg.Pool[Any]", crowd: Crowd) -> None:
    crowd.come(3, spans=7, version="{other}")
    async with opened(pool, crowd) as ask:
        answer = await ask("latency", version="1.0")
        assert answer["hidden_spans"] == 0
        assert ("{other}",) not in await ask.spans("version")


async def test_grouping_by_one_and_filtering_by_another_is_the_partition_of_both(ask: Shop) -> None:
    by_both = await ask.spans("version,network")
    assert by_both
    for version, network in by_both:
        of_network = {(key[0],): spans for key, spans in by_both.items() if key[1] == network}
        of_version = {(key[1],): spans for key, spans in by_both.items() if key[0] == version}
        assert await ask.spans("version", network=network) == of_network
        assert await ask.spans("network", version=version) == of_version


async def test_too_many_groups_to_judge_are_refused_and_not_shown(
    pool: "asyncpg.Pool[Any]", crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.disclose._MOST_WORK", 2)
    async with opened(pool, crowd) as ask:
        with pytest.raises(AssertionError, match="too_slow"):
            await ask.spans("version")
        assert await ask.spans() == {(): 20 * 3 + 10 * 3 + 5 * 2 + 2 * 4}
