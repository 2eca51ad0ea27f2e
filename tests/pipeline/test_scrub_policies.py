"""What an app's policy makes of its spans: each app by its own, and only by its own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ingest.model import Processed
from ingest.pipeline.process import process
from ingest.pipeline.strings import StringTable
from ingest.settings import AppPolicy
from privacy import pseudonym
from privacy.policy_file import parse
from privacy.pseudonyms import period_of
from tests.batches import NOW_US, policy, reception, spans_of

RULES = policy()
JANE = "jane@shop.example"
INSTALLATION = "7f0b2c1e-55d1-4a0e-9d8c-2b7a3f1f0e11"


def run(spans: list[dict[str, Any]], *policies: str, **resource: Any) -> Processed:
    """The spans under the policies of apps 1, 2, …; a span's `body` is its app's number less one."""
    apps = {number: AppPolicy(100 + number, parse(text)) for number, text in enumerate(policies, 1)}
    receptions = [reception(app_id=app_id) for app_id in apps]
    batch = spans_of(spans, bodies=len(apps), **resource)
    return process(
        batch,
        receptions,
        RULES,
        policy_of=apps.__getitem__,
        country_of=lambda _: "",
    )


def attributes(record: Processed, span: int = 0) -> dict[str, str]:
    held = record.kept.batch.attributes
    rows = np.flatnonzero(held.owner == span).tolist()
    return {record.strings[held.key[row]]: record.strings[held.value[row]] for row in rows}


def texts(record: Processed, column: str) -> list[str]:
    return [record.strings[code] for code in getattr(record.kept.batch.spans, column).tolist()]


def counted(record: Processed) -> dict[tuple[int, str], int]:
    scrubs = record.scrubs
    rules = [record.strings[code] for code in scrubs.rule.tolist()]
    return dict(zip(zip(scrubs.app_id.tolist(), rules, strict=True), scrubs.finds.tolist(), strict=True))


def key_of(app_id: int) -> bytes:
    return RULES.ring.key(app_id, period_of(NOW_US))


def test_each_app_is_treated_by_its_own_policy_and_the_ledger_names_its_version():
    spans = [{"name": f"mail to {JANE}", "body": app} for app in range(3)]
    record = run(spans, "", '[actions]\nemail = "hash"', '[actions]\nemail = "drop"')
    hashed = f"mail to {{email:{pseudonym(key_of(2), JANE)}}}"
    assert texts(record, "name") == ["mail to {email}", hashed, ""]
    assert record.ledger.policy_version.tolist() == [101, 102, 103]
    assert record.ledger.outcomes.sum(axis=1)[0] == 3


def test_the_same_value_hashed_in_two_apps_gets_two_pseudonyms():
    hashing = '[actions]\nemail = "hash"'
    first, second = texts(run([{"name": JANE, "body": 0}, {"name": JANE, "body": 1}], hashing, hashing), "name")
    assert first != second
    assert first.startswith("{email:")
    assert second.startswith("{email:")


def test_only_listed_attributes_are_stored_and_the_others_are_counted():
    spans = [{"attributes": {"http.flavor": "2", "cart.note": "gift", "empty": "", "cart.size": "3"}}]
    record = run(spans, '[attributes]\nlisted = ["http.*", "cart.size"]')
    assert attributes(record) == {"http.flavor": "2", "cart.size": "3"}
    assert not {"cart.note", "gift", "empty"} & set(record.strings)
    assert counted(record)[1, "unlisted"] == 1


def test_a_list_of_attributes_does_not_concern_what_has_a_column():
    spans = [{"url": "https://api.shop.example/cart", "attributes": {"a": "b"}}]
    record = run(spans, "[attributes]\nlisted = []", version="5.2.1", service="shop")
    assert attributes(record) == {}
    assert texts(record, "url") == ["https://api.shop.example/cart"]
    assert record.strings[record.kept.batch.resources.version[0]] == "5.2.1"


def test_a_dropped_value_takes_its_attribute_along_and_leaves_the_span():
    spans = [{"url": f"https://api.shop.example/u?to={JANE}", "attributes": {"note": f"to {JANE}", "size": "3"}}]
    record = run(spans, '[actions]\nemail = "drop"')
    assert attributes(record) == {"size": "3"}
    assert texts(record, "url") == [""]
    assert len(record.kept.batch.spans) == 1


def test_a_span_that_loses_name_and_address_is_still_counted():
    record = run([{"name": JANE, "url": f"https://{JANE}/x"}], '[actions]\nemail = "drop"\nuserinfo = "drop"')
    assert texts(record, "name") == [""]
    assert len(record.counted.series) == 1
    assert not any("jane" in text for text in record.strings)


@pytest.mark.parametrize("listed", ["", "[attributes]\nlisted = ['*']"])
def test_denied_names_lose_their_values_and_allowed_ones_keep_harmless_ones(listed: str):
    spans = [{"attributes": {"order.session": "morning", "X-Internal-Team": "blue", "mail": JANE}}]
    text = '[keys]\nallow = ["order.session", "mail"]\ndeny = ["x-internal-*"]\n' + listed
    assert attributes(run(spans, text)) == {
        "order.session": "morning",
        "X-Internal-Team": "{denied}",
        "mail": "{email}",
    }


def test_patterns_of_the_app_are_found_like_any_other_and_can_be_hashed():
    text = "[[patterns]]\nname = 'order_number'\npattern = 'ORD-[0-9]{6}'\n"
    spans = [{"name": "order ORD-123456 came", "body": app} for app in range(3)]
    record = run(spans, text, text + "[actions]\norder_number = 'hash'", "")
    hashed = f"order {{order_number:{pseudonym(key_of(2), 'ORD-123456')}}} came"
    assert texts(record, "name") == ["order {order_number} came", hashed, "order ORD-123456 came"]
    assert counted(record)[1, "policy:order_number"] == 1


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("user.id", "user"),
        ("enduser.id", "user"),
        ("Enduser.Pseudo.Id", "user"),
        ("session.previous_id", "session"),
        ("app.installation.id", "device"),
        ("service.instance.id", "device"),
    ],
)
@pytest.mark.parametrize("one", ["4711", "a", INSTALLATION, JANE, "true"])
def test_an_identity_that_is_an_attribute_becomes_a_pseudonym_so_that_it_can_be_erased(name: str, mark: str, one: str):
    record = run([{"attributes": {name: one, "size": "3"}}], "")
    assert attributes(record) == {name: f"{{{mark}:{pseudonym(key_of(1), one)}}}", "size": "3"}
    assert sum(counted(record).values()) >= 1


def test_what_identifies_a_device_and_no_installation_is_marked():
    assert attributes(run([{"attributes": {"advertising_id": INSTALLATION}}], "")) == {"advertising_id": "{device}"}


def test_a_policy_that_says_what_becomes_of_identities_is_obeyed():
    given = {"user.id": "4711", "size": "3"}
    assert attributes(run([{"attributes": given}], '[actions]\nuser = "mark"')) == {"user.id": "{user}", "size": "3"}
    assert attributes(run([{"attributes": given}], '[actions]\nuser = "drop"')) == {"size": "3"}
    assert attributes(run([{"attributes": given}], '[attributes]\nlisted = ["size"]')) == {"size": "3"}
    denied = attributes(run([{"attributes": given}], '[keys]\ndeny = ["user.id"]'))
    assert denied == {"user.id": "{denied}", "size": "3"}
    assert attributes(run([{"attributes": given}], '[keys]\nallow = ["user.id"]')) == given


def test_no_pseudonym_reaches_what_series_are_cut_by():
    spans = [
        {"url": f"https://api.shop.example/u/{JANE}/cart"},
        {"route": f"/u/{JANE}", "url": "https://api.shop.example/u"},
        {"name": f"open {JANE}", "method": ""},
    ]
    record = run(spans, '[actions]\nemail = "hash"', version=JANE, network=JANE, os_name=JANE)
    dimensions = {record.strings[code] for code in record.series.values.ravel().tolist()}
    assert any("{email" in text for text in dimensions)
    assert not any("{email:" in text for text in dimensions)
    assert "{email:" in texts(record, "url")[0]


def test_resource_attributes_are_treated_alike():
    batch = spans_of([{}])
    table = StringTable(batch.strings)
    table._codes.update({text: code for code, text in enumerate(batch.strings)})
    keys, values = table.codes(["user.id", "note", "size"]), table.codes(["4711", JANE, "3"])
    batch = replace(
        batch,
        strings=table.strings,
        resource_attributes=replace(
            batch.resource_attributes, owner=np.zeros(3, dtype=np.int32), key=keys, value=values
        ),
    )
    given = AppPolicy(1, parse('[actions]\nemail = "drop"'))
    record = process(batch, [reception()], RULES, policy_of=lambda _: given, country_of=lambda _: "")
    held = record.kept.batch.resource_attributes
    found = {record.strings[k]: record.strings[v] for k, v in zip(held.key.tolist(), held.value.tolist(), strict=True)}
    assert found == {"user.id": f"{{user:{pseudonym(key_of(1), '4711')}}}", "size": "3"}
