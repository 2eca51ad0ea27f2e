"""A proxy before the database's socket that cuts a connection at a chosen moment."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, unquote


class Cut:
    """Cuts the connection instead of delivering the next server message that holds these bytes; once."""

    def __init__(self) -> None:
        self.before: bytes | None = None
        self.cuts = 0

    def strikes(self, data: bytes) -> bool:
        if self.before is None or self.before not in data:
            return False
        self.before = None
        self.cuts += 1
        return True


@asynccontextmanager
async def cutting_proxy(dsn: str) -> AsyncIterator[tuple[str, Cut]]:
    """A DSN that goes through the proxy, and its scissors."""
    base, directory = dsn.split("?host=")
    cut = Cut()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(unquote(directory) + "/.s.PGSQL.5432")
        except OSError:
            writer.transport.abort()
            return

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, watched: bool) -> None:
            try:
                while (data := await source.read(65536)) and not (watched and cut.strikes(data)):
                    target.write(data)
                    await target.drain()
            except OSError:
                pass
            finally:
                writer.transport.abort()
                server_writer.transport.abort()

        for pumping in (pump(reader, server_writer, False), pump(server_reader, writer, True)):
            task = asyncio.create_task(pumping)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    with tempfile.TemporaryDirectory(prefix="fh-proxy-") as place:
        server = await asyncio.start_unix_server(serve, str(Path(place) / ".s.PGSQL.5432"))
        try:
            yield f"{base}?host={quote(place, safe='')}", cut
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
