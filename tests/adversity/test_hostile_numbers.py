"""Hostile clients of the same app, beside an honest one, against a real service: clocks, thresholds, traces, sketches.

Each attack must end in outcomes and notes, not in errors, and leave the honest client's figures exactly as they are in
another app that got the same batches and was not attacked.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from ingest.model import Signal
from tests.adversity.hostile import ATTACKS, Request, Scene
from tests.adversity.two_apps import HONEST, SERIES, World, world

AT_ONCE = 8
LEVELS = 20
"""Of a trace on one page."""


async def attack(where: World, requests: list[Request]) -> set[int]:
    """All of them, several at once, by the key that every client has."""
    waiting, statuses = iter(requests), set()

    async def send() -> None:
        for request in waiting:
            statuses.add(await where.post(request, where.service.client_key))

    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    return statuses


async def test_no_attack_changes_an_honest_clients_figures_or_ends_in_an_error(tmp_path: Path) -> None:
    async with world(tmp_path / "data") as where:
        for number in range(8):
            await where.send_honest(number)
        await where.service.drained()
        edges, victim = where.service.pids("edge"), await where.victim()
        assert len(victim) == 20
        trace = where.honest_batch(0)[0]
        for number, (name, made) in enumerate(ATTACKS.items(), start=8):
            scene = Scene(
                time.time_ns() // 1000,
                random.Random(number),
                trace[0]["trace_id"],
                [span["span_id"] for span in trace[:3]],
            )
            before = await where.ledger()
            statuses, _ = await asyncio.gather(attack(where, [*made.requests(scene)]), where.send_honest(number))
            await where.service.drained()

            assert statuses & {200, 202}, name
            figures = await where.honest_figures(where.service.token)
            assert figures == await where.honest_figures(where.control_token), name
            assert figures[0][0]["total"]["spans"] == 20 * (number + 1), name
            after = await where.ledger()
            grown = {row for row in after if after[row] > before.get(row, 0)}
            assert set(made.counted) <= grown, (name, grown)
            assert await where.unhandled_errors() == 0, name
            assert where.service.pids("edge") == edges, name
            assert await where.victim() == victim, name
            assert await where.rows("SELECT * FROM journal_dead") == [], name
        assert after["noted:trace_full"] > 0
        sample = await where.honest_sample()
        assert len(sample) == 2 * len(set(sample)) == 2 * 20 * (number + 1), "whole, and alike in both apps"

        stored = await where.rows(
            "SELECT min(weight), max(weight), min(clock_err_ms), min(start_at) > now() - interval '8 days' AS recent,"
            " max(start_at) < now() + interval '2 minutes' AS past FROM span"
        )
        assert stored[0]["min"] >= 0
        assert stored[0]["max"] <= 10_001
        assert stored[0]["recent"] is stored[0]["past"] is True
        said = await where.ask("/api/v1/latency", route=HONEST)
        assert (said["exact"], said["hidden_spans"] > 0) == (False, True), "too many routes are not hushed up"
        (series,) = await where.rows("SELECT max(n) FROM (SELECT count(*) AS n FROM series GROUP BY app_id, view) AS a")
        assert series["max"] <= SERIES + len(Signal), "one more of each signal, for all others"


async def test_whoever_knows_a_trace_id_can_add_to_its_trace_by_the_apps_own_key_alone_and_change_no_span_of_it(
    tmp_path: Path,
) -> None:
    async with world(tmp_path / "data") as where:
        await where.send_honest(0)
        await where.service.drained()
        spans, _ = where.honest_batch(0)
        trace_id, ids = spans[0]["trace_id"], [span["span_id"] for span in spans]
        path = f"/api/v1/traces/{trace_id}"
        quiet, stored = await where.ask(path), await where.victim()
        assert quiet["counts"]["spans"] == len(spans) == len(quiet["spans"])

        scene = Scene(time.time_ns() // 1000, random.Random(1), trace_id, ids[:3])
        for request in ATTACKS["a victim's trace id"].requests(scene):
            assert await where.post(request, where.control_key) < 300
        await where.service.drained()
        assert (await where.ask(path, where.control_token))["counts"]["spans"] > len(spans), "it came to its own app"
        assert await where.ask(path) == quiet, "a stranger's spans are in a stranger's trace"

        await attack(where, [*ATTACKS["a victim's trace id"].requests(scene)])
        await where.service.drained()
        assert await where.victim() == stored
        noisy = await where.ask(path)
        assert noisy["counts"]["backend"] == 0, "no client makes itself a backend"
        assert noisy["counts"]["shared_ids"] > 0
        shown = {span["span_id"]: span for span in noisy["spans"] if span["route"] == HONEST}
        place = {"line", "depth", "children", "top", "shared_id"}  # in the trace, that others hang their spans into
        for span in quiet["spans"]:
            own = {name: value for name, value in span.items() if name not in place}
            assert own.items() <= shown[span["span_id"]].items()
            assert shown[span["span_id"]]["shared_id"] is (span["span_id"] in ids[:3])
        below = await where.ask(f"{path}/spans", parent=ids[1])
        assert {span["parent_span_id"] for span in below["spans"]} == {ids[1]}


HOSTILE_PAGES = {
    "cursor": ["", "x", "0", "-1", "🙂", "A" * 4000, "../..", "%00", "null", "W10=", "e30=", "/////w==", "9" * 40],
    "parent": ["", "0" * 16, "f" * 16, "g" * 16, "'; --", "f" * 15, "🙂"],
    "like": ["", "0" * 16, "f" * 16, "x"],
    "depth": ["0", "-1", "21", "1e9", "9" * 30, "٣"],
    "limit": ["0", "-1", "100000", "9" * 30, ""],
}


async def test_traces_that_bite_their_tail_can_be_read_with_any_cursor(tmp_path: Path) -> None:
    async with world(tmp_path / "data") as where:
        await where.send_honest(0)
        await where.service.drained()
        scene = Scene(time.time_ns() // 1000, random.Random(2), "ab" * 16, ["cd" * 8])
        await attack(where, [*ATTACKS["traces that bite their tail"].requests(scene)])
        await where.service.drained()
        found = await where.rows(
            "SELECT trace_id, count(*) AS spans, min(span_id) AS one FROM span WHERE app_id ="
            " (SELECT app_id FROM app_key WHERE shown = $1) GROUP BY trace_id ORDER BY 2 DESC LIMIT 5",
            where.service.client_key,
        )
        assert [row["spans"] for row in found][:2] == [11_000, 1000]
        cursors: set[str] = set()
        for row in found:
            told = await where.ask(f"/api/v1/traces/{row['trace_id'].hex()}")
            assert told["counts"]["spans"] == row["spans"]
            shown = await pages(where, row["trace_id"].hex(), cursors)
            assert shown == row["spans"], "every span is on one page, or in one group of one"
        assert cursors
        path = f"/api/v1/traces/{found[0]['trace_id'].hex()}/spans"
        tries = [{name: value} for name, values in HOSTILE_PAGES.items() for value in values]
        tries += [{"cursor": a, "parent": b} for a, b in product([*cursors, "x"], [found[1]["one"].hex(), "0" * 16])]
        statuses = set()
        for parameters in tries:
            status = await status_of(where, where.service.query + path, parameters, where.service.token)
            assert status in {200, 400, 404}, (status, parameters)
            statuses.add(status)
        assert {200, 400} <= statuses


async def pages(where: World, trace_id: str, cursors: set[str]) -> int:
    """How many spans all pages of a trace show or hold in groups, from the top down; adds the cursors on the way."""
    waiting: list[dict[str, str]] = [{}]
    shown = 0
    while waiting:
        asked = waiting.pop()
        page = await where.ask(f"/api/v1/traces/{trace_id}/spans", depth=str(LEVELS), limit=str(LEVELS // 2), **asked)
        grouped = {group["like"] for group in page["groups"]}
        shown += sum(span["span_id"] not in grouped for span in page["spans"])
        shown += sum(group["spans"] for group in page["groups"])
        if page["next"] is not None:
            cursors.add(page["next"])
            waiting.append(asked | {"cursor": page["next"]})
        last = [span["span_id"] for span in page["spans"] if span["children"] and span["depth"] % LEVELS == LEVELS - 1]
        waiting += [{"parent": span_id} for span_id in last]
    return shown


async def status_of(where: World, url: str, parameters: Mapping[str, str], token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with where.session.get(url, params=parameters, headers=headers) as answer:
        await answer.read()
        return answer.status


ABSURD = [
    *({"memory_mb": text} for text in ("-1", "0", "1e9", "9" * 9, "9" * 10, "9" * 4000, "٣", "0x10", " 1", "1.5", "")),
    *({"cores": text} for text in ("-1", "0", "9" * 9, "NaN", "inf")),
    *({"os": text} for text in ("", "🙂", "A" * 4000, "\x00", "Android" * 500)),
    *({"model": text} for text in ("", "K", "../../etc", "iPhone" * 600, "é" * 300)),
    *({"etag": text} for text in ("", "*", '"', "," * 3000, 'W/"x"')),
    {"clock": "2"},
    {str(number): "x" for number in range(40)},
]


async def test_absurd_devices_and_floods_of_them_change_nobodys_configuration(tmp_path: Path) -> None:
    async with world(tmp_path / "data") as where:
        await where.send_honest(0)
        url = f"{where.service.edge}/v1/config"
        device = {"key": where.service.client_key, "os": "Android", "memory_mb": "2048", "cores": "8"}

        async def ask(**parameters: str) -> tuple[int, bytes]:
            headers = {"User-Agent": f"Evil/{parameters.pop('agent', '1')}"}
            async with where.session.get(url, params=device | parameters, headers=headers) as answer:
                return answer.status, await answer.read()

        quiet = await ask()
        assert quiet[0] == 200
        statuses = {(await ask(**absurd))[0] for absurd in ABSURD}
        assert statuses <= {200, 304, 400}
        assert {200, 400} <= statuses
        for number in range(500):
            status, body = await ask(model=f"Model {number}", agent=str(number))
            assert (status, body) == quiet, "an unknown model with the same memory is of the same class"
        assert await ask() == quiet
        assert await where.unhandled_errors() == 0
