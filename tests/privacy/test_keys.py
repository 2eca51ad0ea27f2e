"""Names are judged by whole words, head noun last."""

import pytest

from privacy import keys


def test_a_name_is_cut_at_humps_and_separators() -> None:
    assert keys.words("X-Amz-AWSAccessKeyId") == ("x", "amz", "aws", "access", "key", "id")
    assert keys.words("user.email_address[0]") == ("user", "email", "address", "0")


@pytest.mark.parametrize(
    ("key", "mark"),
    [
        ("password", "{password}"),
        ("new_password", "{password}"),
        ("AWSAccessKeyId", "{token}"),
        ("userEmailAddress", "{email}"),
        ("phpsessid", "{session}"),
        ("socialsecuritynumber", "{national_id}"),
        ("card_number", "{card}"),
        ("dateOfBirth", "{date}"),
        ("x" * 10_000 + "_password", "{password}"),
    ],
)
def test_a_telling_name_has_a_mark(key: str, mark: str) -> None:
    assert keys.mark_of(key) == mark


@pytest.mark.parametrize(
    "key",
    ["", "id", "compass", "tokens_used", "TokenStore.get", "email_queue_depth", "auth.method", "thread.name",
     "keyboard", "session.duration", "service.name", "order.number", "code", "http.status_code", "server.address"],
)  # fmt: skip
def test_everyday_names_have_none(key: str) -> None:
    assert keys.mark_of(key) is None
