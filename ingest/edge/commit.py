"""Group commit: bodies that arrive within a few milliseconds become one micro-batch and share one durable commit.

    commit(body) ──▶ pending ──▶ decode · process ──▶ journal.append ──▶ every waiting request is answered

A micro-batch is taken when the first body in it has waited long enough or it is large enough. Two may be under way, so
that the CPU has work while the disk syncs; more would only make micro-batches smaller.

Decoding and processing hold the event loop for the 10 to 30 ms that an ordinary micro-batch takes: handing it to a
thread costs a third more CPU. But what is large, and for a while everything once a micro-batch has held the loop for
longer than `HOLD_S`, runs in a thread, so that a hostile body delays only those beside it.

Nothing is answered before its record is durable. When a micro-batch fails for a reason nobody foresaw, its bodies are
committed one by one, so that only the guilty one is refused. A group whose append failed may have been written all the
same; appending its bodies again counts nothing twice, because the aggregator drops batch ids it has seen.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic, perf_counter

import numpy as np

from ingest.decode.formats import Format
from ingest.edge.leave_out import leave_out
from ingest.edge.measure import Measures
from ingest.edge.once import Once
from ingest.edge.trace_limits import NOBODY, Sender, TraceLimits
from ingest.errors import Unavailable
from ingest.model import Decoded, Processed, Reception, SpanBatch
from ingest.outcome import ACCEPTED, REJECTIONS, Note, Outcome
from ingest.ports import Journal
from ingest.settings import Limits

IN_FLIGHT = 2
"""Micro-batches between taking and answer."""

BATCH_BYTES = 512 * 1024
"""Inflated size at which a micro-batch is taken at once; numpy's fixed costs are spread well by then."""

HOLD_S = 0.08
"""A micro-batch that holds the event loop for longer is no ordinary one."""

CAUTION_S = 60.0
"""After one, this long everything runs in the thread."""

LABELS = {outcome: outcome.label for outcome in Outcome}
_PLACE = {format_: place for place, format_ in enumerate(Format)}
NOTES = [note.label for note in Note]

Decoders = Mapping[Format, Callable[[Sequence[bytes], Limits], Decoded]]
Process = Callable[[SpanBatch, Sequence[Reception]], Processed]


@dataclass(frozen=True, slots=True)
class Body:
    """One request body, inflated, and where it came from."""

    format: Format
    data: bytes
    reception: Reception
    sender: Sender = NOBODY
    batch_id: bytes = b""
    """16 bytes, where the request names its batch; else what the decoder gives it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the spans of one body ended."""

    accepted: int
    rejected: Mapping[str, int]
    """Outcome label → spans; only those there were."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    body: Body
    answer: "asyncio.Future[Tally]"

    def accept(self, tally: Tally) -> None:
        if not self.answer.done():
            self.answer.set_result(tally)

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A micro-batch after decoding and processing."""

    readable: Sequence[_Waiting]
    """In the order of the bodies' rows."""
    record: Processed | None
    """None when no body could be read."""
    faults: Sequence[tuple[_Waiting, Exception]]
    trimmed: int


class GroupCommit:
    """Gathers bodies into micro-batches and makes them durable.

    Args:
        journal: where records become durable.
        decoders: format → decoder of many bodies.
        process: the pipeline with its policy and lookups filled in.
        limits: for the decoders.
        measures: what is counted.
        trace_limits: how many new traces a sender may bring; None: any number.
        wait_s: longest that a body waits for others.
        batch_bytes: inflated bytes that end the wait.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        decoders: Decoders,
        process: Process,
        limits: Limits,
        measures: Measures,
        trace_limits: TraceLimits | None = None,
        wait_s: float,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._journal, self._decoders, self._process, self._limits = journal, decoders, process, limits
        self._measures, self._wait_s, self._batch_bytes = measures, wait_s, batch_bytes
        self._trace_limits = trace_limits
        self._once = Once()
        self._pending: deque[_Waiting] = deque()
        self._pending_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._overdue = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._cautious_until = float("-inf")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="process")
        self.failed_at = float("-inf")
        """Loop time at which the journal last could not be reached."""

    async def commit(self, body: Body) -> Tally:
        """Returns when the body is durably committed.

        Raises:
            Refusal: the body cannot be read, or cannot be made durable now; nothing of it is kept.
            Exception: an error nobody foresaw; nothing of the body is known to be kept.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(body, loop.create_future())
        self._pending.append(waiting)
        self._pending_bytes += len(body.data)
        if self._pending_bytes >= self._batch_bytes:
            self._take()
        elif self._timer is None and not self._overdue:
            self._timer = loop.call_later(self._wait_s, self._take)
        return await waiting.answer

    def _take(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._pending and len(self._under_way) < IN_FLIGHT:
            taken = [self._pending.popleft()]
            size = len(taken[0].body.data)
            while self._pending and size + len(self._pending[0].body.data) <= self._batch_bytes:
                taken.append(self._pending.popleft())
                size += len(taken[-1].body.data)
            self._pending_bytes -= size
            self._measures.batch_bodies.observe(len(taken))
            self._measures.batch_bytes.observe(size)
            task = asyncio.create_task(self._commit_timed(taken))
            self._under_way.add(task)
            task.add_done_callback(self._finish)
        self._overdue = bool(self._pending)

    def _finish(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if self._overdue:
            self._take()

    async def _commit_timed(self, taken: Sequence[_Waiting]) -> None:
        started = perf_counter()
        await self._commit_together(taken)
        self._measures.commit_seconds.observe(perf_counter() - started)

    async def _commit_together(self, taken: Sequence[_Waiting]) -> None:
        try:
            started = perf_counter()
            if started < self._cautious_until or sum(len(waiting.body.data) for waiting in taken) > self._batch_bytes:
                prepared = await asyncio.get_running_loop().run_in_executor(self._thread, self._prepare, taken)
            else:
                prepared = self._prepare(taken)
                if perf_counter() - started > HOLD_S:
                    self._cautious_until = perf_counter() + CAUTION_S
            self._measures.prepare_seconds.observe(perf_counter() - started)
            if prepared.record is not None:
                await self._journal.append(prepared.record)
        except Unavailable as refusal:
            self.failed_at = asyncio.get_running_loop().time()
            for waiting in taken:
                waiting.refuse(refusal)
        except Exception as error:  # noqa: BLE001 - one body's bug must not fail the bodies beside it
            await self._commit_apart(taken, error)
        else:
            self._measures.trimmed.add(prepared.trimmed)
            for waiting, fault in prepared.faults:
                waiting.refuse(fault)
            if prepared.record is not None:
                self._answer(prepared.readable, prepared.record)

    async def _commit_apart(self, taken: Sequence[_Waiting], error: Exception) -> None:
        if len(taken) == 1:
            taken[0].refuse(error)
            return
        self._measures.unforeseen(error)
        for waiting in taken:
            await self._commit_together([waiting])

    def _prepare(self, taken: Sequence[_Waiting]) -> _Prepared:
        """Decodes and processes, in the thread; touches nothing of the event loop's."""
        by_format: dict[Format, list[_Waiting]] = {}
        # In the order of `Format`, so that what a page's traces tell is known before its logs are looked at.
        for waiting in sorted(taken, key=lambda each: _PLACE[each.body.format]):
            by_format.setdefault(waiting.body.format, []).append(waiting)
        readable: list[_Waiting] = []
        batches: list[SpanBatch] = []
        faults: list[tuple[_Waiting, Exception]] = []
        trimmed = 0
        for format_, group in by_format.items():
            decoded = self._decoders[format_]([waiting.body.data for waiting in group], self._limits)
            batch = self._once.settle(
                format_, decoded.batch, [waiting.body.reception for waiting in group], monotonic()
            )
            faults.extend((group[row], fault) for row, fault in decoded.faults.items())
            readable.extend(waiting for row, waiting in enumerate(group) if row not in decoded.faults)
            named = _name_batches(batch, [waiting.body.batch_id for waiting in group])
            batches.append(leave_out(named, decoded.faults))
            trimmed += decoded.trimmed
        batch = SpanBatch.concat(batches)
        if self._trace_limits is not None:
            over = self._trace_limits.charge(batch, [waiting.body.sender for waiting in readable], monotonic())
            faults.extend((readable[row], refusal) for row, refusal in over.items())
            batch, readable = leave_out(batch, over), [each for row, each in enumerate(readable) if row not in over]
        receptions = [waiting.body.reception for waiting in readable]
        record = self._process(batch, receptions) if readable else None
        return _Prepared(readable, record, faults, trimmed)

    def _answer(self, readable: Sequence[_Waiting], record: Processed) -> None:
        outcomes = record.ledger.outcomes
        for outcome, spans in zip(Outcome, outcomes.sum(axis=1).tolist(), strict=True):
            if spans:
                self._measures.spans.add(spans, LABELS[outcome])
        notes = record.notes
        for note, spans in zip(notes.note.tolist(), notes.spans.tolist(), strict=True):
            self._measures.notes.add(spans, NOTES[note])
        scrubs = record.scrubs
        rules = [record.strings[code] for code in scrubs.rule.tolist()]
        self._measures.count_scrubs(zip(rules, scrubs.finds.tolist(), strict=True))
        for waiting, ends in zip(readable, outcomes.T.tolist(), strict=True):
            accepted = sum(ends[outcome] for outcome in ACCEPTED)
            rejected = {LABELS[outcome]: ends[outcome] for outcome in REJECTIONS if ends[outcome]}
            waiting.accept(Tally(accepted, rejected))


def _name_batches(batch: SpanBatch, batch_ids: Sequence[bytes]) -> SpanBatch:
    """The batch with the ids that requests gave their bodies; b"" leaves the decoder's."""
    named = [row for row, batch_id in enumerate(batch_ids) if batch_id]
    if not named:
        return batch
    ids = np.array(batch.bodies.batch_id)
    ids[named] = [list(batch_ids[row]) for row in named]
    return replace(batch, bodies=replace(batch.bodies, batch_id=ids))
