"""People who were erased, in processed micro-batches."""

from dataclasses import replace

import numpy as np

from ingest.journal.record import decode, encode
from ingest.model import Origin, Processed
from ingest.outcome import Outcome
from ingest.pipeline.forget import forget
from ingest.ports import ErasedSession, Tombstones
from tests.records import make_record


def erased(*names: str, sessions: tuple[str, ...] = (), app_id: int = 1) -> dict[int, Tombstones]:
    return {app_id: Tombstones(frozenset(names), frozenset(sessions))}


def session_of(record: Processed, row: int) -> str:
    return record.strings[record.kept.batch.resources.session[record.kept.batch.spans.resource[row]]]


def with_text(record: Processed, row: int, text: str) -> Processed:
    """The record with another name for one kept span."""
    batch = record.kept.batch
    names = batch.spans.name.copy()
    names[row] = len(record.strings)
    strings = [*record.strings, text]
    spans = replace(batch.spans, name=names)
    return replace(
        record, strings=strings, kept=replace(record.kept, batch=replace(batch, strings=strings, spans=spans))
    )


def test_a_record_that_holds_nothing_of_theirs_comes_back_itself() -> None:
    record = make_record(1)
    for nobody in ({}, erased("f" * 20), erased(session_of(record, 0), app_id=2)):
        without, theirs = forget(record, nobody)
        assert without is record
        assert not theirs.kept.any()
        assert theirs.sessions == []


def test_their_spans_go_and_the_ledger_still_closes() -> None:
    record = make_record(1, bodies=4, rejected=2)
    session = session_of(record, 0)
    for tombstones in (erased(session), erased("f" * 20, sessions=(session,))):
        without, theirs = forget(record, tombstones)
        gone = int(theirs.kept.sum())
        assert 0 < gone < len(record.kept.assigned)
        assert len(without.kept.assigned) == len(record.kept.assigned) - gone
        assert session not in without.strings
        assert (without.ledger.outcomes.sum(axis=0) == record.ledger.outcomes.sum(axis=0)).all()
        moved = without.ledger.outcomes.sum(axis=1) - record.ledger.outcomes.sum(axis=1)
        assert moved[Outcome.KEPT] == -gone
        assert moved[Outcome.COUNTED_ONLY] == gone
        assert (without.counted.buckets == record.counted.buckets).all()
        assert forget(without, tombstones)[0] is without
        assert encode(decode(encode(without))) == encode(without)


def test_spans_of_a_backend_that_go_were_never_counted() -> None:
    record = make_record(1, bodies=4)
    origin = np.full(len(record.kept.assigned), Origin.BACKEND, dtype=np.uint8)
    kept = replace(record.kept, assigned=replace(record.kept.assigned, origin=origin))
    record = replace(record, kept=kept)
    without, theirs = forget(record, erased(session_of(record, 0)))
    moved = without.ledger.outcomes.sum(axis=1) - record.ledger.outcomes.sum(axis=1)
    assert moved[Outcome.NOT_SAMPLED] == -moved[Outcome.KEPT] == theirs.kept.sum() > 0
    assert moved[Outcome.COUNTED_ONLY] == 0


def test_a_name_in_a_mark_takes_the_whole_session_and_tells_of_it() -> None:
    name = "0123456789abcdef0123"
    record = make_record(1, bodies=4)
    session = session_of(record, 5)
    without, theirs = forget(with_text(record, 5, f"of {{user:{name}}}"), erased(name))
    of_session = record.kept.batch.spans.resource == record.kept.batch.spans.resource[5]
    assert (theirs.kept == of_session).all()
    assert theirs.sessions == [ErasedSession(1, session, name)]
    assert not [text for text in without.strings if name in text or text == session]


def test_digits_that_are_part_of_something_longer_name_nobody() -> None:
    name = "0123456789abcdef0123"
    record = make_record(1)
    for text in (f"{name}4567", f"{{user:{name}4567}}", f"https://shop.example/{name}"):
        without, theirs = forget(with_text(record, 0, text), erased(name))
        assert not theirs.kept.any(), text
        assert len(without.kept.assigned) == len(record.kept.assigned)


def test_identities_of_spans_that_were_only_counted_go_as_well() -> None:
    name = "0123456789abcdef0123"
    record = make_record(1, keep=0.0)
    bits = np.int64(int(name[:16], 16))
    session = np.where(np.arange(len(record.counted)) % 3 == 0, bits, np.int64(77))
    without, _ = forget(replace(record, counted=replace(record.counted, session=session)), erased(name))
    assert without.counted.session.tolist() == np.where(session == bits, 0, session).tolist()
