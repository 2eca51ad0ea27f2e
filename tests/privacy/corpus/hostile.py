"""Texts that bring down searches which go back and try again, at any length."""

from collections.abc import Mapping
from typing import NamedTuple


class Hostile(NamedTuple):
    """A text: the piece as often as it fits, between what stands once before and once after it."""

    piece: str
    before: str = ""
    after: str = ""

    def text(self, characters: int) -> str:
        """The text at this length; the piece may be cut."""
        room = characters - len(self.before) - len(self.after)
        return self.before + (self.piece * (room // len(self.piece) + 1))[:room] + self.after


HOSTILE: Mapping[str, Hostile] = {
    "one letter": Hostile("a"),
    "digits": Hostile("1234567890"),
    "at signs": Hostile("a@"),
    "labels before an at sign": Hostile("a.", after="@"),
    "digits and hyphens": Hostile("4-"),
    "escaped percent signs": Hostile("%25", after="40"),
    "percent escapes": Hostile("%61%40%62%2E%63%6F "),
    "colons": Hostile("a:"),
    "path of one segment": Hostile("/users/"),
    "token without end": Hostile("a.", before="eyJ"),
    "tokens that begin": Hostile("eyJa."),
    "quotes": Hostile("\"'"),
    "base64 of letters": Hostile("QUJD"),
    "base64 of mail": Hostile("amFuZUBleGFtcGxlLmNvbQ== "),
    "parameters": Hostile("&key=value"),
    "semicolons": Hostile(";a"),
    "objects": Hostile('{"a":'),
    "members": Hostile('{"token":"x1y2",'),
    "spaces after a scheme": Hostile(" ", before="Bearer", after="x"),
    "schemes": Hostile("Bearer "),
    "keys that begin": Hostile("-----BEGIN PRIVATE KEY-----"),
    "letters beyond ASCII": Hostile("ü@é."),
    "comments that begin": Hostile("/*"),
    "line comments": Hostile("--"),
    "brackets": Hostile("["),
    "parentheses": Hostile("(("),
    "closing brackets": Hostile("]}"),
    "backslashes": Hostile("\\"),
    "escaped quotes": Hostile('\\"'),
    "quoted backslashes": Hostile("'\\'"),
    "entities": Hostile("&#64;"),
    "unicode escapes": Hostile("\\u0040"),
    "urls": Hostile("https://a.example/?q=1 "),
    "urls in urls": Hostile("https://a.example/?u="),
    "statements": Hostile("SELECT '"),
    "values": Hostile("VALUES ("),
    "dollar quotes": Hostile("$a$"),
    "labels": Hostile("password: "),
    "names": Hostile("token="),
    "homes": Hostile("/home/"),
    "groups of four": Hostile("4111 "),
    "addresses": Hostile("1.2.3.4 "),
    "colons and digits": Hostile("1:"),
    "hardware addresses": Hostile("aa:bb:cc:dd:ee:ff:"),
    "account numbers": Hostile("DE89370400440532013000 "),
    "telephones": Hostile("+49 "),
    "identity numbers": Hostile("ssn 1"),
    "coordinates": Hostile("48.8566, 2.3522 "),
    "arguments": Hostile("f(a="),
    "tags": Hostile("<a "),
    "marks": Hostile("{email}"),
    "braces": Hostile("{"),
    "mixed case": Hostile("aB1/"),
    "nulls": Hostile("a\0"),
    "surrogates": Hostile("\ud800"),
    "low lines": Hostile("_"),
    "entries twice": Hostile("duplicate entry '"),
    "in": Hostile("in ("),
    "cookies": Hostile("Cookie: "),
    "layers": Hostile("ZW1haWw9amFuZSU0MGV4YW1wbGUuY29t%26%2364%3B "),
    "words and versions": Hostile("1.2.3.4ghp_-", before="IMEI "),
    "dots behind a name": Hostile("IMEI no.........................aB3dE6gH9jK2 "),
    "full-width": Hostile("１．"),
}
