"""Every class of personal data in every encoding, under its own name: the combinations that nobody writes down."""

from collections.abc import Iterator
from itertools import cycle

CLASSES = (
    ("email", "email"),
    ("phone", "phone:,E164"),
    ("card_number", "card"),
    ("iban", "iban"),
    ("ssn", "ssn"),
    ("cpf", "nid:br"),
    ("password", "password"),
    ("access_token", "urltoken:40"),
    ("id_token", "jwt"),
    ("api_key", "apikey"),
    ("session_id", "session:26"),
    ("client_ip", "ipv4"),
    ("remote_addr", "ipv6"),
    ("mac_address", "mac"),
    ("imei", "imei"),
    ("idfa", "idfa"),
    ("last_name", "last"),
    ("street", "street"),
    ("birth_date", "dob"),
    ("latitude", "lat"),
)
_JSON = ("pct", "pct2", "b64", "b64url", "b64|pct", "ju", "json|pct", "b64|b64", "pct|b64")
_FORM = ("pct", "pct2", "pct3", "b64", "b64url", "b64|pct", "pctlow", "pctall")
_CARRIERS = (
    ("url", "", "‹https://⟨host⟩/r›?data=⟦ENCODING: {\"NAME\":\"«VALUE|jsonraw»\"}⟧&‹v=2›", _JSON),
    ("url", "", "‹https://⟨host⟩/r›?‹v=2›&q=⟦ENCODING: NAME=«VALUE»&n=1⟧", _FORM),
    ("url", "", "‹https://⟨host⟩/out›?to=⟦ENCODING: https://b.example/?NAME=«VALUE|pct»⟧", ("pct", "pct2", "b64url")),
    ("url", "", "‹https://⟨host⟩/app›#/go?next=⟦ENCODING: /u?NAME=«VALUE|pct»&tab=2⟧", ("pct", "pct2")),
    ("message", "", "‹body› ⟦ENCODING: {\"NAME\":\"«VALUE|jsonraw»\",\"n\":1}⟧ ‹rejected (422)›", _JSON),
    ("message", "", "‹form› ⟦ENCODING: a=1&NAME=«VALUE|pct»⟧ ‹rejected (422)›", _FORM),
    ("message", "", "‹failed:› {\"outer\":\"⟦json: {\"NAME\":\"«VALUE|jsonraw»\"}⟧\",‹\"n\":3›}", ("pct",)),
    ("attribute", "event.payload", "⟦ENCODING: {\"NAME\":\"«VALUE|jsonraw»\"}⟧", _JSON),
    ("attribute", "event.query", "‹page=2›&NAME=«VALUE|ENCODING»", ("pct", "pct2", "plus")),
    ("header", "X-Client-Context", "⟦ENCODING: {\"NAME\":\"«VALUE|jsonraw»\"}⟧", ("b64", "b64url", "pct", "b64|pct")),
)  # fmt: skip


def matrix() -> Iterator[tuple[str, str, str, str]]:
    """Family, kind, key and template: every class in every carrier, with the carrier's encodings in turn."""
    for number, (kind, key, text, encodings) in enumerate(_CARRIERS):
        turn = cycle(encodings)
        for name, value in CLASSES:
            encoding = next(turn)
            template = text.replace("ENCODING", encoding).replace("NAME", name).replace("VALUE", value)
            yield f"matrix-{kind}-{number}-{encoding.replace('|', '-')}", kind, key, template
