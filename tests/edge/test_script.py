"""The browser SDK is served to any page, once a copy."""

import gzip

from ingest.edge.script import Script
from tests.edge.conftest import RunningEdge, StartEdge

SCRIPT = Script.of(b"var firsthop = {};" * 50)


async def test_any_page_gets_the_script_and_asks_for_it_again_by_its_etag(start_edge: StartEdge) -> None:
    edge = await start_edge(script=SCRIPT)
    answer = await edge.send(b"", "/firsthop.js", "GET", x_api_key="", Accept_Encoding="gzip, br")
    assert (answer.status, gzip.decompress(answer.body)) == (200, SCRIPT.body)
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    plain = await edge.send(b"", "/firsthop.js", "GET", x_api_key="", Accept_Encoding="identity")
    assert (plain.body, "Content-Encoding" in plain.headers) == (SCRIPT.body, False)
    again = await edge.send(b"", "/firsthop.js", "GET", x_api_key="", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


async def test_a_new_script_has_another_etag() -> None:
    assert Script.of(b"1").etag != Script.of(b"2").etag
    assert Script.of(b"1") == Script.of(b"1")


async def test_where_nobody_built_it_the_answer_says_how(edge: RunningEdge) -> None:
    answer = await edge.send(b"", "/firsthop.js", "GET")
    assert answer.status == 404
    assert "make install" in answer.json()["message"]


async def test_it_is_read_and_never_written_to(start_edge: StartEdge) -> None:
    edge = await start_edge(script=SCRIPT)
    assert (await edge.send(b"x", "/firsthop.js", "POST")).status == 405
    assert (await edge.send(b"", "/firsthop.js/fh_client_test", "GET")).status == 404
