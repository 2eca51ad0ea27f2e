"""The telling names of `privacy.keys`, as expressions: how they stand in a text or a URL before their values."""

from privacy import keys, verdicts_named
from privacy.rules import gate


def as_bytes(text: str) -> str:
    """The UTF-8 of a text, each byte as the Latin-1 character that the expressions are written in."""
    return text.encode().decode("latin-1")


FOREIGN = "|".join(
    as_bytes(form)
    for name in sorted(keys.FOREIGN, key=len, reverse=True)
    for form in dict.fromkeys(
        (name.replace("+", " "), name.replace("+", " ").capitalize(), name.replace("+", " ").upper())
    )
)
FOREIGN_GAP = r"[^\x00\s:=0-9A-Za-z]{0,12}\s{0,3}"
WIDE_COLON = r"\xef\xbc[\x9a\x9d]"
_SHORT = 4
"""Letters up to which a name counts as a sign only where a word begins and ends: `ip` is in `ship`."""


def _phrase(words: tuple[str, ...]) -> str:
    return r"[_.\- \[]{0,2}".join(words)


LONG_NAMES = "|".join(
    sorted({_phrase(words) for words in keys.PHRASES if len("".join(words)) > _SHORT} | set(keys.ENDINGS))
)
SHORT_NAMES = "|".join(sorted(_phrase(words) for words in keys.PHRASES if len("".join(words)) <= _SHORT))
HUMPS = "|".join(name.capitalize() for name in SHORT_NAMES.split("|"))
WHOLE_NAMES = "|".join(sorted(map(_phrase, keys.WHOLE)))
DRAWN_AHEAD = (
    rf"[\"')]?[ \t:#=(]{{1,3}}(?:(?i:{verdicts_named.CONNECTORS})\.?[ "
    rf"\t:#=.(]{{1,3}}){{0,3}}[\"'(<]?[A-Za-z0-9_+\-./~%!$@*]*[0-9]"
)
"""What follows a name in prose where a value stands that may be drawn: one with a digit."""
VALUE_AHEAD = (
    r"[\])]{0,3}(?:\\*[\"'])?\s{0,4}(?:[=\-]>|:=|[:=])\s{0,4}[\[\\\"']{0,4}(?:[^{\s\x00]|\{[a-z_]*[^a-z_}\x00])"
)
"""What follows a name where a value stands: something that is neither a mark nor an object."""
_NOT_IN_NAME = r"[^=&#?\x00]*"
_URL_NAMES = "|".join(
    sorted(
        {r"[^A-Za-z0-9=&#?\x00]*".join(words) for words in keys.PHRASES if len("".join(words)) > _SHORT}
        | set(keys.ENDINGS)
    )
)
URL_GATE = gate(
    r"(?i:[?&](?:hash|h|hmac|hm|digest))=[0-9A-Za-z]{16}",
    r"(?:^|\x00)(?:[^h/\x00]|h(?:[^t\x00]|t(?:[^t\x00]|t(?:[^p\x00]|p(?:[^s:\x00]|s[^:\x00])))))",
    r"(?:^|\x00)//|@|\\|;|#[^\x00]|[\s\"<>]|://[^\x00]*://|(?:^|\x00)[^?#\x00]*=|\?[^\x00]*[?/]",
    rf"[?&]{_NOT_IN_NAME}_KEY=[^&\x00]",
    rf"[?&](?:{_NOT_IN_NAME}[%\x80-\xff]|{_NOT_IN_NAME}(?i:{_URL_NAMES})){_NOT_IN_NAME}=[^&\x00]",
    rf"[?&](?:{_NOT_IN_NAME}[^A-Za-z])?(?i:{SHORT_NAMES})(?:[^a-z=&#?\x00]{_NOT_IN_NAME})?=[^&\x00]",
    rf"[?&]{_NOT_IN_NAME}[a-z0-9](?:{HUMPS}|{HUMPS.upper()}){_NOT_IN_NAME}=[^&\x00]",
    rf"[?&][^A-Za-z0-9=&#?\x00]*(?i:{WHOLE_NAMES})[^A-Za-z0-9=&#?\x00]*=(?:%20|[^&#%A-Z0-9+\x00])*(?:[A-Z0-9+]|"
    rf"%[^2]|%2[^0])",
)
"""Finds, of texts that are URLs and nothing else, those that `urls.strip_url` might change: a URL of ordinary traffic
is told by this and by nothing that runs in Python. As with every gate, what it does not see is not there."""
