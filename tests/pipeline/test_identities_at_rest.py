"""Ids of sessions, users and installations, sent under every name that clients have for them: none is journaled raw."""

from typing import Any

import pytest
import zstandard

from client_sdk_spec import encoder
from ingest.decode.native import decode_native
from ingest.decode.otlp import decode_otlp_protobuf
from ingest.journal.record import encode
from ingest.model import SpanBatch
from ingest.pipeline.process import process
from ingest.settings import Limits
from tests.batches import NOW_US, built_in, policy, reception
from tests.decode.otlp_messages import request_of, span_of

NAMES = (
    "session.id",
    "session.previous_id",
    "sessionId",
    "browser.session_id",
    "rum.session.id",
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "user.name",
    "anonymous.id",
    "visitor.id",
    "customer.id",
    "account.id",
    "device.id",
    "app.installation.id",
    "installation_id",
    "service.instance.id",
    "android.id",
    "ios.idfv",
    "device.serial_number",
)
IDS = ("7d1c9f5e-52b4-4d0e-9d3a-1f7b6c2e8a90", "needle42id", "4711000815")


def journaled(batch: SpanBatch) -> bytes:
    record = process(batch, [reception()], policy(), policy_of=built_in, country_of=lambda _: "")
    assert len(record.kept.batch.spans) == len(batch.spans) > 0
    return zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)


def otlp(resource: dict[str, Any], *spans: dict[str, Any]) -> SpanBatch:
    times = {"start_time_unix_nano": (NOW_US - 2_000_000) * 1000, "end_time_unix_nano": (NOW_US - 1_000_000) * 1000}
    request = request_of(*(span_of(attributes, **times) for attributes in spans), resource=resource)
    return decode_otlp_protobuf([request.SerializeToString()], Limits()).batch


def native(resource: dict[str, Any], attributes: dict[str, str], epoch: str = "") -> SpanBatch:
    span = {"trace_id": "11" * 16, "span_id": "22" * 8, "name": "GET", "start_us": NOW_US - 1_000_000, "duration_us": 9}
    batch = {
        "id": "0f" * 16,
        "resource": resource,
        "clock": {"kind": "wall", "epoch": epoch},
        "spans": [span | {"attributes": attributes}],
    }
    return decode_native([encoder.encode(batch)], Limits()).batch


@pytest.mark.parametrize("one", IDS)
@pytest.mark.parametrize("name", NAMES)
def test_an_id_under_a_telling_name_is_not_journaled_as_it_was_sent(name: str, one: str):
    for batch in (otlp({name: one}, {}), otlp({}, {name: one}), native({}, {name: one})):
        assert one.encode() not in journaled(batch)


@pytest.mark.parametrize("one", IDS)
def test_columns_of_identities_are_not_journaled_as_they_were_sent(one: str):
    for column in ("session", "installation"):
        assert one.encode() not in journaled(native({column: one}, {}))


def test_of_two_names_for_one_thing_the_lesser_is_not_journaled_raw_either():
    first, second, third = IDS
    said = {"app.installation.id": first, "device.id": second, "session.id": third}
    found = journaled(otlp(said, {}, {"session.id": "of-the-span-1"}, {"session.id": second}))
    for one in (*IDS, "of-the-span-1"):
        assert one.encode() not in found


def test_the_name_of_a_boot_serves_the_clock_and_is_gone():
    assert b"needle" not in journaled(native({}, {}, epoch="boot-needle-77"))


def test_an_id_that_says_nothing_of_a_user_is_journaled_so_that_these_tests_can_fail():
    found = journaled(native({}, {"deployment.ring": IDS[0], "page.widget": IDS[1]}))
    assert IDS[0].encode() in found
    assert IDS[1].encode() in found
