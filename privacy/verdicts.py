"""Exact tests on what the patterns of `privacy.detect` found: what of it is personal data, if any.

Each takes (all texts joined, start, end of the find) and gives what to replace and by which mark, or None when it only
looked like personal data. It may look at what stands before and behind; texts are apart by NUL, which no text holds.
None of them reads further than the find, a few words around it and the value it announces, so that a text costs time
linear in its length. Here: credentials, addresses, homes; the other modules named `verdicts_` hold the others.
"""

import re
from collections.abc import Callable

from privacy import api_keys, encodings, marks
from privacy.vocabulary import words_of

SEPARATOR = b"\0"

Verdict = tuple[int, int, str] | None
"""Start and end of what to replace, and its mark."""
Resolve = Callable[[bytes, int, int], Verdict]


def always(mark: str) -> Resolve:
    """Takes every find for what it looks like."""

    def resolve(text: bytes, start: int, end: int) -> Verdict:
        return start, end, mark

    return resolve


def is_word_byte(text: bytes, at: int) -> bool:
    """Whether an ASCII letter or digit stands there: in Chinese, an address has no space before it."""
    return text[at : at + 1].isalnum()


def stands_alone(text: bytes, start: int, end: int) -> bool:
    """Whether neither neighbour is an ASCII letter or digit."""
    return not is_word_byte(text, start - 1) and not is_word_byte(text, end)


def before(text: bytes, start: int, most: int) -> str:
    """Up to `most` bytes of the same text before a place, as Latin-1."""
    line_start = max(text.rfind(SEPARATOR, max(0, start - most), start) + 1, start - most, 0)
    return text[line_start:start].decode("latin-1")


_SEPARATORS = re.compile(r"[_.\-/]+")
_PIECE = re.compile(r"[A-Za-z]*+[0-9]{0,3}+\Z|v?[0-9]++\Z|[0-9]{1,3}[A-Za-z]++\Z")


def is_wordlike(value: str) -> bool:
    """Whether a value is made of words and small numbers: `order-items-v2`, `2024_01_15`, `page3`."""
    return all(map(_PIECE.match, _SEPARATORS.split(value)))


def private_key(text: bytes, start: int, end: int) -> Verdict:
    """A PEM block; without its last line, all that follows."""
    return start, end - (text[end - 1 : end] == SEPARATOR), marks.TOKEN


def jwt(text: bytes, start: int, end: int) -> Verdict:
    """A JSON Web Token: JSON in base64, a dot, and what it signs. `eyJhbGci.test` at the end of a sentence is none."""
    while text[end - 1 : end] == b".":
        end -= 1
    if is_word_byte(text, start - 1) or text.find(b".", start, end) < 0:
        return None
    return start, end, marks.TOKEN


def api_key(text: bytes, start: int, end: int) -> Verdict:
    """A key whose form names its service, or the secret end of a webhook's address."""
    found = api_keys.match(text, start)
    return None if found is None else (*found, marks.TOKEN)


_CODE_FILE = re.compile(
    r"(?i)(?:[0-9.]+x)?\.?(?:[\w\-]+\.)*(?:m?js|cjs|jsx|tsx?|vue|bundle|jsbundle|html?|php|css|scss|map|png|jpe?g|"
    r"gif|webp|svg|"
    r"avif|ico|json|xml|yml|yaml|service|socket|timer|mount|target|local\.?js|dart|swift|kt|java|rb|cpp|hpp)\Z"
)
_VERSION_LIKE = re.compile(r"v?[0-9]+\.[0-9]")
_LANGUAGE_LABELS = frozenset({"this", "super", "return", "break", "continue", "git"})
_CAMEL_CASE = re.compile(r"[a-z][A-Z]")


def email(text: bytes, start: int, end: int) -> Verdict:
    """An e-mail address; no file's scale, package's version, stack frame (`load@app.js`) or label of Kotlin's."""
    local, _, domain = text[start:end].decode("latin-1").replace("\xef\xbc\xa0", "@").rpartition("@")
    if local.endswith("@") and domain.startswith(("session.", "global.")):
        return None  # @@session.sql_mode
    if _CODE_FILE.match(domain) or _VERSION_LIKE.match(domain) or local in _LANGUAGE_LABELS:
        return None
    if _CAMEL_CASE.search(domain.rpartition(".")[2]) and text[end : end + 1] in {b"(", b":", b"$"}:
        return None
    return start, end, marks.EMAIL


_MAIL_BEFORE = re.compile(r"(?i)(?:mail|address|adresse?|recipient|correo|courriel|empf\xc3\xa4nger)[^@]{0,24}\Z")


_MAIL_BEHIND = re.compile(rb"(?i)[\"'][^@\x00]{0,20}mail")


def mistyped_email(text: bytes, start: int, end: int) -> Verdict:
    """An address with a comma or two dots for its last dot, where one is spoken of: `invalid e-mail jane@firma,de`."""
    spoken_of = _MAIL_BEFORE.search(before(text, start, 40)) or _MAIL_BEHIND.match(text, end)
    quoted = text[end : end + 1] in {b"'", b'"'} and text[start - 1 : start] == text[end : end + 1]
    if email(text, start, end) is None or not (spoken_of or quoted):
        return None
    return start, end, marks.EMAIL


def bearer(text: bytes, start: int, end: int) -> Verdict:
    """What follows the name of an authentication scheme, unless it is a word of the sentence."""
    scheme, _, value = text[start:end].decode("latin-1").replace("%20", " ").partition(" ")
    value = value.lstrip().rstrip(".")
    is_a_word = value.isalpha() and (value.islower() or value.istitle() or value.isupper())
    if is_a_word and not (scheme.lower() == "bearer" and len(value) >= 20):
        return None  # "basic authentication"
    if scheme.lower() in {"token", "basic", "digest"} and is_wordlike(value.rstrip(".=")):
        return None  # "token refresh-failed", "Basic auth/login"
    if not value or "=" in value.rstrip("="):
        return None  # Bearer realm="api"
    return end - len(text[start:end].decode("latin-1").replace("%20", " ").partition(" ")[2].lstrip()), end, marks.TOKEN


_AUTHORIZED = re.compile(rb"[:=]\s*[\"']?[A-Za-z][A-Za-z0-9\-]*\s+(\S+)\Z")


def authorization(text: bytes, start: int, end: int) -> Verdict:
    """What follows the scheme in `Authorization: Basic YTpi`, however short."""
    value = _AUTHORIZED.search(text, start, end)
    if value is None or (value.group(1).isalpha() and value.group(1).islower()) or b"=" in value.group(1).rstrip(b"="):
        return None
    if value.group(1)[:1] in b"${<":
        return None  # Bearer ${token}
    return value.start(1), value.end(1), marks.TOKEN


_RESPONSE = re.compile(rb"(?i)[0-9a-f]+\Z")


def digest_response(text: bytes, start: int, end: int) -> Verdict:
    """The answer to a challenge of Digest authentication."""
    response = _RESPONSE.search(text[start:end])
    return None if response is None else (start + response.start(), end, marks.TOKEN)


_METHOD_BEFORE = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \Z")
_SHARED_HOMES = words_of(
    "shared public default guest runner root app node ubuntu user users circleci travis jenkins vagrant "
    "vscode ec2-user admin git www-data deploy runneradmin containeradministrator containeruser me you "
    "username build builder ci deals products product feed index dashboard search settings account profile "
    "tab tabs explore news offers home page list edit new create view details delete banner section sections "
    "slider featured categories category store shop"
) | {"all users", "default user"}
_HOME = re.compile(
    rb"(?i)(?:[a-z]:|(?:/[a-z0-9_.\-]+){0,3})?[\\/]*(?:home|users|documents and settings|"
    rb"documents%20and%20settings|mail)[\\/]+"
)


def user_path(text: bytes, start: int, end: int) -> Verdict:
    """The name in the path of a home directory, unless it belongs to nobody (`Shared`, `runner`)."""
    folder = _HOME.match(text, start, end)
    rooted = text[start : start + 1] == b"/"
    on_page = rooted and (is_word_byte(text, start - 1) or text[start - 1 : start] in {b".", b"}"})
    if folder is None or on_page:
        return None  # a page of a site, https://shop.example/home/deals
    ends_path = text[end : end + 1] not in {b"/", b"\\"}
    if rooted and ends_path and text[start - 1 : start] == SEPARATOR and text[start + 1 : start + 4] != b"var":
        return None  # /home/deals: a page; what is deeper is a file
    if _METHOD_BEFORE.search(before(text, start, 8)):
        return None  # GET /home/deals
    if ends_path:  # the last part of a path ends at a space
        space = text.find(b" ", folder.end(), end)
        end = end if space < 0 else space
    name = text[folder.end() : end].decode("utf-8", "replace")
    if not name or name.lower() in _SHARED_HOMES or name.startswith(("{", "$", "%", ":", "[")) or name.isdigit():
        return None
    return folder.end(), end, marks.USER


GRANTS = (
    r"reset|invite|invites|invitation|invitations|verify|verification|confirm|confirmation|activate|activation|magic|"
    r"unsubscribe|token|tokens|auth|password|recover|recovery|otp|sso|onetime|accept|join|share|s3cret|secret"
)
"""Path segments after which a segment that looks drawn opens something."""
_DRAWN = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_\-.~]{8,}\Z")
_ONCE = re.compile(rb"(?i)/(?:reset|activat|verif|confirm|magic|unsubscribe|recover|password)")
"""Behind these a UUID is good for one use; elsewhere it names a thing."""
_UUID = re.compile(rb"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
_ONCE = re.compile(rb"(?i)/(?:reset|activat|verif|confirm|magic|unsubscribe|recover|password)")
"""Behind these a UUID is good for one use; elsewhere it names a thing."""


def grant(text: bytes, start: int, end: int) -> Verdict:
    """The drawn segment behind `/reset/`, `/invite/` and the like: whoever has it gets in."""
    value_start = text.rfind(b"/", start, end) + 1
    value = text[value_start:end]
    if not _DRAWN.match(value) or is_wordlike(value.decode()) or (_UUID.match(value) and not _ONCE.match(text, start)):
        return None
    return value_start, end, marks.TOKEN


_HEX_OR_UUID = re.compile(rb"[0-9a-f\-]+\Z|[0-9A-F\-]+\Z")
_FILE_BEHIND = re.compile(
    rb"(?i)(?:\.[\w\-]+){0,4}?\.(?:m?js|css|map|woff2?|ttf|otf|eot|png|jpe?g|gif|webp|avif|svg|ico|mp[34]|webm|m4s|"
    rb"ts|m3u8|json|wasm|"
    rb"html?|xml|pdf|zip|gz|br|txt|bin|bundle|apk|ipa|aab|dex|so|dylib|framework|pdb|dsym)\b"
)
_DIGEST = re.compile(rb"(?i)(?:sha(?:1|224|256|384|512)|md5)[\-_]")
_DIGEST_BEFORE = re.compile(
    r"(?i)(?:sha(?:1|256|384|512)|md5|blake[23]b?|h1|integrity|etag|checksum|hash|digest)[\-:=\s\"]{1,4}\Z"
)


def opaque_run(text: bytes, start: int, end: int) -> Verdict:
    """A long run that looks drawn; not hex digits, a UUID, a name in camelCase, a checksum or the name of a file."""
    run = text[start:end].rstrip(b"=")
    if run.islower() or run.isupper() or _DIGEST.match(run):
        return None
    if _HEX_OR_UUID.match(run) or _DIGEST_BEFORE.search(before(text, start, 16)) or _FILE_BEHIND.match(text, end):
        return None
    if "/data/app/" in before(text, start, 160):
        return None  # where Android installs an app: drawn by the device for the app, the same for everybody in a crash
    at = start
    for part in run.split(b"/"):
        if is_random(part, 20 if text[at - 1 : at] == b"=" else 24):
            return at, at + len(part), marks.TOKEN
        at += len(part) + 1
    return None


_MIXED = re.compile(rb"[A-Z][a-z]{0,2}[A-Z0-9][A-Za-z0-9+/_\-]{8}")
_TRANSITION = re.compile(rb"[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])|[A-Z](?=[a-z])")


def is_random(run: bytes, least: int = 24) -> bool:
    """Whether so many characters or more look drawn, not written: cases and digits change at every other character."""
    if len(run) < least or run.islower() or run.isupper():
        return False
    if len(run) - len(run.translate(None, b"0123456789")) < 2:
        return False
    if not _MIXED.search(run):  # without this sign, no gate opens
        return False
    return len(_TRANSITION.findall(run)) >= 0.42 * len(run) and encodings.decode_base64(run) is None
