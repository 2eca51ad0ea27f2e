"""Names are judged by whole words, head noun last, and with the value they stand beside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import keys
from privacy.marks import MARKS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("X-Amz-AWSAccessKeyId", ("x", "amz", "aws", "access", "key", "id")),
        ("user.email_address[0]", ("user", "email", "address", "0")),
        ("filter%5Bemail%5D", ("filter", "email")),
        ("userIDs", ("user", "ids")),
        ("clientIPv4", ("client", "ipv", "4")),
        ("Straße", ("strasse",)),
        ("prénom", ("prenom",)),
        ("пароль", ("пароль",)),
        ("비밀번호", ("비밀번호",)),
    ],
)
def test_a_name_is_cut_at_humps_and_separators_and_loses_its_accents(name: str, words: tuple[str, ...]) -> None:
    assert keys.words(name) == words


@pytest.mark.parametrize(
    ("name", "mark"),
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
def test_a_telling_name_has_a_mark(name: str, mark: str) -> None:
    assert keys.mark_of(name) == mark


@pytest.mark.parametrize(
    "name",
    ["", "id", "compass", "tokens_used", "TokenStore.get", "email_queue_depth", "auth.method", "thread.name",
     "keyboard", "session.duration", "service.name", "order.number", "code", "http.status_code", "server.address",
     "token_type", "card_type", "password_strength", "email_verified", "sort_key", "cache_key", "author", "design",
     "signal", "signature_algorithm", "sign_up", "passport_required", "geo.country", "cloud.account.id", "client_id",
     "screen_name", "db.user", "state", "monkey", "phone_type", "address_count", "span_id", "k8s.pod.name"],
)  # fmt: skip
def test_everyday_names_have_none(name: str) -> None:
    assert keys.mark_of(name) is None


@pytest.mark.parametrize(
    ("name", "value", "mark"),
    [
        ("password", "hunter2", "{password}"),
        ("pass", "hunter2", "{password}"),
        ("contraseña", "clave", "{password}"),
        ("密码", "x1", "{password}"),
        ("pin", "1234", "{password}"),
        ("X-Amz-Signature", "dd697a56043e", "{token}"),
        ("sig", "aB3dE5fG7hJ9", "{token}"),
        ("state", "xcQChWqQ7yd2", "{token}"),
        ("code", "4/0AX4XfWhAbC9dE", "{token}"),
        ("nonce", "n-0S6_WzA2Mj", "{token}"),
        ("key", "Zx9Kq2Lm7Pw4Rt8Vb3Nc", "{token}"),
        ("pan", "4111111111111111", "{card}"),
        ("pan", "ABCPE1234F", "{national_id}"),
        ("cvc", "404", "{card}"),
        ("card_expiry", "09/27", "{card}"),
        ("passport_no", "C01X00T47", "{national_id}"),
        ("tin", "12-3456789", "{national_id}"),
        ("vorname", "Anneliese", "{name}"),
        ("apellidos", "García Márquez", "{name}"),
        ("name", "Jane Doe", "{name}"),
        ("to", "Vincent van Gogh", "{name}"),
        ("nom", "Dupont", "{name}"),
        ("displayName", "Béatrice Lefèvre", "{name}"),
        ("handynummer", "0171 3920093", "{phone}"),
        ("plz", "10115", "{address}"),
        ("address", "12 Main St", "{address}"),
        ("lat", "48.85", "{geo}"),
        ("ll", "48.8566,2.3522", "{geo}"),
        ("geburtsdatum", "1980-02-03", "{date}"),
        ("android_id", "9774d56d682e549c", "{device}"),
        ("installation.id", "0f-3a", "{device}"),
        ("device.name", "Jane’s iPhone", "{device}"),
        ("host.name", "Janes-MacBook-Pro.local", "{device}"),
        ("net.peer.ip", "203.0.113.9", "{ip}"),
        ("enduser.id", "5f7c8ec7", "{user}"),
        ("connect.sid", "s:aB3dE5", "{session}"),
    ],
)
def test_a_value_goes_that_looks_like_what_its_name_announces(name: str, value: str, mark: str) -> None:
    assert keys.judge(name, value) == mark


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "required"), ("password", "true"), ("password", "********"), ("password", "{password}"),
        ("password", "{password:0123456789abcdef0123}"), ("password", "$1"), ("password", ":secret"),
        ("password", "[Filtered]"), ("pass", "12"), ("pin", "top"), ("token", "expired"), ("auth", "basic"),
        ("auth", "oauth2"), ("sig", "RS256"), ("state", "CA"), ("state", "in_progress_2"), ("code", "404"),
        ("code", "E2041"), ("code", "SUMMER20"), ("key", "name"), ("key", "products:list:page:2"), ("pan", "12"),
        ("sin", "0.5"), ("card", "visa"), ("exp", "1718234039"), ("name", "checkout"), ("name", "Checkout Page"),
        ("name", "New York"), ("displayName", "CartScreen"), ("nom", "Add"), ("first_name", "required"),
        ("phone", "iPhone 15"), ("phone", "true"), ("zip", "assets.zip"), ("address", "home"),
        ("address", "0x7ffe12"), ("location", "/cart"), ("lat", "48"), ("coords", "12.5,7.25"),
        ("position", "12.5,7.25"), ("device.name", "iPhone 15 Pro"), ("device.name", "Galaxy S24"),
        ("host.name", "web-1.prod.internal"), ("idfa", "00000000-0000-0000-0000-000000000000"),
        ("peer.ip", "127.0.0.1"), ("ip", "::1"), ("session", "started"), ("user", "guest"), ("user", "admin"),
        ("email", "weekly"), ("st", "20240612T101500Z"), ("", "hunter2"), ("password", ""),
    ],
)  # fmt: skip
def test_a_value_stays_that_does_not(name: str, value: str) -> None:
    assert keys.judge(name, value) is None


@given(st.text(), st.text())
def test_any_name_and_value_get_a_mark_or_none(name: str, value: str) -> None:
    assert keys.judge(name, value) in {None, *MARKS}


@given(st.sampled_from([" ".join(phrase) for phrase in keys.PHRASES]), st.sampled_from("_-. "), st.booleans())
def test_a_telling_name_tells_in_every_spelling(name: str, separator: str, upper: bool) -> None:
    spelled = name.replace(" ", separator)
    assert keys.mark_of(spelled.upper() if upper else spelled) == keys.mark_of(name) is not None
