"""The demo's web site: one page, and a backend that traces itself with OpenTelemetry's SDK as any service would.

    python -m loadtest.demo_site.server --ready .firsthop/ready.json --client-key KEY

The backend continues the page's trace from `traceparent`, names its own span in `Server-Timing`, and exports its spans
by OTLP/HTTP to the same edge with the app's server key, which `firsthop demo` keeps in `keys.json` beside `ready.json`.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from aiohttp import web
from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

HERE = Path(__file__).parent
PHASES = HERE.parent.parent / "client_sdk_spec" / "phases.js"
PORT = 4390
EXPORT_MS = 500

CHECKOUT_S = (("SELECT stock", 0.18), ("POST payments.example/charge", 0.62), ("INSERT order", 0.09))
SEARCH_S = (("SELECT products", 0.04),)


class Backend:
    """The site's handlers and the tracer behind them.

    Args:
        edge: address of the edge.
        server_key: of the app.
        where: what the page is told: edge, client key and the dashboard's address.
    """

    def __init__(self, edge: str, server_key: str, where: dict[str, str]) -> None:
        self._where = where
        self._provider = TracerProvider(resource=Resource.create({"service.name": "demo-shop-backend"}))
        exporter = OTLPSpanExporter(endpoint=f"{edge}/v1/traces", headers={"x-api-key": server_key})
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_MS))
        self._tracer = self._provider.get_tracer("demo")

    def application(self) -> web.Application:
        """The site."""
        app = web.Application()
        app.router.add_get("/", _page)
        app.router.add_get("/page.js", _script)
        app.router.add_get("/phases.js", _phases)
        app.router.add_get("/where.json", self._tell)
        app.router.add_post("/api/checkout", self._checkout)
        app.router.add_get("/api/search", self._search)
        app.on_cleanup.append(self._flush)
        return app

    async def _flush(self, _: web.Application) -> None:
        await asyncio.to_thread(self._provider.shutdown)

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response(self._where)

    async def _checkout(self, request: web.Request) -> web.Response:
        return await self._work(request, "POST /api/checkout", CHECKOUT_S, "Paid. Thank you!")

    async def _search(self, request: web.Request) -> web.Response:
        return await self._work(request, "GET /api/search", SEARCH_S, "Three shoes found.")

    async def _work(
        self, request: web.Request, name: str, steps: tuple[tuple[str, float], ...], answer: str
    ) -> web.Response:
        parent = propagate.extract(request.headers)
        with self._tracer.start_as_current_span(name, context=parent, kind=trace.SpanKind.SERVER) as span:
            for step, seconds in steps:
                with self._tracer.start_as_current_span(step, context.get_current(), kind=trace.SpanKind.CLIENT):
                    await asyncio.sleep(seconds)
            ids = span.get_span_context()
        parent_of_answer = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-01"
        return web.Response(text=answer, headers={"Server-Timing": f'traceparent;desc="{parent_of_answer}"'})


async def _page(_: web.Request) -> web.Response:
    return _file(HERE / "page.html", "text/html")


async def _script(_: web.Request) -> web.Response:
    return _file(HERE / "page.js", "text/javascript")


async def _phases(_: web.Request) -> web.Response:
    return _file(PHASES, "text/javascript")


def _file(path: Path, content_type: str) -> web.Response:
    return web.Response(text=path.read_text(), content_type=content_type, headers={"Cache-Control": "no-store"})


async def main() -> None:
    """Serves until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--client-key", required=True)
    parser.add_argument("--app", default="shop")
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    ready = json.loads(given.ready.read_text())
    server_key = json.loads(given.ready.with_name("keys.json").read_text())["demo_server_key"]
    where = {"edge": ready["edge"], "key": given.client_key, "dashboard": f"{ready['query']}/?app={given.app}"}
    runner = web.AppRunner(Backend(ready["edge"], server_key, where).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", given.port).start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
