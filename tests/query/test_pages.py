"""The dashboard's files, their headers, and the page that says they are missing."""

import gzip
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.query.conftest import serve


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built page."""
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<!doctype html><title>it</title>")
    (tmp_path / "dist" / "icon.svg").write_text("<svg/>")
    (tmp_path / "dist" / "assets" / "index-1a2b.js").write_text("1")
    (tmp_path / "secret").write_text("no")
    return tmp_path / "dist"


async def test_the_page_may_do_nothing_but_show_its_data(pool: "asyncpg.Pool[Any]", dist: Path) -> None:
    async with serve(pool, dashboard=dist) as client:
        response = await client.get("/")
        assert "<title>it</title>" in await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-cache"


async def test_hashed_files_are_kept_for_a_year_and_others_asked_for(pool: "asyncpg.Pool[Any]", dist: Path) -> None:
    async with serve(pool, dashboard=dist) as client:
        script = await client.get("/assets/index-1a2b.js")
        assert script.content_type in ("text/javascript", "application/javascript")
        assert "immutable" in script.headers["Cache-Control"]
        assert (await client.get("/icon.svg")).headers["Cache-Control"] == "no-cache"


async def test_who_takes_gzip_is_sent_what_the_build_compressed(pool: "asyncpg.Pool[Any]", dist: Path) -> None:
    (dist / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(b"1"))
    async with serve(pool, dashboard=dist) as client:
        for taken, encoding in (("gzip", "gzip"), ("identity", None)):
            script = await client.get("/assets/index-1a2b.js", headers={"Accept-Encoding": taken})
            assert await script.read() == b"1"
            assert script.headers.get("Content-Encoding") == encoding
            assert script.content_type in ("text/javascript", "application/javascript")
            assert "default-src 'none'" in script.headers["Content-Security-Policy"]
        assert (await client.get("/assets/index-1a2b.js.gz")).status == 404


@pytest.mark.parametrize("path", ["/assets/%2e%2e/%2e%2e/secret", "/..%2fsecret", "/assets/", "/secret"])
async def test_no_path_leads_out_of_the_directory(pool: "asyncpg.Pool[Any]", dist: Path, path: str) -> None:
    async with serve(pool, dashboard=dist) as client:
        response = await client.get(path)
        assert response.status == 404
        assert await response.text() != "no"


async def test_a_page_that_was_not_built_says_how_to_build_it(pool: "asyncpg.Pool[Any]", tmp_path: Path) -> None:
    async with serve(pool, dashboard=tmp_path / "nothing") as client:
        response = await client.get("/")
        assert response.status == 503
        assert "make install" in await response.text()
