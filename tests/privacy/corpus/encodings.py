"""How a value is wrapped on its way: every encoding that the scorer, and so a reader of the database, can undo."""

import base64
import html
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus


def _lower_percents(text: str) -> str:
    escaped = quote(text, safe="").split("%")
    return escaped[0] + "".join("%" + piece[:2].lower() + piece[2:] for piece in escaped[1:])


def _unicode_escapes(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else f"\\u{ord(letter):04x}" for letter in text)


def _entities(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "/:?=" else f"&#{ord(letter)};" for letter in text)


ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "pct": lambda text: quote(text, safe=""),
    "pctlow": _lower_percents,
    "pct2": lambda text: quote(quote(text, safe=""), safe=""),
    "pct3": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "pctall": lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    "uri": lambda text: quote(text, safe="@:/?&=+,;$!'()*~"),
    "plus": quote_plus,
    "b64": lambda text: base64.b64encode(text.encode()).decode(),
    "b64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "html": html.escape,
    "entities": _entities,
    "hexentities": lambda text: text.replace("@", "&#x40;").replace(".", "&#x2E;"),
    "ju": _unicode_escapes,
    "json": lambda text: json.dumps(text)[1:-1],
    "jsonraw": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "upper": str.upper,
    "lower": str.lower,
}
