"""Rollups as they were fetched for a question, as columns: from rows of one window, and from packed ones. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest import sessions, sketch
from ingest.model import F64, I32, I64, METRICS, Mask, Phase
from ingest.ports import Question, Sketches
from ingest.store import packed_rows
from ingest.store.disclose import Visits
from ingest.store.packed_rows import Windows, runs
from ingest.store.plan import Piece, Plan
from ingest.store.snapshot import micros


@dataclass(frozen=True, slots=True)
class Fetched:
    """A struct of arrays, one row for some part of a (cell, step). Rows add up."""

    cell: I64
    """(n,) number of the cell."""
    at_us: I64
    """(n,) start of the step; of the range when time does not matter."""
    spans: I64
    errors: I64
    reused: I64
    """(m, n) by `Question.metrics`; 0 for `duration`, which always happens."""
    unknown: I64
    sketches: Sequence[Sketches]
    """(m,)"""
    visited: I64
    """(v,) row of each sketch of sessions."""
    session_sizes: I64
    """(v,) bytes of each."""
    sessions: bytes
    """Strung together."""

    def __len__(self) -> int:
        return len(self.cell)

    @classmethod
    def of_windows(cls, rows: Sequence[Any], question: Question) -> "Fetched":
        """Of rows added up by cell and step by the database."""

        def column(name: str) -> I64:
            return np.array([row[name] for row in rows], np.int64)

        def marks(name: str) -> list[I64]:
            zero = np.zeros(len(rows), np.int64)
            return [zero if metric == "duration" else column(f"{metric}_{name}") for metric in question.metrics]

        at_us = {at: micros(at) for at in {row["at"] for row in rows}}
        sizes = [np.frombuffer(row.get("session_bytes") or b"", ">i4") for row in rows]
        return cls(
            cell=column("number"),
            at_us=np.array([at_us[row["at"]] for row in rows], np.int64),
            spans=column("spans"),
            errors=column("errors"),
            reused=_by_metric(marks("reused"), len(rows)),
            unknown=_by_metric(marks("unknown"), len(rows)),
            sketches=[Sketches.of([row[metric] for row in rows]) for metric in question.metrics],
            visited=np.repeat(np.arange(len(rows)), [len(each) for each in sizes]),
            session_sizes=np.concatenate([*sizes, np.zeros(0, np.int64)], dtype=np.int64),
            sessions=b"".join(row.get("sessions") or b"" for row in rows),
        )

    @classmethod
    def of_packed(cls, rows: Sequence[Any], question: Question, piece: Piece, chosen: Plan) -> "Fetched":
        """Of rows of a packed table, those windows that lie in the piece."""
        windows = Windows(rows)
        stretch_us = {at: micros(at) for at in {row["stretch_at"] for row in rows}}
        start_us = np.array([stretch_us[row["stretch_at"]] for row in rows], np.int64)[windows.row]
        start_us += windows.window * piece.tier.width_us
        inside = (start_us >= piece.from_us) & (start_us < piece.to_us)

        def phase_marks(name: str) -> list[I64]:
            by_phase = windows.numbers(name, len(Phase)) if set(question.metrics) - {"duration"} else None
            zero = np.zeros(len(start_us), np.int64)
            return [
                zero if by_phase is None or metric == "duration" else by_phase[METRICS.index(metric) - 1]
                for metric in question.metrics
            ]

        sizes = np.zeros((len(METRICS), 0), np.int64)
        if question.metrics:
            sizes = windows.lengths(windows.numbers("bin_ends", len(METRICS)))
        range_us = np.full(len(start_us), chosen.from_us)
        session_sizes = np.zeros(len(start_us), np.int64)
        session_column = packed_rows.session_column(question.least_sessions, whole=question.with_sessions)
        if session_column:
            session_sizes = windows.lengths(windows.numbers("session_ends"))[0]
        if session_column == "session_heads":
            session_sizes = np.minimum(session_sizes, packed_rows.HEAD_BYTES)
        whole = cls(
            cell=np.array([row["number"] for row in rows], np.int64)[windows.row],
            at_us=start_us // chosen.step_us * chosen.step_us if question.over_time else range_us,
            spans=windows.numbers("spans")[0],
            errors=windows.numbers("errors")[0],
            reused=_by_metric(phase_marks("reused"), len(start_us)),
            unknown=_by_metric(phase_marks("unknown"), len(start_us)),
            sketches=[
                Sketches(sizes[METRICS.index(metric)], np.frombuffer(windows.strung(metric), sketch.Bins))
                for metric in question.metrics
            ],
            visited=np.arange(len(start_us)),
            session_sizes=session_sizes,
            sessions=windows.strung(session_column) if session_column else b"",
        )
        return whole if inside.all() else whole._where(inside)

    def _where(self, chosen: Mask) -> "Fetched":
        """The rows chosen of one whose every row has a sketch of sessions, be it empty."""
        strung = np.frombuffer(self.sessions, np.uint8)
        return Fetched(
            cell=self.cell[chosen],
            at_us=self.at_us[chosen],
            spans=self.spans[chosen],
            errors=self.errors[chosen],
            reused=self.reused[:, chosen],
            unknown=self.unknown[:, chosen],
            sketches=[each.where(chosen) for each in self.sketches],
            visited=np.arange(int(chosen.sum())),
            session_sizes=self.session_sizes[chosen],
            sessions=strung[np.repeat(chosen, self.session_sizes)].tobytes(),
        )

    @classmethod
    def join(cls, parts: Sequence["Fetched"]) -> "Fetched":
        """The rows of all."""
        first = np.cumsum([len(part) for part in parts]) - [len(part) for part in parts]
        return cls(
            cell=np.concatenate([part.cell for part in parts]),
            at_us=np.concatenate([part.at_us for part in parts]),
            spans=np.concatenate([part.spans for part in parts]),
            errors=np.concatenate([part.errors for part in parts]),
            reused=np.concatenate([part.reused for part in parts], axis=1),
            unknown=np.concatenate([part.unknown for part in parts], axis=1),
            sketches=[Sketches.join(same) for same in zip(*(part.sketches for part in parts), strict=True)],
            visited=np.concatenate([part.visited + start for part, start in zip(parts, first, strict=True)]),
            session_sizes=np.concatenate([part.session_sizes for part in parts]),
            sessions=b"".join(part.sessions for part in parts),
        )

    def visits(self, chosen: Plan, least: int) -> Visits:
        """Who was where, as far as it takes to tell that enough sessions were there."""
        head = np.minimum(self.session_sizes, sessions.head_bytes(least))
        starts = np.cumsum(self.session_sizes) - self.session_sizes
        heads = np.frombuffer(self.sessions, np.uint8)[runs(starts, head)].tobytes()
        place, session = sessions.coupons(heads, head, least)
        step = (self.at_us - chosen.from_us) // chosen.step_us
        needed = self._needed(place, step, least)
        return Visits(
            cell=self.cell,
            step=step,
            spans=self.spans.astype(np.float64),
            row=self.visited[place[needed]],
            session=session[needed],
        )

    def _needed(self, sketch: npt.NDArray[np.intp], step: I64, least: int) -> Mask:
        """Without what changes no decision: where one sketch of a (cell, step) has enough sessions, its own will do.

        Args:
            sketch: (c,) number of the sketch of each session.
        """
        width = int(step.max(initial=0)) + 1
        _, point = np.unique(self.cell * width + step, return_inverse=True)
        of_sketch = point[self.visited]
        enough = np.flatnonzero(np.bincount(sketch, minlength=len(self.visited)) >= least)
        chosen = np.full(len(self), -1)
        chosen[of_sketch[enough]] = enough
        by_sketch = chosen[of_sketch]
        return np.asarray(((by_sketch < 0) | (by_sketch == np.arange(len(by_sketch))))[sketch], np.bool_)

    def count_sessions(self, group: I32, groups: int) -> F64:
        """(groups,) distinct sessions, of rows that hold their sketches whole.

        Args:
            group: (n,) of each row.
        """
        parts: list[list[bytes]] = [[] for _ in range(groups)]
        of_sketch = group[self.visited].tolist()
        for number, part in zip(of_sketch, sessions.split(self.sessions, self.session_sizes), strict=True):
            parts[number].append(part)
        return np.array([sessions.count(sessions.merge(of_group)) for of_group in parts], np.float64)


def _by_metric(columns: Sequence[I64], rows: int) -> I64:
    return np.array(columns, np.int64).reshape(len(columns), rows)
