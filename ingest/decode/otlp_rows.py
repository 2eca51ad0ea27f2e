"""What has been read of a micro-batch so far: flat growing arrays, text and attributes interned as they come.

Protobuf and JSON readers fill the same `Rows`; `otlp_columns` turns them into a `SpanBatch` in one go. A body that
turns out to be bad is undone to the last trace: none of its text stays in the string table.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import Any, Final

from ingest.decode.otlp_attributes import NEVER_KEPT, RESOURCE, SPAN, Names
from ingest.decode.otlp_phases import MOMENTS
from ingest.decode.otlp_text import Budget
from ingest.errors import TooLarge
from ingest.model import UNKNOWN
from ingest.settings import Limits

NO_COLUMN: Final = -1
RULE_WIDTH: Final = 4
"""Numbers in `Pairs.rules` per rule: column or NO_COLUMN, rank, key code or 0, place in `Pairs.spellings`."""
_DROPPED: Final = 0
"""The first rule: no column and no key."""

FIRST_NAME: Final = 16
"""Event kinds from here on are FIRST_NAME + code of the event's name; below are rows of `MOMENTS`."""

EXCEPTION_ATTRIBUTES: Final = 8
"""Of an exception event; the conventions know four."""

_UNBOUNDED: Final = 1 << 62


class Memo(dict[Any, int]):
    """A dict that computes what is missing, as long as the body's budget lasts."""

    def __init__(self, compute: Callable[[Any], int], budget: Budget) -> None:
        super().__init__()
        self.compute = compute
        self.budget = budget

    def __missing__(self, key: Any) -> int:
        self.budget.spend(1)
        value = self[key] = self.compute(key)
        return value


def _read_nothing(_: Any) -> int:
    raise RuntimeError("these rows are finished")


class Codes(dict[str, int]):
    """The string table under construction: text → code."""

    def __init__(self, string_bytes: int) -> None:
        super().__init__({"": 0})
        self.string_bytes = string_bytes
        self.surely_short = string_bytes // 4
        self.ceiling = _UNBOUNDED

    def __missing__(self, text: str) -> int:
        # UTF-8 takes at most four bytes a character: most text needs no closer look.
        if len(text) > self.surely_short and len(encoded := text.encode()) > self.string_bytes:
            room = self.string_bytes - len("…".encode())
            return self[encoded[:room].decode(errors="ignore") + "…"]
        if len(self) >= self.ceiling:
            raise TooLarge("too_many_strings", "the body has too many different texts; send fewer spans in one request")
        code = self[text] = len(self)
        return code


class Pairs:
    """Distinct attributes, each judged once: which column it fills, or that it stays an attribute."""

    def __init__(self, names: Names, codes: Codes) -> None:
        self.names = names
        self.codes = codes
        self.spellings = tuple(names.targets)
        self.rules = array("q", (NO_COLUMN, 0, 0, 0))
        self.rule = array("q")
        """Pair → its rule."""
        self.value = array("q")
        """Pair → what goes into the column, or the code of the attribute's text."""
        self.rule_of: dict[str, _Rule] = {}
        self._place = {name: place for place, name in enumerate(self.spellings)}

    def add(self, key: str, text: str) -> int:
        """The number of a new pair."""
        rule, column, read = self.rule_of.get(key) or self._rule(key)
        found = text if read is None else read(text)
        value = 0
        if rule != _DROPPED and (text or found or column == NO_COLUMN):
            if found is None:
                found, rule = text, self._attribute_rule(key)
            value = found if isinstance(found, int) else self.codes[found]
        else:
            rule = _DROPPED
        self.rule.append(rule)
        self.value.append(value)
        return len(self.value) - 1

    def _rule(self, key: str) -> "_Rule":
        target = self.names.targets.get(key)
        if key in NEVER_KEPT or not key:
            rule: _Rule = _DROPPED, NO_COLUMN, None
        elif target is None:
            rule = self._attribute_rule(key), NO_COLUMN, None
        else:
            kept = self._key(key) if target.stays else 0
            rule = self._add_rule(target.column, target.rank, kept, self._place[key]), target.column, target.read
        self.rule_of[key] = rule
        return rule

    def _attribute_rule(self, key: str) -> int:
        return self._add_rule(NO_COLUMN, 0, self._key(key), 0)

    def _key(self, key: str) -> int:
        return self.codes[self.names.renamed.get(key, key)]

    def _add_rule(self, column: int, rank: int, key: int, place: int) -> int:
        self.rules.extend((column, rank, key, place))
        return len(self.rules) // RULE_WIDTH - 1


_Rule = tuple[int, int, Callable[[str], int | str | None] | None]
"""Row of `Pairs.rules`, its column, reader."""


class Rows:
    """Everything read of a micro-batch. Readers append to it span by span; `undo` takes a body back."""

    def __init__(self, limits: Limits, names: Names = SPAN) -> None:
        self.limits = limits
        self.body = 0
        self.budget = Budget()
        self.trimmed = self._trimmed_before = 0
        """Attributes, events and links beyond the limits of one span."""
        self.codes = Codes(limits.string_bytes)
        self.span_pairs = Pairs(names, self.codes)
        self.resource_pairs = Pairs(RESOURCE, self.codes)

        self.resource_body = array("q")
        self.resource_spans = array("q")
        self.resource_ids = array("q")
        self.resource_id_counts = array("q")

        self.trace_ids: list[bytes] = []
        self.span_ids: list[bytes] = []
        self.parent_ids: list[bytes] = []
        self.names = array("q")
        self.kinds = array("q")
        self.statuses = array("q")
        self.starts = array("Q")
        self.ends = array("Q")
        self.pair_ids = array("q")
        self.pair_counts = array("q")
        self.event_counts = array("q")
        self.event_kinds = array("q")
        self.event_times = array("Q")
        self.exceptions: list[tuple[int, ...]] = []
        """Pairs of exception events; event kind -1-i stands for the i-th."""
        self.extra: list[tuple[int, int]] = []
        """(span, pair) found elsewhere than among the span's attributes."""
        self.sampling: list[tuple[int, int, int]] = []
        """(span, threshold, randomness)"""
        self.links: list[tuple[int, bytes, bytes]] = []

        self.sampling_of = _Sampling()
        self._tables: list[dict[Any, Any]] = [self.codes, self.span_pairs.rule_of, self.resource_pairs.rule_of]
        self._growing: tuple[Any, ...] = (
            *(self.span_pairs.rules, self.span_pairs.rule, self.span_pairs.value),
            *(self.resource_pairs.rules, self.resource_pairs.rule, self.resource_pairs.value),
            *(self.resource_body, self.resource_spans, self.resource_ids, self.resource_id_counts),
            *(self.trace_ids, self.span_ids, self.parent_ids, self.names, self.kinds, self.statuses),
            *(self.starts, self.ends, self.pair_ids, self.pair_counts),
            *(self.event_counts, self.event_kinds, self.event_times, self.exceptions),
            *(self.extra, self.sampling, self.links),
        )
        self._marks: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())

    def memo(self, compute: Callable[[Any], int]) -> Memo:
        """A memory of the micro-batch that `undo` knows."""
        memo = Memo(compute, self.budget)
        self._tables.append(memo)
        return memo

    def begin(self, body: int) -> None:
        """From here on everything belongs to this body; it may have `Limits.strings` texts, and as many values."""
        self.body = body
        self._marks = tuple(map(len, self._growing)), tuple(map(len, self._tables))
        self._trimmed_before = self.trimmed
        self.codes.ceiling = len(self.codes) + self.limits.strings
        self.budget.left = self.limits.strings

    def undo(self) -> None:
        """Forgets the body begun last."""
        lengths, sizes = self._marks
        self.trimmed = self._trimmed_before
        for grown, length in zip(self._growing, lengths, strict=True):
            del grown[length:]
        for table, size in zip(self._tables, sizes, strict=True):
            while len(table) > size:
                table.popitem()

    def first(self, items: Any, limit: int) -> Any:
        """The first `limit` of a sequence; the rest is counted in `trimmed`."""
        if len(items) <= limit:
            return items
        self.trimmed += len(items) - limit
        return items[:limit]

    def finish(self) -> None:
        """No more bodies: the bounds of the last one fall, and nothing is read any more.

        Memos let go of their reader, which holds them: else all that was read would wait for the garbage collector.
        """
        self.codes.ceiling = _UNBOUNDED
        for table in self._tables:
            if isinstance(table, Memo):
                table.compute = _read_nothing

    def open_resource(self, pairs: Iterable[int]) -> None:
        """A new resource; the spans that follow are its own."""
        before = len(self.resource_ids)
        self.resource_ids.extend(pairs)
        self.resource_id_counts.append(len(self.resource_ids) - before)
        self.resource_body.append(self.body)
        self.resource_spans.append(0)

    def add_exception(self, pairs: Iterable[int]) -> int:
        """The kind of an event that carries an exception."""
        self.exceptions.append(tuple(pairs))
        return -len(self.exceptions)

    def name_event(self, name: str) -> int:
        """The kind of an event with this name."""
        moment = _MOMENT.get(name)
        return FIRST_NAME + self.codes[name] if moment is None else moment

    def add_status_message(self, span: int, message: str) -> None:
        """What a failed span says about itself, under the name OpenTelemetry gives it where there is no such field."""
        self.extra.append((span, self.span_pairs.add("otel.status_description", message)))

    def add_sampling(self, span: int, trace_state: str) -> None:
        """Threshold and randomness out of a span's tracestate; nothing else of it is kept."""
        threshold, randomness = self.sampling_of[trace_state]
        if threshold != UNKNOWN or randomness != UNKNOWN:
            self.sampling.append((span, threshold, randomness))


_MOMENT: Final = {name: row for row, name in enumerate(MOMENTS)}


class _Sampling(dict[str, tuple[int, int]]):
    """tracestate → (T, rv) of its OpenTelemetry member, UNKNOWN where it has none or a bad one.

    https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/: `ot=th:<1…14 hex digits>;rv:<14 hex digits>`.
    """

    def __missing__(self, trace_state: str) -> tuple[int, int]:
        found = self._read(trace_state)
        if len(self) < _REMEMBERED:
            self[trace_state] = found
        return found

    @staticmethod
    def _read(trace_state: str) -> tuple[int, int]:
        for member in trace_state[:_TRACE_STATE].split(","):
            vendor, _, value = member.strip().partition("=")
            if vendor == "ot":
                fields = dict(entry.split(":", 1) for entry in value.split(";") if ":" in entry)
                threshold = fields.get("th", "")
                return _hex56(threshold.ljust(14, "0") if threshold else ""), _hex56(fields.get("rv", ""))
        return UNKNOWN, UNKNOWN


_REMEMBERED: Final = 1024
_TRACE_STATE: Final = 4096
_HEX: Final = frozenset("0123456789abcdef")


def _hex56(digits: str) -> int:
    return int(digits, 16) if len(digits) == 14 and _HEX.issuperset(digits) else UNKNOWN


def check_spans(count: int, limits: Limits) -> None:
    """Raises:
    TooLarge: more spans, or groups of spans, than a body may have.
    """
    if count > limits.spans:
        raise TooLarge("too_many_spans", f"a request may have {limits.spans} spans; send smaller batches")
