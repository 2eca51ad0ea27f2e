"""What the name of a field says about its value.

A name is cut into words at `-`, `_`, `.`, `[`, spaces and camelCase humps and judged by its last words, its head noun:
`user.email_address` is an address to write to, `email_queue_depth` is not. Words are compared whole, never as
substrings, so `compass`, `tokens_used` and `TokenStore` are left alone. The names stand in `privacy.vocabulary`.

A name seldom suffices: `judge` looks at the value too, which must look like what the name announces.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import unquote

from privacy import marks, shapes, vocabulary
from privacy.vocabulary import Entry

Judge = Callable[[str, str], str | None]
"""(name, value as it reads decoded) → the mark that is to stand in its place; None leaves the value to the patterns."""

LONGEST_KEY = 256
"""Characters of a name that are looked at, from its end: there stands the head noun."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_\x00-\x7f]+")
_ACRONYMS = re.compile(r"IPv(?=[46])|IDs\b|URLs\b|IPs\b|OAuth|iOS")
_ESZETT = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "æ": "ae", "ð": "d", "đ": "d"})
"""Letters that Unicode does not take apart into a Latin letter and an accent."""

_NEUTRAL = vocabulary.words_of(
    "field code hash value values text number nr input addr header num key string no address id raw plain param "
    "parameter str val confirm confirmation again repeat new old current md sha hex base64 b64 encoded nummer"
)
"""Words that may follow the head noun without changing what the value is."""

_USER_AGENT = frozenset(
    {("user", "agent"), ("useragent",), ("user", "agent", "original"), ("ua",), ("agent", "string")}
)
_VERSION = frozenset({"version", "ver", "release", "build", "revision", "rev", "tag", "sdk", "firmware", "semver"})


def words(key: str) -> tuple[str, ...]:
    """The words of a field's name, lower case, without accents: `X-Amz-AccessKeyId` → x, amz, access, key, id."""
    key = key[-LONGEST_KEY:]
    if "%" in key:
        key = unquote(unquote(key))
    if not key.isascii():
        key = unicodedata.normalize("NFKD", key.translate(_ESZETT))
        key = unicodedata.normalize("NFC", "".join([c for c in key if not unicodedata.combining(c)]))
    key = _ACRONYMS.sub(lambda found: found.group().capitalize(), key)
    return tuple([word.lower() for word in _WORD.findall(key)])


Phrases = Mapping[tuple[str, ...], tuple[Entry, ...]]


def _phrases(table: Iterable[tuple[Entry, str]]) -> Phrases:
    phrases: dict[tuple[str, ...], tuple[Entry, ...]] = {}
    for entry, names in table:
        for name in names.split():
            phrase = words(name.replace("+", " "))
            known = phrases.get(phrase, ())
            phrases[phrase] = known if entry in known else (*known, entry)
    return phrases


_SAYS = _phrases(vocabulary.NAMES)
_SAYS_ALONE = _phrases(vocabulary.WHOLE)
_SAFE = frozenset(words(name.replace("+", " ")) for name in vocabulary.SAFE)
_BY_ENDING = tuple((end, _SAYS[end,]) for end in sorted(vocabulary.ENDINGS, key=len, reverse=True))
_LONGEST = max(map(len, _SAYS.keys() | _SAFE))

PHRASES = tuple(sorted(phrase for phrase in _SAYS if "".join(phrase).isascii()))
"""The words of names that tell at the end of a longer name."""
WHOLE = tuple(sorted(_SAYS_ALONE))
"""The words of names that tell only alone."""
ENDINGS = vocabulary.ENDINGS
"""Names that tell at the end of a longer word."""
FOREIGN = tuple(sorted(name for _, names in vocabulary.NAMES for name in names.split() if not name.isascii()))
"""Telling names in other scripts, as they are written."""

LABELS = tuple(
    sorted(
        name.replace("+", " ")
        for entry, names in vocabulary.NAMES
        for name in names.split()
        if entry.mark == marks.NATIONAL_ID and name.isascii()
    )
)
"""Names of national identity numbers that people write right before the number, without `:` or `=`."""


_ENVIRONMENT = re.compile(r"[A-Z][A-Z0-9_]*_KEY\Z")
_ENVIRONMENT_KEY = (Entry(marks.TOKEN, shapes.long_drawn, strong=True),)
_KEYS_OF_THINGS = vocabulary.words_of(
    "cache primary partition sort foreign public idempotency row shard routing hash object storage file map query "
    "registry group index unique dedup lookup event translation message state store react item"
)
"""Words before `key` of what a thing is found by: it opens nothing."""


@lru_cache(maxsize=4096)
def _entries(key: str) -> tuple[Entry, ...]:
    parts = words(key)
    said = _search(parts) or _SAYS_ALONE.get(parts[1:] if parts[:1] == ("x",) else parts, ())
    if not said and _ENVIRONMENT.match(key) and parts[-2] not in _KEYS_OF_THINGS:
        return _ENVIRONMENT_KEY  # ADMIN_KEY=8f3a…
    return said


def judge(name: str, value: str) -> str | None:
    """The mark for this value under this name; None when the name tells nothing or the value does not look like it.

    Args:
        name: of a parameter, member, field, header or attribute; percent-encoded or not.
        value: decoded. A truth value, a placeholder, a mark and nothing at all are nobody's.
    """
    for entry in _entries(name[-LONGEST_KEY:]):
        if entry.shape(value):
            return None if shapes.is_plain(value) else entry.mark
    return None


@lru_cache(maxsize=4096)
def mark_of(key: str) -> str | None:
    """The mark for values of this name, None when it does not speak of personal data whatever the value."""
    entries = _search(words(key))
    return entries[0].mark if entries else None


@lru_cache(maxsize=4096)
def is_strong(key: str) -> bool:
    """Whether the name condemns a value even in prose: a password, a token, an identity number."""
    entries = _search(words(key))
    return bool(entries) and entries[0].strong


def may_tell(key: str) -> bool:
    """Whether `judge` gives a mark for some value of this name."""
    return bool(_entries(key[-LONGEST_KEY:]))


@lru_cache(maxsize=4096)
def names_user_agent(key: str) -> bool:
    """Whether the field holds a User-Agent string."""
    parts = words(key)
    return parts[-2:] in _USER_AGENT or parts[-3:] in _USER_AGENT


def names_version(key: str) -> bool:
    """Whether the field holds a version, in which `1.2.3.4` is no address."""
    return not _VERSION.isdisjoint(words(key))


def _search(parts: tuple[str, ...]) -> tuple[Entry, ...]:
    while parts:
        for length in range(min(_LONGEST, len(parts)), 0, -1):
            last = parts[-length:]
            if last in _SAFE:
                return ()
            if last in _SAYS:
                return _SAYS[last]
        entries = next((entries for end, entries in _BY_ENDING if parts[-1].endswith(end)), None)
        if entries is not None:
            return entries
        if parts[-1] not in _NEUTRAL and not parts[-1].isdigit():
            return ()
        parts = parts[:-1]
    return ()
