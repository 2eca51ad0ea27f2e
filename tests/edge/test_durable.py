"""The edge on a real PostgreSQL journal: acknowledged means there, refused means not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.store.database import migrate, open_pool
from ingest.store.embedded import EmbeddedPostgres
from tests.edge.conftest import RunningEdge, StartEdge, native
from tests.edge.test_answers import PROTOBUF, otlp_request


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A database that the test may stop."""
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


async def stored(journal: PostgresJournal) -> list[tuple[bytes, int]]:
    """(batch id, spans) of every body in the journal."""
    ledgers = [entry.record.ledger for entry in await journal.read(1000)]
    return sorted(
        (bytes(batch_id), int(spans))
        for ledger in ledgers
        for batch_id, spans in zip(ledger.batch_id, ledger.spans, strict=True)
    )


async def test_while_the_database_is_down_clients_are_told_to_come_back_and_nothing_is_half_written(
    own_postgres: EmbeddedPostgres, start_edge: StartEdge
):
    pool = await open_pool(own_postgres.start(), connections=3)
    await migrate(pool)
    journal = PostgresJournal(pool, await open_lane(pool))
    edge: RunningEdge = await start_edge(journal=journal)
    assert (await edge.send(native(2, batch_id=1))).status == 202
    own_postgres.stop()
    down = await edge.send(native(3, batch_id=2))
    assert (down.status, down.json()["error"]) == (503, "journal_unreachable")
    assert 1 <= int(down.headers["Retry-After"]) <= 5
    otlp = await edge.send(otlp_request(1).SerializeToString(), "/v1/traces", content_type=PROTOBUF)
    assert (otlp.status, otlp.headers["Content-Type"]) == (503, PROTOBUF)
    own_postgres.start()
    assert await stored(journal) == [((1).to_bytes(16, "big"), 2)]
    assert (await edge.send(native(3, batch_id=2))).status == 202
    assert await stored(journal) == [((1).to_bytes(16, "big"), 2), ((2).to_bytes(16, "big"), 3)]
    await pool.close()
