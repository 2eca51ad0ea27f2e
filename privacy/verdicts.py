"""Exact tests on what the patterns of `privacy.detect` found: what of it is personal data, if any.

Each takes (all texts joined, start, end of the find) and gives what to replace and by what, or None when it only looked
like personal data. It may look at what stands before and behind; texts are apart by NUL, which no text holds. None of
them reads further than the find and the value it announces, so that a text costs time linear in its length.
"""

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote

from privacy import checks, keys, marks, urls

SEPARATOR = b"\0"
AT = r"(?:@|%(?:25)*40|&#64;|&#[xX]40;|&commat;|\\+u0040|\xef\xbc\xa0)"
"""The at sign and its encodings, as an expression over UTF-8 read as Latin-1."""

Verdict = tuple[int, int, str] | None
"""Start and end of what to replace, and by what."""
Resolve = Callable[[bytes, int, int], Verdict]


def always(mark: str) -> Resolve:
    """Takes every find for what it looks like."""

    def resolve(text: bytes, start: int, end: int) -> Verdict:
        return start, end, mark

    return resolve


def _is_word_byte(text: bytes, at: int) -> bool:
    return text[at : at + 1].isalnum()  # ASCII only: in Chinese, an address has no space before it


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    return not _is_word_byte(text, start - 1) and not _is_word_byte(text, end)


def _decoded(found: bytes) -> str:
    text = found.decode("utf-8", "replace")
    for _ in range(4):
        if "%" not in text:
            break
        text = unquote(text)
    return text


_AT_SIGN = re.compile(rf"{AT}")
_SCALED_ASSET = re.compile(r"(?i)[0-9.]+x\.(?:png|jpe?g|gif|webp|svg|avif|ico)\Z")
_VERSION_LIKE = re.compile(r"v?[0-9]+\.[0-9]")


def private_key(text: bytes, start: int, end: int) -> Verdict:
    """A PEM block; without its last line, all that follows."""
    return start, end - (text[end - 1 : end] == SEPARATOR), marks.TOKEN


def jwt(text: bytes, start: int, end: int) -> Verdict:
    """A JSON Web Token, or any JSON in base64."""
    return None if _is_word_byte(text, start - 1) else (start, end, marks.TOKEN)


def email(text: bytes, start: int, end: int) -> Verdict:
    """An e-mail address in any encoding; not a file's scale or a package's version."""
    domain = _AT_SIGN.split(text[start:end].decode("latin-1"))[-1]
    if _SCALED_ASSET.match(domain) or _VERSION_LIKE.match(domain):
        return None  # logo@2x.png, package@1.2.3-rc.one
    return start, end, marks.EMAIL


def bearer(text: bytes, start: int, end: int) -> Verdict:
    """What follows the name of an authentication scheme, unless it is a word of the sentence."""
    scheme, _, value = text[start:end].decode("latin-1").replace("%20", " ").partition(" ")
    value = value.lstrip()
    is_a_word = value.isalpha() and (value.islower() or value.istitle() or value.isupper())
    if is_a_word and not (scheme.lower() == "bearer" and len(value) >= 20):
        return None  # "basic authentication"
    return end - len(value), end, marks.TOKEN


_VERSION_BEFORE = re.compile(
    r"(?i)(?:(?:^|[^a-z])(?:v|ver|version|release|build|rev|revision|firmware|driver|sdk|android|ios|kernel|chrome|"
    r"webview)[ :=._/\-]{0,2}|(?:^|[\s(;,])[a-z][a-z0-9_\-]*/)\Z"
)
_PRERELEASE = re.compile(rb"(?i)[\-+](?:alpha|beta|rc|dev|snapshot|release|build|debug|canary|nightly|preview|final)")


def ipv4(text: bytes, start: int, end: int) -> Verdict:
    """A dotted address; not a version, told by the word before it (`Chrome/126.0.0.0`) or behind it (`1.2.3.4-rc`)."""
    if _is_word_byte(text, start - 1) or _is_word_byte(text, end):
        return None
    address = _decoded(text[start:end])
    if not checks.is_ipv4(address):
        return None
    line_start = text.rfind(SEPARATOR, max(0, start - 32), start) + 1 or max(0, start - 32)
    before = text[line_start:start].decode("latin-1")
    followed_by_port = text[end : end + 1] == b":"
    if (_VERSION_BEFORE.search(before) and not followed_by_port) or _PRERELEASE.match(text, end):
        return None
    return start, end, marks.IP


def dashed_ipv4(text: bytes, start: int, end: int) -> Verdict:
    """An address inside a host name: `ip-10-0-0-1`, `1-2-3-4.provider.example`."""
    found = text[start:end]
    digits = start + re.search(rb"[0-9]", found).start()  # type: ignore[union-attr]  # the pattern ends in digits
    if _is_word_byte(text, end) or text[end : end + 1] == b"-" or _is_word_byte(text, start - 1):
        return None
    named = digits > start
    if not named and (text[end : end + 1] != b"." or text[start - 1 : start] == b"-"):
        return None
    return (digits, end, marks.IP) if checks.is_ipv4(text[digits:end].decode().replace("-", ".")) else None


def ipv6(text: bytes, start: int, end: int) -> Verdict:
    """An address with at least one `::` or seven colons; not a time, not a C++ name."""
    while text[end - 1 : end] in {b":", b"."} and text[end - 2 : end] != b"::":
        end -= 1
    if text[start : start + 1] == b":" and text[start : start + 2] != b"::":
        start += 1
    if not _stands_alone(text, start, end):
        return None
    address = _decoded(text[start:end])
    if checks.is_ipv6(address):
        return start, end, marks.IP
    # One group too many: a word of hex digits before it, or a port after it.
    shorter = (address.partition(":")[2], address.rpartition(":")[0])
    return (start, end, marks.IP) if address.count(":") > 7 and any(map(checks.is_ipv6, shorter)) else None


_GROUPED_CARD = re.compile(
    r"[0-9]{12,19}\Z|[0-9]{4}(?:[ \-.][0-9]{4}){2,3}(?:[ \-.][0-9]{1,4})?\Z|[0-9]{4}[ \-.][0-9]{6}[ \-.][0-9]{4,5}\Z"
)


def card(text: bytes, start: int, end: int) -> Verdict:
    """A payment card's number in one piece or grouped as on the card."""
    number = _decoded(text[start:end]).replace("+", " ")
    digits = "".join(c for c in number if c.isdigit())
    if not _stands_alone(text, start, end) or not _GROUPED_CARD.match(number) or len(digits) > 19:
        return None
    return (start, end, marks.CARD) if checks.is_card(digits) else None


def phone(text: bytes, start: int, end: int) -> Verdict:
    """A telephone number with `+`, or written as in North America."""
    number = _decoded(text[start:end])
    digits = sum(c.isdigit() for c in number)
    if not 8 <= digits <= 15 or not _stands_alone(text, start, end) or text[start - 1 : start] in {b".", b"-"}:
        return None
    return start, end, marks.PHONE


def ssn(text: bytes, start: int, end: int) -> Verdict:
    """A US Social Security number with its hyphens."""
    area, group, serial = (int(part) for part in text[start:end].split(b"-"))
    around = text[start - 1 : start] + text[end : end + 1]
    if b"-" in around or not _stands_alone(text, start, end) or not checks.is_ssn(area, group, serial):
        return None
    return start, end, marks.NATIONAL_ID


_IBAN_GAP = rb"(?:[ +]|%20)"


def iban(text: bytes, start: int, end: int) -> Verdict:
    """A bank account whose check digits are right."""
    length = checks.iban_length(re.sub(_IBAN_GAP, b"", text[start:end]).decode())
    if not length or _is_word_byte(text, start - 1):
        return None
    number = re.match(rb"(?:%b?[A-Z0-9]){%d}" % (_IBAN_GAP, length), text[start:end])
    if number is None or _is_word_byte(text, start + number.end()):
        return None
    return start, start + number.end(), marks.IBAN


def mac(text: bytes, start: int, end: int) -> Verdict:
    """A hardware address."""
    around = text[start - 1 : start] + text[end : end + 1]
    if not _stands_alone(text, start, end) or b":" in around or b"-" in around:
        return None
    if text[start:end].replace(b".", b"").isdigit():
        return None  # numbers with dots between
    return start, end, marks.DEVICE


_METHOD_BEFORE = re.compile(rb"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \Z")
_SHARED_HOMES = frozenset(
    {"Shared", "Public", "Default", "All Users", "runner", "root", "app", "node", "ubuntu", "user"}
)


def user_path(text: bytes, start: int, end: int) -> Verdict:
    """The name in the path of a home directory, unless it belongs to nobody (`Shared`, `runner`)."""
    folder = re.match(rb"(?i):?[\\/]*(?:home|users|documents and settings)[\\/]+", text[start:end])
    if folder is None or _is_word_byte(text, start - 1) or text[start - 1 : start] in {b".", b"}"}:
        return None  # a page of a site, https://shop.example/home/deals
    if _METHOD_BEFORE.search(text[max(0, start - 8) : start]):
        return None  # GET /home/deals
    name_start = start + folder.end()
    if text[end : end + 1] not in {b"/", b"\\"}:  # the last part of a path ends at a space
        end = name_start + len(text[name_start:end].split(b" ")[0])
    name = text[name_start:end].decode("utf-8", "replace")
    if not name or name in _SHARED_HOMES or name in marks.MARKS:
        return None
    return name_start, end, marks.USER


_PARAMETER = re.compile(r"([?&#])([^=?&#]*)=(.*)", re.DOTALL)


def parameter(text: bytes, start: int, end: int) -> Verdict:
    """The value of a query parameter."""
    found = _PARAMETER.match(text[start:end].decode("utf-8", "surrogatepass"))
    if found is None:
        return None
    value = found.group(3)
    mark = urls.mark_value(found.group(2), value)
    return None if mark == value else (end - len(value.encode("utf-8", "surrogatepass")), end, mark)


_QUOTED = {quote: re.compile(rb"[^\x00" + quote + rb"]*") for quote in (b'"', b"'")}
_BARE_START = re.compile(rb"[^\x00\s,;&)}\]\"'<>|]{1,64}")
_BARE = re.compile(rb"[^\x00\s,;&)}\]\"'<>|]+")
_SCHEME_WORD = re.compile(rb"(?i)(?:bearer|basic|digest|token|negotiate)\Z")
_HARMLESS = re.compile(
    rb"(?i)(?:true|false|null|none|nil|undefined|yes|no|on|off|[?*]+|\$[0-9]+|:[a-z_]+|%s|\[?redacted\]?|\[filtered\])\Z"
)
_ASSIGNMENT = re.compile(rb"([A-Za-z_][A-Za-z0-9_.\-]*)((?:\\*[\"'])?)\s*(=>|[:=])\s*")
_OPENER = re.compile(rb"(\\*)([\"'])")
_MARK = re.compile(rb"\{[a-z_]+\}")


def assignment(text: bytes, start: int, end: int) -> Verdict:
    """The value that follows a telling name and `=` or `:`, quoted or not."""
    parts = _ASSIGNMENT.match(text, start, end)
    if parts is None:
        return None
    key, key_quote, sign = parts.groups()
    key = key[-keys.LONGEST_KEY :]
    mark = keys.mark_of(key.decode())
    if mark is None or (sign in b":=" and text[parts.end(3) : parts.end(3) + 1] == sign):
        return None
    opener = _OPENER.match(text, parts.end())
    in_prose = sign == b":" and opener is None and not key_quote
    value_start = opener.end() if opener else parts.end()
    if in_prose and not _looks_given(_BARE_START.match(text, value_start), key):
        return None  # "Missing token: check the header"
    value = (_QUOTED[opener.group(2)] if opener else _BARE).match(text, value_start)
    if value is None:
        return None
    value_end = value.end() - len(opener.group(1)) if opener else value.end()
    found = text[value_start:value_end]
    is_object = opener is None and key_quote and found[:1] in b"{["  # whose own keys are judged
    if not found or is_object or _HARMLESS.match(found) or _SCHEME_WORD.match(found) or _is_mark(text, value_start):
        return None
    return value_start, value_end, mark


def _is_mark(text: bytes, at: int) -> bool:
    found = _MARK.match(text, at)
    return found is not None and found.group().decode() in marks.MARKS


def _looks_given(word: re.Match[bytes] | None, key: bytes) -> bool:
    """Whether a word after a colon in prose is a value and no part of the sentence."""
    if word is None:
        return False
    if keys.is_strong(key.decode()):
        return not word.group().isalpha()
    return _DIGIT_OR_AT.search(word.group()) is not None


_DIGIT_OR_AT = re.compile(rb"[0-9@]")


def labelled_id(text: bytes, start: int, end: int) -> Verdict:
    """A national identity number after its name: `SSN 078-05-1120`."""
    number = re.search(rb"[ :#]+([^ :#][^\x00]*)\Z", text[start:end])
    if number is None or sum(0x30 <= byte <= 0x39 for byte in number.group(1)) < 5:
        return None
    return start + number.start(1), end, marks.NATIONAL_ID


_HEX_OR_UUID = re.compile(rb"[0-9a-f\-]+\Z|[0-9A-F\-]+\Z")


def opaque_run(text: bytes, start: int, end: int) -> Verdict:
    """Base64 that holds text, or a long run that looks drawn; not hex digits, a UUID or a name in camelCase."""
    run = text[start:end]
    if _HEX_OR_UUID.match(run):
        return None
    if _is_encoded_text(run):
        return start, end, marks.VALUE
    at = start
    for part in run.split(b"/"):
        if len(part) >= 16 and (_is_encoded_text(part) or _is_random(part)):
            return at, at + len(part), marks.TOKEN
        at += len(part) + 1
    return None


def _is_encoded_text(run: bytes) -> bool:
    body = run.replace(b"%3D", b"").replace(b"%3d", b"").rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(body) % 4 == 1:
        return False
    try:
        decoded = base64.b64decode(body + b"=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    return all(c.isprintable() or c in "\r\n\t" for c in decoded)


_TRANSITION = re.compile(rb"[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])|[A-Z](?=[a-z])")


def _is_random(run: bytes) -> bool:
    """Whether 24 characters or more look drawn, not written: cases and digits change at every other character."""
    if len(run) < 24 or run.islower() or run.isupper() or sum(0x30 <= byte <= 0x39 for byte in run) < 2:
        return False
    return len(_TRANSITION.findall(run)) >= 0.42 * len(run)
