"""Who may send."""

import asyncio

import pytest

from ingest.ports import Grant
from tests.edge.conftest import CLIENT_KEY, SHOP_KEY, RunningEdge, native


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/batches", {"x_api_key": CLIENT_KEY}),
        ("/v1/batches", {"x_api_key": "", "authorization": f"Bearer {CLIENT_KEY}"}),
        ("/v1/batches", {"x_api_key": "", "authorization": f"bearer  {CLIENT_KEY}"}),
        (f"/v1/batches?key={CLIENT_KEY}", {"x_api_key": ""}),
        (f"/v1/batches/{CLIENT_KEY}", {"x_api_key": ""}),
    ],
)
async def test_a_key_may_stand_in_a_header_a_parameter_or_the_path(
    edge: RunningEdge, path: str, headers: dict[str, str]
):
    assert (await edge.send(native(), path, **headers)).status == 202


async def test_spans_belong_to_the_app_of_the_key(edge: RunningEdge):
    await edge.send(native(), x_api_key=SHOP_KEY)
    assert edge.journal.records[0].ledger.app_id.tolist() == [2]


@pytest.mark.parametrize(
    ("origin", "status"), [("https://shop.example", 202), ("https://evil.example", 403), ("", 202)]
)
async def test_a_key_bound_to_origins_serves_pages_of_those_alone(edge: RunningEdge, origin: str, status: int):
    headers = {"origin": origin} if origin else {}
    answer = await edge.send(native(), x_api_key=SHOP_KEY, **headers)
    assert answer.status == status
    if origin:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_key_made_a_moment_ago_is_found(edge: RunningEdge):
    for number in range(2):
        edge.keys.keys[f"fh_pub_new{number}"] = Grant(3, "client")
        assert (await edge.send(native(), x_api_key=f"fh_pub_new{number}")).status == 202


async def test_keys_once_read_stay_valid_while_they_cannot_be_read(edge: RunningEdge):
    edge.keys.away = True
    async with asyncio.timeout(10):
        while (await edge.send(b"", "/readyz", "GET")).status == 200:
            assert (await edge.send(native(), x_api_key="fh_pub_nobody")).status == 403
    assert (await edge.send(native())).status == 202
    assert (await edge.send(b"", "/readyz", "GET")).json()["failing"] == ["keys"]
