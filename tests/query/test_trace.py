"""One trace by the API: summary, pages, single spans, links; over a real database."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import jsonschema
import pytest
import pytest_asyncio

from ingest.model import LinkKind
from ingest.query.trace_shape import FIRST_UNITS, MOST_SHOWN
from ingest.settings import SettingError, Settings
from tests.query.conftest import TOKEN, Get, add_apps, serve
from tests.query.test_critical_path import grown
from tests.query.test_openapi import schema_of
from tests.query.trace_rows import TRACE_ID, Made, server, store

TRACE = f"traces/{TRACE_ID.hex()}"
SCHEMAS = {0: "/api/v1/traces/{trace_id}", 1: "/api/v1/traces/{trace_id}/spans"}
ELSEWHERE = bytes.fromhex("aa" * 16)


def hexed(*ids: int) -> list[str]:
    """Span ids as the API writes them."""
    return [f"{span_id:016x}" for span_id in ids]


@pytest_asyncio.fixture
async def client(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Any]:
    """A client of a query server over an empty database of two apps, with a tracing system to link to."""
    async with pool.acquire() as connection:
        await add_apps(connection)
    async with serve(pool, trace_link="https://jaeger.example/trace/{trace_id}?uiEmbed=v0") as client:
        yield client


@pytest.fixture
def keep(pool: "asyncpg.Pool[Any]") -> Callable[..., Any]:
    """Stores spans."""

    async def keep(made: Sequence[Made], app_id: int = 1) -> None:
        async with pool.acquire() as connection:
            await store(connection, made, app_id)

    return keep


@pytest.fixture
def get(client: Any) -> Get:
    """The JSON of a 200, which is what the OpenAPI document promises."""

    async def get(path: str, status: int = 200, **query: Any) -> Any:
        response = await client.get(f"/api/v1/{path}", params=query, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = await response.json()
        assert response.status == status, answer
        promised = SCHEMAS.get(path.count("/") - 1, "/api/v1/traces/{trace_id}/spans/{span_id}")
        if path.startswith("traces/"):
            jsonschema.Draft202012Validator(schema_of(promised, str(status))).validate(answer)
        return answer

    return get


def by_id(answer: Any) -> dict[int, Any]:
    """The spans of an answer."""
    return {int(span["span_id"], 16): span for span in answer["spans"]}


async def test_client_and_backend_stand_on_one_line_with_the_first_byte_split(get: Get, keep: Any) -> None:
    slow = 5_000_000
    await keep(
        [
            Made(1, start=-slow, us=900_000, name="Checkout", segment=9, err_ms=20_000),
            Made(2, 1, start=100_000 - slow, us=500_000, name="POST", ttfb=450_000, segment=9, err_ms=20_000),
            server(3, 2, start=150_000, us=380_000, err_ms=5),
            Made(
                4, 3, start=200_000, us=300_000, name="INSERT", service="shop-db", backend=True, session=None, err_ms=5
            ),
        ]
    )
    answer = await get(TRACE)
    assert answer["whole"] is True
    assert answer["counts"] == {
        **dict.fromkeys(("dropped", "errors", "orphans", "cycles", "shared_ids"), 0),
        "spans": 4,
        "stored": 4,
        "backend": 2,
        "roots": 1,
    }
    spans = by_id(answer)
    (clock,) = answer["clocks"]
    assert clock["err_before_us"] == 20_000_000
    assert clock["err_after_us"] <= 65_100, "120 ms of room, and 5 ms of the backend's on either side"
    assert clock["tightened_by"] == hexed(3)
    assert abs(clock["shift_us"] - slow) <= clock["err_after_us"]
    assert not clock["conflict"]
    for span_id, shown in spans.items():
        assert shown["line"]["clock"] == (1 if span_id < 3 else 0)
    assert spans[2]["line"]["start_us"] - spans[1]["line"]["start_us"] == 100_000
    assert spans[1]["line"]["start_us"] == 0
    apart = spans[3]["line"]["start_us"] - spans[2]["line"]["start_us"]
    assert abs(apart - 50_000) <= clock["err_after_us"] + 5_000
    assert spans[2]["first_byte"] == {
        "state": "measured",
        "network_us": 70_000,
        "server_us": 380_000,
        "server_span_id": hexed(3)[0],
    }
    assert spans[1]["first_byte"] is None
    assert answer["critical_path"]["root"] == hexed(1)[0]
    assert answer["critical_path"]["duration_us"] == 900_000
    assert sum(piece["duration_us"] for piece in answer["critical_path"]["pieces"]) == 900_000
    assert {piece["span_id"] for piece in answer["critical_path"]["pieces"]} == set(hexed(1, 2, 3, 4))
    assert {(row["service"], row["origin"], row["spans"]) for row in answer["senders"]} == {
        ("app", "client", 2),
        ("shop-api", "backend", 1),
        ("shop-db", "backend", 1),
    }


async def test_orphans_rings_strangers_and_several_roots_are_answered_and_counted(get: Get, keep: Any) -> None:
    await keep(
        [
            *(Made(1), Made(2, 99), Made(3, 4), Made(4, 3), Made(5, 5), Made(6)),
            *(Made(7, 1), Made(7, 1, start=5, session="stranger", us=3)),
        ]
    )
    answer = await get(TRACE)
    counts = answer["counts"]
    assert (counts["roots"], counts["orphans"], counts["cycles"], counts["shared_ids"]) == (2, 1, 2, 2)
    assert len(answer["spans"]) == 8
    tops = {int(span["span_id"], 16): span["top"] for span in answer["spans"] if span["top"]}
    assert tops == {1: "root", 6: "root", 2: "orphan", 3: "cycle", 5: "cycle"}


async def test_a_large_trace_comes_as_its_first_levels_with_siblings_folded(get: Get, keep: Any) -> None:
    made = [Made(1, us=9_000_000, name="Feed"), Made(2, 1, start=10, us=300, name="GET", failed=True)]
    made += [Made(n, 1, start=n, us=n, name="GET", route="GET cdn/{id}", failed=n % 100 == 0) for n in range(100, 900)]
    made += [Made(1000, 2, start=12, us=5), Made(1001, 1000, start=13, us=2), Made(1002, 1001, start=13, us=1)]
    await keep(made)
    answer = await get(TRACE)
    assert answer["whole"] is False
    assert answer["next"] is None
    (group,) = answer["groups"]
    assert (group["like"], group["parent_span_id"], group["depth"]) == (*hexed(100), *hexed(1), 1)
    assert (group["spans"], group["errors"], group["min_us"], group["max_us"]) == (800, 8, 100, 899)
    assert group["p95_us"] == 859
    spans = by_id(answer)
    assert {1, 2, 1000} <= set(spans)
    assert 1002 not in spans, "four levels down"
    assert spans[1000]["children"] == 1
    assert answer["errors"] == hexed(2, *range(100, 900, 100))
    assert {2, *range(100, 900, 100)} <= set(spans), "failed spans are shown wherever they are"


async def test_ten_thousand_spans_have_a_summary_of_bounded_size(get: Get, keep: Any) -> None:
    await keep(grown(10_000, seed=2))
    summary = await get(TRACE)
    assert summary["counts"]["spans"] == 10_000
    assert summary["whole"] is False
    assert len(summary["spans"]) + len(summary["groups"]) <= MOST_SHOWN
    path = summary["critical_path"]
    assert sum(piece["duration_us"] for piece in path["pieces"]) + path["omitted_us"] == 60_000_000


async def test_pages_and_the_groups_they_name_hold_every_span_once(get: Get, keep: Any) -> None:
    made = [replace(span, name=f"n{span.id % 3}") for span in grown(1500, seed=2)]
    await keep(made)

    async def all_pages(**query: Any) -> tuple[list[Any], list[Any]]:
        spans, groups, cursor = [], [], ""
        while cursor is not None:
            page = await get(f"{TRACE}/spans", depth=20, limit=100, cursor=cursor, **query)
            assert len(page["spans"]) + len(page["groups"]) <= 100
            spans, groups, cursor = spans + page["spans"], groups + page["groups"], page["next"]
        return spans, groups

    spans, groups = await all_pages()
    assert len(groups) > 1
    met = [span["span_id"] for span in spans]
    while groups:
        folded = groups.pop()
        spans, inner = await all_pages(like=folded["like"])
        assert sum(span["depth"] == folded["depth"] for span in spans) == folded["spans"]
        met += [span["span_id"] for span in spans]
        groups += inner
    assert len(met) == len(set(met))
    assert set(met) == set(hexed(*(span.id for span in made)))


async def test_a_summary_of_many_roots_goes_on_where_it_ended(get: Get, keep: Any) -> None:
    await keep([Made(n, start=n, name=f"n{n}") for n in range(1, 301)])
    summary = await get(TRACE)
    shown = {int(span["span_id"], 16) for span in summary["spans"]}
    assert set(range(1, FIRST_UNITS + 1)) <= shown
    page = await get(f"{TRACE}/spans", cursor=summary["next"], limit=500)
    assert [int(span["span_id"], 16) for span in page["spans"]] == list(range(FIRST_UNITS + 1, 301))


async def test_a_span_that_arrives_between_two_pages_moves_nothing(get: Get, keep: Any) -> None:
    await keep([Made(1, us=10_000), *(Made(n, 1, start=10 * n, name=f"n{n}") for n in range(2, 12))])
    first = await get(f"{TRACE}/spans", parent=hexed(1)[0], limit=4)
    await keep([Made(50, 1, start=5, name="late")])
    second = await get(f"{TRACE}/spans", parent=hexed(1)[0], limit=100, cursor=first["next"])
    assert [span["span_id"] for span in (*first["spans"], *second["spans"])] == hexed(*range(2, 12))


async def test_children_come_by_depth(get: Get, keep: Any) -> None:
    await keep([Made(1), Made(2, 1), Made(3, 2), Made(4, 3)])
    for depth, expected in ((1, [2]), (2, [2, 3]), (3, [2, 3, 4])):
        page = await get(f"{TRACE}/spans", parent=hexed(1)[0], depth=depth)
        assert [span["span_id"] for span in page["spans"]] == hexed(*expected)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"parent": "0" * 15 + "9"}, "parent"),
        ({"like": "0" * 15 + "9"}, "like"),
        ({"like": "0" * 15 + "1", "parent": "0" * 15 + "1"}, "like"),
        ({"parent": "xyz"}, "parent"),
        ({"cursor": "0" * 15 + "20000"}, "cursor"),
        ({"cursor": "' OR 1=1"}, "cursor"),
        ({"depth": "21"}, "depth"),
        ({"limit": "501"}, "limit"),
    ],
)
async def test_what_a_page_cannot_be_is_refused_by_name(get: Get, keep: Any, query: Any, parameter: str) -> None:
    await keep([Made(1), Made(2, 1)])
    assert (await get(f"{TRACE}/spans", status=400, **query))["parameter"] == parameter


async def test_one_span_is_answered_with_all_that_claim_its_id(get: Get, keep: Any) -> None:
    await keep([Made(1, name="mine"), Made(1, start=9, session="stranger", name="theirs"), Made(2, 1)])
    answer = await get(f"{TRACE}/spans/{hexed(1)[0].upper()}")
    assert [span["name"] for span in answer["spans"]] == ["mine", "theirs"]
    assert all(span["shared_id"] for span in answer["spans"])
    await get(f"{TRACE}/spans/{hexed(3)[0]}", status=404)
    assert (await get(f"{TRACE}/spans/3", status=400))["parameter"] == "span_id"


def link(trace_id: bytes, span_id: int = 0, kind: LinkKind = LinkKind.SPAN) -> dict[str, str]:
    """A link as it is stored."""
    return {"trace_id": trace_id.hex(), "span_id": f"{span_id:016x}", "kind": kind.name.lower()}


async def test_links_are_shown_both_ways_one_to_many(get: Get, keep: Any) -> None:
    push = Made(7, name="push", links=[link(TRACE_ID, 1), link(ELSEWHERE, 5)], trace_id=b"\x07" * 16)
    await keep([Made(1, links=[link(ELSEWHERE, 0, LinkKind.SERVER)]), Made(2, 1)])
    await keep([push, Made(8, start=3, links=[link(TRACE_ID, 2)], trace_id=b"\x08" * 16)])
    await keep([Made(9, links=[link(TRACE_ID, 1)], trace_id=b"\x09" * 16)], app_id=2)
    answer = await get(TRACE)
    (out,) = answer["links"]["links"]
    assert (out["span_id"], out["trace_id"], out["linked_span_id"], out["kind"]) == (
        *hexed(1),
        ELSEWHERE.hex(),
        None,
        "server",
    )
    assert out["external_url"] == f"https://jaeger.example/trace/{ELSEWHERE.hex()}?uiEmbed=v0"
    back = [
        (row["trace_id"], row["span_id"], row["linked_span_id"], row["name"]) for row in answer["linked_from"]["links"]
    ]
    assert back == [("07" * 16, *hexed(7), *hexed(1), "push"), ("08" * 16, *hexed(8), *hexed(2), "span")]
    one = await get(f"{TRACE}/spans/{hexed(2)[0]}")
    assert [row["span_id"] for row in one["linked_from"]["links"]] == hexed(8)


async def test_a_trace_that_everybody_points_at_lists_some_and_says_that_there_are_more(get: Get, keep: Any) -> None:
    await keep([Made(1)])
    await keep([Made(n, start=n, links=[link(TRACE_ID, 1)], trace_id=b"\x0a" * 16) for n in range(10, 130)])
    linked = (await get(TRACE))["linked_from"]
    assert len(linked["links"]) == 100
    assert linked["more"] is True


async def test_a_trace_that_the_edge_renamed_has_the_backends_spans_of_the_clients_own_id(get: Get, keep: Any) -> None:
    renamed = link(ELSEWHERE, 1, LinkKind.EXTERNAL)
    await keep([Made(1, us=400_000, ttfb=300_000, links=[renamed]), Made(2, 1)])
    await keep([server(3, 1, 50_000, 200_000, trace_id=ELSEWHERE), Made(4, 1, name="a stranger's", trace_id=ELSEWHERE)])
    answer = await get(TRACE)
    spans = by_id(answer)
    assert set(spans) == {1, 2, 3}
    assert spans[1]["first_byte"]["network_us"] == 100_000
    assert spans[3]["trace_id"] == ELSEWHERE.hex()
    assert answer["external_url"] == f"https://jaeger.example/trace/{ELSEWHERE.hex()}?uiEmbed=v0"


async def test_a_clients_own_link_does_not_pull_spans_of_another_trace_in(get: Get, keep: Any) -> None:
    await keep([Made(1, links=[link(ELSEWHERE, 9, LinkKind.EXTERNAL), link(ELSEWHERE, 1)])])
    await keep([server(3, 1, 5, 20, trace_id=ELSEWHERE)])
    assert (await get(TRACE))["counts"]["spans"] == 1


async def test_what_a_full_trace_had_no_room_for_is_counted_and_found(get: Get, keep: Any, pool: Any) -> None:
    await keep([Made(1), Made(5, trace_id=ELSEWHERE)])
    await pool.execute(
        "INSERT INTO trace_overflow (app_id, trace_id, part, spans) VALUES (1, $1, 1, 7), (1, $1, 2, 4)", TRACE_ID
    )
    assert (await get(TRACE))["counts"]["dropped"] == 11
    listed = {row["trace_id"]: row["oversized"] for row in (await get("traces"))["traces"]}
    assert listed == {TRACE_ID.hex(): True, ELSEWHERE.hex(): False}
    assert [row["trace_id"] for row in (await get("traces", oversized="true"))["traces"]] == [TRACE_ID.hex()]


async def test_only_clients_spans_make_a_trace_to_list_and_pass_its_filters(get: Get, keep: Any) -> None:
    await keep([server(3, 0, 0, 9_000_000, failed=True, trace_id=ELSEWHERE)])
    await keep([Made(1, us=50_000, weight=4.0, name="tap"), server(2, 1, 10, 8_000_000, failed=True)])
    (listed,) = (await get("traces"))["traces"]
    assert listed["trace_id"] == TRACE_ID.hex()
    assert (listed["name"], listed["spans"], listed["backend_spans"], listed["errors"]) == ("tap", 1, 1, 0)
    assert (listed["duration_us"], listed["weight"], listed["inclusion_probability"]) == (50_000, 4.0, 0.25)
    assert (await get("traces", errors="true"))["traces"] == []
    assert (await get("traces", min_ms="1000"))["traces"] == []


async def test_a_span_that_others_stand_for_has_no_inclusion_probability(get: Get, keep: Any) -> None:
    await keep([Made(1, weight=0.0)])
    (span,) = (await get(TRACE))["spans"]
    assert (span["weight"], span["inclusion_probability"]) == (0, None)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert({trace_id})",
        "jaeger.example/{trace_id}",
        "https://jaeger.example/trace/",
        "https://jaeger.example/{trace_id}/{span_id}",
        "https://jaeger.example/ {trace_id}",
    ],
)
def test_an_address_of_another_tracing_system_that_could_not_be_followed_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="FIRSTHOP_TRACE_LINK"):
        Settings.from_env({"FIRSTHOP_TRACE_LINK": address})


def test_an_address_of_another_tracing_system_is_taken_as_it_is() -> None:
    address = "https://jaeger.example/trace/{trace_id}?uiEmbed=v0"
    assert Settings.from_env({"FIRSTHOP_TRACE_LINK": address})["FIRSTHOP_TRACE_LINK"] == address


async def test_without_an_address_there_is_no_link_out(pool: "asyncpg.Pool[Any]", keep: Any) -> None:
    async with pool.acquire() as connection:
        await add_apps(connection)
    await keep([Made(1, links=[link(ELSEWHERE)])])
    async with serve(pool) as client:
        answer = await client.get(f"/api/v1/{TRACE}", headers={"Authorization": f"Bearer {TOKEN}"})
        found = await answer.json()
    assert found["external_url"] is None
    assert found["links"]["links"][0]["external_url"] is None
