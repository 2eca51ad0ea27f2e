"""The dashboard: the files of a directory, read once, and headers that let the page do nothing but show its data."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ASSETS = "assets"
"""The directory whose file names carry a hash of their contents."""

_MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>firsthop</title>
<body><h1>The dashboard has not been built</h1>
<p>Run <code>make install</code> and restart. The query API answers already: see
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p></body></html>
"""


def add_pages(app: web.Application, directory: Path) -> None:
    """Serves the files of a directory, and its index.html as `/`.

    The files are looked up now: a path that a request makes up never reaches the file system. `x.js.gz` is no file of
    its own, but what is sent in place of `x.js` to whoever takes gzip.
    """
    index = directory / "index.html"
    if not index.is_file():
        app.router.add_get("/", _missing)
        return
    app.router.add_get("/", _page(index, "no-cache"))
    for file in sorted(path for path in directory.rglob("*") if path.is_file() and path.suffix != ".gz"):
        name = file.relative_to(directory)
        hashed = name.parts[0] == _ASSETS
        app.router.add_get(
            f"/{name.as_posix()}", _page(file, "public, max-age=31536000, immutable" if hashed else "no-cache")
        )


def _page(file: Path, caching: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={**_HEADERS, "Cache-Control": caching})

    return page


async def _missing(request: web.Request) -> web.Response:
    return web.Response(
        status=503, text=_MISSING, content_type="text/html", headers={**_HEADERS, "Cache-Control": "no-store"}
    )
