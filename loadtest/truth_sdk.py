"""An SDK on one device of the simulated world: what the server receives from it, and the truth beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from client_sdk_spec.clock import DeviceClock
from client_sdk_spec.encoder import compress, encode
from ingest.decode.formats import Format
from ingest.edge.receive import read_stamp
from ingest.model import Reception
from loadtest.devices import SECOND, SETTLE_US, WORLD_BEGINS_US, Life
from loadtest.native import mapping
from loadtest.otlp import encode_protobuf
from loadtest.truth_network import NEVER_US, Chances, Network
from loadtest.truth_rule import ALL, randomness, th
from loadtest.visits import Batch, visit
from loadtest.world import APPS

TIMEOUT_US = 10 * SECOND
"""After this long a client gives up an attempt."""
SLOW_US = 3_000_000
"""What a client that samples takes for slow and always sends; also the server's default."""
CLASSES = ("unknown", "low", "mid", "high")
SERVED_FROM_MEMORY_US = 1_000
CONFIG_US = 3600 * SECOND
"""How long the answer of `GET /v1/config` is good for."""


@dataclass(slots=True)
class Batched:
    """A sealed batch on its device."""

    number: int
    epoch: str
    near_us: int
    """Where on the monotonic clock its spans are."""
    body: bytes
    format: Format
    stamped: bool
    """Its dialect has a send stamp."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as the server receives it."""

    batch: int
    format: Format
    body: bytes
    """As sent, compressed."""
    reception: Reception


class Sdk:
    """An SDK on one device, from the world's beginning to its end."""

    def __init__(
        self, life: Life, rng: np.random.Generator, chances: Chances, numbers: Iterator[int], *, sends_all: bool
    ) -> None:
        self._life, self._rng, self._chances, self._numbers = life, rng, chances, numbers
        self._sends_all = sends_all
        self._now = 0
        self._queue: list[Batched] = []
        self._boot = -1
        self._names = (rng.bytes(8).hex() for _ in count())
        self._clock: DeviceClock | None = None
        self._session, self._seen_us = "", NEVER_US
        self._config_us = NEVER_US
        self._network = Network(life.sender, rng, chances.stalled)
        self.rows: list[Mapping[str, npt.NDArray[Any]]] = []
        self.receipts: list[Delivery] = []
        self.first_receipts: dict[int, tuple[int, int]] = {}
        """Batch → when it first came, and what the wall clock said when that attempt was sent."""

    def live(self) -> None:
        """Every visit: what is left over is sent, the visit is measured and sealed, and sent."""
        for at_us in self._life.visits:
            if at_us - self._seen_us > 1800 * SECOND:
                self._session = self._rng.bytes(16).hex()
            self._seen_us = at_us
            resource = {**self._life.sender.resource, "session": self._session}
            batch = visit(self._rng, replace(self._life.sender, resource=resource), at_us)
            begin = int(batch.columns["start_us"].min()) - SECOND
            self._wake(begin)
            self._configure()
            self._flush(begin + 40 * SECOND)
            for sealed in self._seal(batch, self._watch(batch)):
                self._queue.append(sealed)
            self._now = max(self._now, at_us) + int(self._rng.uniform(0.02, 1) * SECOND)
            if self._life.background and self._queue and self._rng.random() < 0.5:
                self._leave_to_system(self._queue[-1])
            self._flush(at_us + SETTLE_US - 2 * TIMEOUT_US)
            if self._life.dialect == "otlp":
                self._queue.clear()  # exporters keep nothing

    def _mono(self) -> int:
        return self._life.mono.read(self._now)

    def _wall(self) -> int:
        return max(0, WORLD_BEGINS_US + self._now + self._life.wall.error(self._now))

    def _wake(self, at_us: int) -> None:
        """To the foreground; after a reboot, or on a new page, with a clock that begins anew."""
        self._now = at_us
        boot = self._life.mono.life(at_us)
        if self._clock is None or boot != self._boot:
            kept = self._clock.anchors if self._clock is not None and self._life.keeps_anchors else {}
            self._clock = DeviceClock(
                self._mono, self._wall, counts_sleep=self._life.mono.counts_sleep, names=self._names, anchors=kept
            )
            if not self._life.keeps_queue:
                self._queue.clear()
        self._boot = boot
        self._clock.sample()

    def _configure(self) -> None:
        """Asks for rates when the last answer is too old. Every answer of the edge is an anchor of the clock, too."""
        life, asks = self._life, self._life.dialect.startswith("native")
        if not asks or self._now < self._config_us + CONFIG_US or not life.online(self._now):
            return
        assert self._clock is not None
        self._clock.sample()
        sent_us = self._now
        passage = self._network.pass_on(sent_us)
        up_us, down_us = passage.up_us, passage.down_us
        written_mono_us = life.mono.read(sent_us + passage.written_us)
        lost = self._rng.random() < self._chances.lost or up_us + down_us > TIMEOUT_US
        self._now += TIMEOUT_US if lost else up_us + down_us + SERVED_FROM_MEMORY_US
        if not lost:
            received_us = WORLD_BEGINS_US + sent_us + up_us
            self._clock.answered(written_mono_us, self._mono(), received_us, received_us + SERVED_FROM_MEMORY_US)
            self._config_us = sent_us

    def _watch(self, batch: Batch) -> list[str]:
        """Reads the clocks through the visit, as the specification asks; gives the epoch that every span began in."""
        assert self._clock is not None
        starts = batch.columns["start_us"].tolist()
        ends = (batch.columns["start_us"] + batch.columns["duration_us"]).tolist()
        epochs = {}
        for at_us in sorted({*starts, *ends, *range(starts[0], batch.sealed_at_us, 15 * SECOND)}):
            # What began while an attempt of the left-over was under way is read right after it.
            self._now = max(self._now, at_us)
            self._clock.sample()
            epochs[at_us] = self._clock.epoch
        return [epochs[at_us] for at_us in starts]

    def _seal(self, batch: Batch, epochs: Sequence[str]) -> Iterator[Batched]:
        """One batch for every epoch of the visit; the truth of its spans goes to `rows`."""
        assert self._clock is not None
        self._now = max(self._now, batch.sealed_at_us)
        self._clock.sample()
        told = self._tell(batch)
        for epoch in dict.fromkeys(epochs):
            rows = np.array([each == epoch for each in epochs])
            number = next(self._numbers)
            truth = {name: column[rows] for name, column in told.items()}
            truth["batch"] = np.full(int(rows.sum()), number, dtype=np.int64)
            self.rows.append(truth)
            if truth["sent"].any():
                yield self._encode(batch, number, epoch, np.flatnonzero(rows & told["sent"]))

    def _tell(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """The truth of the visit's spans, without their batch."""
        life, columns, spans = self._life, batch.columns, batch.spans
        starts = columns["start_us"].tolist()
        request = columns["kind"] == 3
        required = (columns["status"] == 2) | (request & (columns["duration_us"] >= SLOW_US))
        threshold = 0 if life.dialect == "otlp" else ALL - round(life.keep_probability * ALL)
        trace_ids = batch.trace_ids[columns["trace"]]
        boot = life.mono.life(self._now)
        napped = any(life.mono.life(begin) == boot for begin, _ in life.naps)
        return {
            "span_id": batch.span_ids.view(">u8").ravel().astype(np.uint64),
            "trace_id": trace_ids,
            "start_at_us": WORLD_BEGINS_US + columns["start_us"],
            "wall_us": WORLD_BEGINS_US + np.array([at_us + life.wall.error(at_us) for at_us in starts]),
            "duration_us": columns["duration_us"],
            "request": request,
            "required": required,
            "device_class": np.full(spans, CLASSES.index(batch.sender.device.device_class), dtype=np.int64),
            "threshold": np.full(spans, threshold, dtype=np.int64),
            "sent": required | (randomness(trace_ids) >= threshold) | self._sends_all,
            "touched": np.full(spans, napped),
        }

    def _encode(self, batch: Batch, number: int, epoch: str, rows: npt.NDArray[np.intp]) -> Batched:
        life = self._life
        starts = batch.columns["start_us"].tolist()
        if life.dialect == "otlp":
            walls = np.array([WORLD_BEGINS_US + at_us + life.wall.error(at_us) for at_us in starts], dtype=np.int64)
            body = encode_protobuf(replace(batch, columns={**batch.columns, "start_us": np.maximum(walls, 0)}))
            return Batched(number, epoch, 0, compress(body, "gzip"), Format.OTLP_PROTOBUF, stamped=False)
        assert self._clock is not None
        monos = np.array([life.mono.read(at_us) for at_us in starts], dtype=np.int64)
        whole = mapping(replace(batch, columns={**batch.columns, "start_us": monos}))
        whole["id"] = self._rng.bytes(16).hex()
        whole["clock"] = self._clock.sealed(epoch) if life.dialect != "bare" else {}
        whole["spans"] = [self._declared(whole["spans"][row]) for row in rows.tolist()]
        encoding, compression = ("json", "gzip") if life.dialect == "native-json" else ("msgpack", "zstd")
        sealed = compress(encode(whole, encoding), compression)
        return Batched(number, epoch, int(monos[rows].max()), sealed, Format.NATIVE, stamped=life.dialect != "bare")

    def _declared(self, span: dict[str, Any]) -> dict[str, Any]:
        """The span with the threshold that its client applied to it."""
        slow = span["kind"] == 3 and span["duration_us"] >= SLOW_US
        if self._life.keep_probability < 1 and span["status"] != 2 and not slow:
            span["threshold"] = th(self._life.keep_probability)
        return span

    def _flush(self, until_us: int) -> None:
        """Sends what is queued, oldest first, until the time is over or nothing gets through."""
        failures = 0
        while self._queue and self._now < until_us and failures < 3 and self._life.online(self._now):
            if self._attempt(self._queue[0]):
                self._queue.pop(0)
                self._now += int(self._rng.uniform(0.02, 0.5) * SECOND)
            else:
                failures += 1
                self._now += int(self._rng.uniform(0, 2**failures) * SECOND)

    def _attempt(self, batched: Batched) -> bool:
        """One request with a stamp of its own, and whether its answer came back; time goes on until then."""
        assert self._clock is not None
        rng, chances, sent_us = self._rng, self._chances, self._now
        stamp = self._clock.stamp(batched.epoch, batched.near_us)
        passage = self._network.pass_on(sent_us)
        up_us, down_us = passage.up_us, passage.down_us
        written_mono_us = self._life.mono.read(sent_us + passage.written_us)
        if rng.random() < chances.frozen:
            received_us = sent_us + TIMEOUT_US + int(rng.exponential(60) * SECOND)
            self._touch(batched.number)
            self._receive(batched, received_us, sent_us, stamp)
            self._now = min(received_us, sent_us + TIMEOUT_US)
            return False
        if rng.random() < chances.lost or up_us > TIMEOUT_US:
            self._now += TIMEOUT_US if rng.random() < 0.7 else int(rng.uniform(0.1, 3) * SECOND)
            self._network.lose()
            return False
        self._receive(batched, sent_us + up_us, sent_us, stamp)
        served_us = int(rng.lognormal(np.log(30_000), 0.6))
        if rng.random() < chances.unanswered or up_us + served_us + down_us > TIMEOUT_US:
            self._now += TIMEOUT_US
            return False
        self._now += up_us + served_us + down_us
        if batched.stamped:
            received_us = WORLD_BEGINS_US + sent_us + up_us
            self._clock.answered(written_mono_us, self._mono(), received_us, received_us + served_us)
        return True

    def _leave_to_system(self, batched: Batched) -> None:
        """Written to a file with the stamp of now, and uploaded when the system likes; nobody reads the answer."""
        assert self._clock is not None
        if not batched.stamped:
            return
        stamp = self._clock.stamp(batched.epoch, batched.near_us, background=True)
        received_us = self._now + int(self._rng.exponential(600) * SECOND)
        if self._life.online(received_us):
            self._receive(batched, received_us, self._now, stamp)
            self._queue.remove(batched)

    def _receive(self, batched: Batched, received_us: int, sent_us: int, stamp: Mapping[str, str]) -> None:
        life, at_us = self._life, WORLD_BEGINS_US + received_us
        reception = Reception(
            app_id=1 + [app.name for app in APPS].index(life.sender.app.name),
            received_at_us=at_us,
            address=life.sender.address,
            user_agent=life.sender.device.user_agent,
            send=read_stamp(stamp) if batched.stamped else None,
        )
        self.receipts.append(Delivery(batched.number, batched.format, batched.body, reception))
        wall_us = WORLD_BEGINS_US + sent_us + life.wall.error(sent_us)
        first = self.first_receipts.get(batched.number)
        if first is None or at_us < first[0]:
            self.first_receipts[batched.number] = (at_us, wall_us)

    def _touch(self, number: int) -> None:
        for row in self.rows:
            if int(row["batch"][0]) == number:
                row["touched"][:] = True
