"""Encodings: runs of a text that say something else once decoded, and how to put back what was scrubbed in them.

Percent-encoding, HTML entities, JSON's and JavaScript's `\\u0040`, base64, and the full-width digits and odd spaces of
some keyboards. A run is decoded by one layer; what comes out is scrubbed as a text of its own, in which the next layer
is found. From the third layer on percent-encoding is undone to its end at once, so that any depth of it is looked into.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import re2

from privacy import marks

SIGN = (
    r"%(?:25|[013-7][0-9A-Fa-f]|2[13-9AaBbDdEeFf]|[Uu]00|[Ee][Ff]%[Bb][CcDd])|[0-9]%2[0Cc]"
    r"|%[C-Fc-f][0-9A-Fa-f][^\s\x00]*@|@[^\s\x00]*%[C-Fc-f]"
    r"|&#?[0-9A-Za-z]{2,8};|&#[xX]?[0-9]|\\(?:u00|x)[2-7][0-9A-Fa-f]|\\(?:u\{|U0000)"
    r"|\xef\xbc[\x8b\x90-\x99\xa1-\xba]|\xef\xbd[\x81-\x9a]|\xd9[\xa0-\xa9]|[0-9](?:\xc2\xa0|"
    r"\xe2\x80[\x80-\x95\xaa-\xaf])"
    r"|[A-Z][a-z]{0,2}[A-Z0-9][A-Za-z0-9+/_\-]{8}|[A-Z][A-Za-z0-9+/_\-]{6,}(?:=|%3[Dd])"
)
"""What every run worth decoding holds: an escape of an ASCII character but a space between words, or base64's look."""

DEEPEST = 16
"""Layers of percent-encoding that are undone; a run with more is not examined."""
ALL_LAYERS_FROM = 2


class Run(NamedTuple):
    """Part of a text that is encoded."""

    start: int
    end: int
    decoded: str | None
    """None: too deep to look into."""
    encode: Callable[[str], str] | None
    """Puts a scrubbed text back into the encoding; None where one mark stands for the whole run."""


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(pattern.encode("latin-1"), options)


_PERCENT = _compile(r"[^\s&?#\"'<>{}\\|\x00]*%(?:[0-9A-Fa-f]{2}|[Uu]00[0-9A-Fa-f]{2})[^\s&?#\"'<>{}\\|\x00]*")
_ESCAPED = _compile(
    r"[^\s\"<>{}\x00]*(?:&#?[0-9A-Za-z]{2,8};|&#[xX]?[0-9]|\\(?:u00|x)[2-7][0-9A-Fa-f]|\\u\{|"
    r"\\U0000)(?:[^\s\"<>{}\x00]|\{[0-9A-Fa-f]+\})*"
)
_ODD = _compile(
    r"[^\x00]*(?:\xef\xbc[\x8b\x90-\x99\xa1-\xba]|\xef\xbd[\x81-\x9a]|\xd9[\xa0-\xa9]|[0-9](?:\xc2\xa0|"
    r"\xe2\x80[\x80-\x95\xaa-\xaf]))[^\x00]*"
)
_QUOTES = _compile(r"[^\x00]*(?:&(?:quot|apos|#34|#39|#x22|#x27);|\\u002[27]|\\x2[27])[^\x00]*")
_BASE64 = _compile(r"[A-Za-z0-9+/_\-]{10,}(?:=|%3[Dd]){0,2}")

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|%[Uu]00([0-9A-Fa-f]{2})")
_UNICODE = re.compile(r"\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f]{1,5})\}|U000([0-9A-Fa-f]{5}))")
_PLAIN_LETTERS = str.maketrans(
    {chr(wide): chr(wide - 0xFEE0) for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
    | {chr(0x660 + digit): str(digit) for digit in range(10)}
    | {chr(0x6F0 + digit): str(digit) for digit in range(10)}
    | dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\uff0d", "-")
    | {"\uff0b": "+", "\uff20": "@", "\uff0e": "."}
)
"""Digits, letters, spaces and hyphens as phones and Japanese or Arabic keyboards write them, one for one."""
_WIDE_PERCENT = re.compile(r"%[Uu]00([0-9A-Fa-f]{2})")


def runs(text: bytes, level: int) -> Iterator[Run]:
    """The encoded runs of texts with NUL between them. `level`: how many layers have been taken off already."""
    if b"%" in text:
        for found in _PERCENT.finditer(text):
            start, end = found.span()
            yield from _percent_runs(text, start, end, level)
    if b";" in text or b"\\" in text:
        yield from _escaped_runs(text)
    if not text.isascii():
        for found in _ODD.finditer(text):
            yield _odd(text, *found.span())
    for found in _BASE64.finditer(text):
        yield from _base64_runs(text, *found.span())


def _percent_runs(text: bytes, start: int, end: int, level: int) -> Iterator[Run]:
    """A parameter's value as one run; a path segment by segment."""
    equals = text.find(b"=", start, end)
    if equals >= 0 and b"%" not in text[start:equals] and text[start - 1 : start] in {b"?", b"&", b"#", b";"}:
        yield _percent(text, equals + 1, end, level)
        return
    at = start
    for part in text[start:end].split(b"/"):
        if b"%" in part:
            equals = part.find(b"=")
            skip = equals + 1 if equals >= 0 and b"%" not in part[:equals] else 0
            yield _percent(text, at + skip, at + len(part), level)
        at += len(part) + 1


def _percent(text: bytes, start: int, end: int, level: int) -> Run:
    run = text[start:end].decode("utf-8", "surrogatepass")
    plus = "+" in run and "%20" not in run and "%40" not in run and not run.startswith("+")
    decoded: str | None = _unquote(run.replace("+", " ") if plus else run)
    if level >= ALL_LAYERS_FROM:
        decoded = _unquote_fully(run)

    def encode(scrubbed: str) -> str:
        raw = "".join(set(_ESCAPE.sub("", run)))
        encoded = quote(scrubbed.encode("utf-8", "surrogatepass"), safe=raw.replace("%", ""))
        return _restore_marks(encoded.replace("%20", "+") if plus else encoded)

    return Run(start, end, decoded, encode)


def _unquote(run: str) -> str:
    return unquote(_WIDE_PERCENT.sub(r"%\1", run))


def _unquote_fully(run: str) -> str | None:
    for _ in range(DEEPEST):
        decoded = _unquote(run)
        if decoded == run:
            return decoded
        run = decoded
    return None


_ENCODED_MARK = re.compile(r"%7B([a-z_]+(?:(?::|%3A)[0-9a-f]+)?)%7D")


def _restore_marks(encoded: str) -> str:
    def restore(found: re.Match[str]) -> str:
        mark = "{" + found.group(1).replace("%3A", ":") + "}"
        return mark if marks.is_mark(mark) else found.group()

    return _ENCODED_MARK.sub(restore, encoded)


def _escaped_runs(text: bytes) -> Iterator[Run]:
    """A whole text when its quotes are encoded, for names and values belong together; else word by word."""
    whole = [found.span() for found in _QUOTES.finditer(text)]
    yield from (_escaped(text, *span) for span in whole)
    ends = iter([end for _, end in whole] + [len(text) + 1])
    starts = iter([start for start, _ in whole] + [len(text) + 1])
    start, end = next(starts), next(ends)
    for found in _ESCAPED.finditer(text):
        while end < found.start():
            start, end = next(starts), next(ends)
        if found.start() < start:
            yield _escaped(text, *found.span())


def _escaped(text: bytes, start: int, end: int) -> Run:
    run = text[start:end].decode("utf-8", "surrogatepass")
    decoded = _UNICODE.sub(_character, html.unescape(run))
    return Run(start, end, decoded.replace("\0", ""), str)


def _character(found: re.Match[str]) -> str:
    return chr(int(next(filter(None, found.groups())), 16))


def _odd(text: bytes, start: int, end: int) -> Run:
    """A whole text with its letters and digits in their plain forms; what was not touched goes back as it was."""
    run = text[start:end].decode("utf-8", "surrogatepass")
    plain = run.translate(_PLAIN_LETTERS)

    def encode(scrubbed: str) -> str:
        head = next((at for at, (a, b) in enumerate(zip(plain, scrubbed, strict=False)) if a != b), len(plain))
        backwards = zip(reversed(plain[head:]), reversed(scrubbed[head:]), strict=False)
        tail = next((at for at, (a, b) in enumerate(backwards) if a != b), 0)
        return run[:head] + scrubbed[head : len(scrubbed) - tail] + run[len(run) - tail :]

    return Run(start, end, plain, encode)


def _base64_runs(text: bytes, start: int, end: int) -> Iterator[Run]:
    run = text[start:end]
    decoded = decode_base64(run)
    if decoded is not None:
        yield Run(start, end, decoded, None)
        return
    json_start = run.find(b"eyJ")
    if json_start > 0:
        decoded = decode_base64(run[json_start:])
        if decoded is not None:
            yield Run(start + json_start, end, decoded, None)
            return
    if b"/" not in run:
        return
    at = start
    for part in run.split(b"/"):
        if len(part) >= 10:
            decoded = decode_base64(part)
            if decoded is not None:
                yield Run(at, at + len(part), decoded, None)
        at += len(part) + 1


_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_MOST_CUT = 3
"""Bytes of a character that a cut may leave at the end."""


def decode_base64(run: bytes) -> str | None:
    """The text that base64 holds, standard or for URLs, padded or not, also when cut; None when it is no text."""
    if run.islower():
        return None  # a path, a name in snake_case: base64 of a text without a capital is next to impossible
    body = run.replace(b"%3D", b"").replace(b"%3d", b"").rstrip(b"=").translate(_TO_STANDARD)
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        decoded = base64.b64decode(body + b"=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < max(8, len(decoded) - _MOST_CUT):
            return None
        text = decoded[: error.start].decode("utf-8")
    printable = text.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in text)
    return text if printable else None
