"""What is stored of the networks that requests came from: by default nothing but the provider's name."""

from dataclasses import replace
from typing import Any

import pytest
import zstandard

from ingest.journal.record import encode
from ingest.model import Processed
from ingest.pipeline.process import process
from ingest.settings import AppPolicy
from privacy.policy import BUILT_IN, Names, Policy
from tests.batches import policy, reception, spans_of

ADDRESS = "192.0.2.123"
PROVIDERS = {ADDRESS: "Example Telecom"}
KEEPING = replace(BUILT_IN, keep_network=True)


def run(*where: Any, rules: Policy = BUILT_IN, known: bool = True, spans: Any = None, **sampling: Any) -> Processed:
    lookup = {"provider_of": lambda address: PROVIDERS.get(address, "")} if known else {}
    return process(
        spans_of(spans or [{"body": body} for body in range(len(where))], bodies=len(where)),
        list(where),
        policy(**sampling),
        policy_of=lambda _: AppPolicy(1, rules),
        country_of=lambda _: "BR",
        **lookup,
    )


def described(record: Processed) -> list[tuple[int, str, str]]:
    rows = record.kept.batch.resource_attributes
    return [
        (owner, record.strings[key], record.strings[value])
        for owner, key, value in zip(rows.owner.tolist(), rows.key.tolist(), rows.value.tolist(), strict=True)
    ]


def test_nothing_of_the_address_is_stored():
    record = run(reception(address=ADDRESS), known=False)
    assert described(record) == []
    assert b"192.0.2" not in zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)


def test_the_provider_of_a_known_network_is_an_attribute_of_its_resource():
    record = run(reception(address="198.51.100.1"), reception(address=ADDRESS))
    assert described(record) == [(1, "client.as.organization.name", "Example Telecom")]


def test_a_policy_that_lists_its_attributes_must_list_the_provider():
    assert described(run(reception(address=ADDRESS), rules=replace(BUILT_IN, listed=Names(["http.*"])))) == []
    assert described(run(reception(address=ADDRESS), rules=replace(BUILT_IN, listed=Names(["client.as.*"])))) != []


@pytest.mark.parametrize(
    ("address", "network"),
    [(ADDRESS, "192.0.2.0/24"), (f"::ffff:{ADDRESS}", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")],
)
def test_the_truncated_address_is_stored_where_the_policy_says_so(address: str, network: str):
    record = run(reception(address=address), rules=KEEPING, known=False)
    assert described(record) == [(0, "client.network", network)]
    assert address.encode() not in zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)


def test_an_address_that_cannot_be_read_has_no_network():
    assert described(run(reception(address="garbage"), reception(), rules=KEEPING)) == []


def test_a_backend_s_network_says_nothing_of_the_user():
    assert described(run(reception(address=ADDRESS, trusted=True), rules=KEEPING)) == []


def test_networks_of_spans_that_are_not_kept_are_gone():
    record = run(reception(address=ADDRESS), reception(address="2001:db8::1"), rules=KEEPING, unknown=0.0)
    assert len(record.counted) == 2
    assert "192.0.2.0/24" not in record.strings
    assert "Example Telecom" not in record.strings


def test_a_client_cannot_say_where_it_is():
    spans = [{"attributes": {"client.network": "203.0.113.0/24"}}]
    record = run(reception(address=ADDRESS), rules=KEEPING, spans=spans)
    assert (0, "client.network", "192.0.2.0/24") in described(record)
