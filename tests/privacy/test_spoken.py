"""What people and programs write without a form of its own: told by the words around it."""

import pytest

from privacy import scrub

HEX = "8f3a91c2" + "d4e5f607" + "b1c2a3d4" + "9e8f7a6b"
UUID = "38400000-8cf0-11bd-b23e-10b96e40000d"


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("ring me on 020 7946 0018", "020 7946 0018"),
        ("call failed: 07400 127265", "07400 127265"),
        ("llámame al 612 34 56 78", "612 34 56 78"),
        ("mon portable est le 06 12 34 28 44", "06 12 34 28 44"),
        ("Anruf von 030 901820 verpasst", "030 901820"),
        ("INSZ 85.08.10-837.25", "85.08.10-837.25"),
        ("client 85.07.30-033.28 unknown", "85.07.30-033.28"),
        ("RSA ID 8001015009087", "8001015009087"),
        ("IdNr. 86095742719", "86095742719"),
        (f"AdvertisingIdClient.Info{{id='{UUID}', lat=false}}", UUID),
        (f"X_ADMIN_KEY={HEX} set", HEX),
        ("HSID=AqPz3Lm9Kx2", "AqPz3Lm9Kx2"),
        ("new_password=aa1bb&confirm=aa1bc", "aa1bc"),
        ('{"password":"aa1bb","confirm":"aa1bc"}', "aa1bc"),
        ('wrong password "don\'t-x9"', "don't-x9"),
        ("wrong password 'it's-fine9'", "it's-fine9"),
        ('form.setPassword("letmein")', "letmein"),
        ('["password","hunterx"]', "hunterx"),
        ("bearer: abcdefghijklmnop", "abcdefghijklmnop"),
        ("shipping address: Am Gänsemarkt 7", "Gänsemarkt 7"),
        ("Lieferadresse: 12 High Street, Leeds LS1 4AB", "Leeds LS1 4AB"),
        ("host=Jane-MacBook-Pro.local up", "Jane"),
        ("invalid e-mail jane.doe@firma,de", "jane.doe"),
        ("Breitengrad 48,13743 Längengrad 11,57549", "48,13743"),
        ("Jane Doe, geb. 12.03.1984", "12.03.1984"),
        ("née le 12/03/1984", "12/03/1984"),
    ],
)
def test_a_word_beside_it_tells_whose_it_is(text: str, personal: str) -> None:
    scrubbed = scrub("message", "", text)
    assert personal in text
    assert personal not in scrubbed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("caller_number", "020 7946 0018"),
        ("from_number", "(020) 7946 0018"),
        ("bsn_nummer", "111222333"),
        ("google_aid", UUID),
        ("ADMIN_KEY", HEX),
        ("user.screen_name", "jane_doe"),
        ("direccion_envio", "Calle Mayor 5, 28013 Madrid"),
    ],
)
def test_a_name_in_another_language_or_dialect_tells(name: str, value: str) -> None:
    assert value not in scrub("attribute", name, value)


@pytest.mark.parametrize("query", [f"w=400&s={HEX}", f"auto=format&sig={HEX}"])
def test_the_signature_of_an_image_goes_and_its_size_stays(query: str) -> None:
    scrubbed = scrub("url", "", f"https://img.shop.example/a.jpg?{query}")
    assert HEX not in scrubbed
    assert scrubbed.startswith(f"https://img.shop.example/a.jpg?{query.partition('&')[0]}&")


@pytest.mark.parametrize(
    "text",
    [
        "-[Foo setPassword:forUser:]",
        f"acme/session:5.2.1@sha256:{HEX}{HEX}",
        "firebase-auth:23.1.0",
        "app-token:1.4",
        'const password = form.get("password")',
        "Authorization: Bearer ${token}",
        'a[href^="mailto:"]',
        '["password","email"]',
        'updatePassword("password")',
        "ring buffer 0400000000 full",
        "call failed: 503 after 30000 ms",
        f"CACHE_KEY={HEX}",
        "upgraded from version 5.6.0.2 to 5.7.1.0",
        "SELECT @@session.sql_mode",
        "shipping address: required",
        "latency 12,345 long tasks 45,678",
        "release born 2024 in Berlin",
    ],
)
def test_the_same_words_in_a_program_or_a_sentence_take_nothing(text: str) -> None:
    assert scrub("message", "", text) == text
