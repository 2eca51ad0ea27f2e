"""Who is counted as one session: 64 bits of a pseudonym, and nothing that leads back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import zstandard

from ingest.journal.record import encode
from ingest.model import ConsentState, Processed
from ingest.pipeline.process import process
from privacy import Ring, pseudonym
from privacy.pseudonyms import PERIOD_US, period_of
from tests.batches import NOW_US, built_in, policy, reception, spans_of

HOUR_US = 3_600_000_000


def run(
    *where: Any, spans: int = 1, consent: int = ConsentState.MISSING, start_us: int = NOW_US - 1_000_000, **sender: Any
) -> Processed:
    """One body for each reception, `spans` spans in each."""
    given = [{"body": body, "start_us": start_us} for body in range(len(where)) for _ in range(spans)]
    batch = spans_of(given, bodies=len(where), **sender)
    batch = replace(batch, resources=replace(batch.resources, consent=np.full(len(where), consent, np.uint8)))
    return process(batch, list(where), policy(), policy_of=built_in, country_of=lambda _: "")


def identities(*where: Any, **given: Any) -> list[int]:
    """Of each counted span."""
    found: list[int] = run(*where, **given).counted.session.tolist()
    return found


def test_a_session_is_counted_by_64_bits_of_its_stored_pseudonym():
    record = run(reception(), session="s-1", installation="i-1")
    stored = record.strings[record.kept.batch.resources.session[0]]
    assert stored == pseudonym(Ring(0, b"k" * 32).key(1, period_of(NOW_US)), "s-1")
    assert record.counted.session.astype(">i8").tobytes().hex() == stored[:16]


def test_all_spans_of_a_session_are_one_wherever_they_come_from():
    where = [reception(address="192.0.2.1"), reception(address="198.51.100.1", user_agent="B"), reception()]
    found = identities(*where, spans=3, session="s-1")
    assert len(found) == 9
    assert len(set(found)) == 1


def test_two_sessions_are_two():
    assert identities(reception(), session="s-1") != identities(reception(), session="s-2")


def test_without_a_session_the_installation_counts():
    here, there = reception(address="192.0.2.1"), reception(address="198.51.100.1")
    first, second = identities(here, there, installation="i-1")
    assert first == second != 0
    assert [first] != identities(here, installation="i-2")


def test_without_either_address_and_user_agent_tell_senders_apart():
    found = identities(
        reception(address="192.0.2.1", user_agent="A"),
        reception(address="192.0.2.1", user_agent="A"),
        reception(address="192.0.2.1", user_agent="B"),
        reception(address="192.0.2.2", user_agent="A"),
    )
    assert 0 not in found
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_nobody_is_made_up_for_a_backend_or_for_somebody_of_whom_nothing_is_known():
    assert identities(reception(address="192.0.2.1", user_agent="A", trusted=True)) == [], "backends are not counted"
    assert identities(reception()) == [0]


def test_without_consent_there_is_nobody():
    where = reception(address="192.0.2.1", user_agent="A")
    assert identities(where, consent=ConsentState.DENIED, session="s-1") == [0]
    assert identities(where, consent=ConsentState.PENDING) == [0]


@pytest.mark.parametrize("given", [{"session": "s-1"}, {"installation": "i-1"}, {}])
def test_nobody_can_be_followed_from_app_to_app_or_from_period_to_period(given: dict[str, str]):
    turn_us = (period_of(NOW_US) + 1) * PERIOD_US
    who = {"address": "192.0.2.1", "user_agent": "A"}
    found = identities(
        reception(**who, received_at_us=turn_us - 2),
        reception(**who, received_at_us=turn_us - 1),
        reception(**who, received_at_us=turn_us),
        reception(**who, received_at_us=turn_us - 1, app_id=2),
        start_us=turn_us - HOUR_US,
        **given,
    )
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_the_record_holds_neither_address_nor_user_agent_nor_their_hash_without_the_key():
    record = run(reception(address="192.0.2.123", user_agent="NeedleAgent/1"))
    journaled = zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)
    assert b"192.0.2" not in journaled
    assert b"NeedleAgent" not in journaled
    assert record.counted.session[0] != 0
    assert list(record.kept.batch.resources.session) == [0]


def test_a_user_agent_of_any_bytes_does_no_harm():
    assert identities(reception(address="192.0.2.1", user_agent="\udcff\udc00")) != [0]
