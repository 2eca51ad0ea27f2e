"""URLs taken apart: who signs in goes, and every value whose name tells that it is somebody's; the rest stays.

Parameters of the query, of the fragment and of `;` are judged with their names; URLs inside parameters likewise. What
values hold under names that say nothing is left to the patterns of `privacy.detect` and to `privacy.encodings`.
Every expression here is a chain of disjoint character classes, so the standard `re` is linear on it.
"""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from privacy import keys, marks
from privacy.keys import Judge
from privacy.policy import Replace, mark_only

_LONGEST_CACHED = 1024
"""Characters of a query whose names are remembered."""
_MOST_URLS = 128
"""URLs in one text; a text with more is not examined. Each costs several microseconds."""
_MOST_PARAMETERS = 256
"""Parameters in one text; a text with more is not examined. A new name costs some twenty microseconds."""
_NESTING = 3
"""URLs in parameters of URLs that are taken apart; deeper ones are left to the patterns."""
_ENCODINGS = 4
_PATH_PARAMETER = re.compile(r";([^/;=&]*)=([^/;&]*)")
_SEGMENT = re.compile(r"(?<=/)([^/;=]+)=([^/;]+)")
_OPAQUE = re.compile(
    r"(?i)(data|mailto|tel|sms|smsto|facetime|facetime-audio|callto|skype|whatsapp|javascript|geo):(?!//)"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-:]*:)?[/\\]{2}")
_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::[0-9]{0,5})?\Z")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+\-]+/[A-Za-z0-9.+\-]+(?:;[A-Za-z0-9=\-]+)*,?")

_LOCAL = re.compile(r"(?!(?i:https?|wss?):)[A-Za-z][A-Za-z0-9+.\-]*:")
_HOME = re.compile(r"([/\\](?:home|Users|Documents and Settings|Documents%20and%20Settings)[/\\])([^/\\]+)")
"""On the device itself a home directory bears its owner's name; on a site /home/deals is a page."""

PLAIN = re.compile(r"(?:https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?=[/?#]|\Z)|(?=/(?!/)))[^?#;=\\]*(?=[?#]|\Z)")
"""The part before query and fragment when nothing in it needs a look: the ordinary case, told in one step."""
_TOKEN = re.compile(r"[^\s\"'<>`]+")
_NAMES = re.compile(r"([^=&]*)=[^&]*")

_OPAQUE_MARKS = {
    "mailto": marks.EMAIL,
    "tel": marks.PHONE,
    "sms": marks.PHONE,
    "smsto": marks.PHONE,
    "callto": marks.PHONE,
    "facetime": marks.PHONE,
    "facetime-audio": marks.PHONE,
    "geo": marks.GEO,
    "skype": marks.USER,
}
_EXPIRES = frozenset({"exp", "expires", "expire", "expiry", "ex"})
_DIGESTS = frozenset({"hash", "h", "hmac", "hm", "digest"})
_GRANTED = frozenset({"code", "state"})
"""What a sign-in comes back with: together they are a grant whatever they look like (RFC 6749, 4.1.2)."""


def strip_url(text: str, replace: Replace = mark_only, judge: Judge = keys.judge, nesting: int = 0) -> str:
    """A URL, absolute or relative, or a path, without userinfo and without the values whose names tell.

    `https://jane:pw@shop.example/a?q=shoes&email=x#id_token=ey…` →
    `https://{userinfo}@shop.example/a?q=shoes&email={email}#id_token={token}`.
    """
    if text.count("&") > _MOST_PARAMETERS:
        return marks.UNEXAMINED
    plain = PLAIN.match(text)
    if plain is None:
        head, hash_sign, fragment = text.partition("#")
        head, question, query = head.partition("?")
        head = _strip_head(head, replace, judge)
    elif plain.end() == len(text):
        return text
    else:
        head = plain.group()
        query, hash_sign, fragment = text[plain.end() :].partition("#")
        question, query = query[:1], query[1:]
    if question:
        head += "?" + strip_query(query, replace, judge, nesting)
    if hash_sign:
        head += "#" + _strip_fragment(fragment, replace, judge, nesting)
    return head


def strip_embedded(text: str, replace: Replace = mark_only, judge: Judge = keys.judge) -> str:
    """A text in which every URL, absolute or from its `/` on, is stripped as by `strip_url`."""
    if "://" not in text and ("?" not in text or "/" not in text):
        return text
    if text.count("://") > _MOST_URLS or text.count("?") > _MOST_URLS or text.count("&") > _MOST_PARAMETERS:
        return marks.UNEXAMINED
    return _TOKEN.sub(lambda found: _strip_token(found.group(), replace, judge), text)


def _strip_token(token: str, replace: Replace, judge: Judge) -> str:
    colon = token.find("://")
    begin = len(token) - len(token.lstrip("([,;")) if colon < 0 else colon
    while colon > 0 and begin and (token[begin - 1].isalnum() or token[begin - 1] in "+.-:"):
        begin -= 1
    if colon < 0 and token[begin : begin + 1] != "/":
        return token
    url = token[begin:].rstrip(".,;:!)]")
    return token[:begin] + strip_url(url, replace, judge) + token[begin + len(url) :]


def strip_query(query: str, replace: Replace = mark_only, judge: Judge = keys.judge, nesting: int = 0) -> str:
    """`q=shoes&email=x` → `q=shoes&email={email}`."""
    if query.count("&") > _MOST_PARAMETERS:
        return marks.UNEXAMINED
    if "?" in query:  # of a URL in a parameter, or a slip
        if query.count("?") > _MOST_URLS:
            return marks.UNEXAMINED
        return "?".join([strip_query(part, replace, judge, nesting) for part in query.split("?")])
    if ";" in query:
        query = _strip_parameters(query, replace, judge)
    names = tuple(_NAMES.findall(query)) if len(query) < _LONGEST_CACHED else ()
    nested = "://" in query
    if names and judge is keys.judge and not nested and not _any_may_tell(names):
        return query
    parts = query.split("&")
    changed = False
    for at, parameter in enumerate(parts):
        name, _, value = parameter.partition("=")
        if not value or (judge is keys.judge and not nested and _is_harmless(name, value)):
            continue
        stripped = _strip_value(name, value, replace, judge, nesting)
        if stripped != value:
            parts[at] = f"{name}={stripped}"
            changed = True
    if "code=" in query and "state=" in query:
        changed = _strip_grant(parts, replace) or changed
    if "ex" in query:
        changed = _strip_signed(parts, replace) or changed
    return "&".join(parts) if changed else query


@lru_cache(maxsize=8192)
def _any_may_tell(names: tuple[str, ...]) -> bool:
    """The same few tuples come again and again: an endpoint is asked with the same names."""
    given = {name.lower() for name in names}
    return (
        any(map(keys.may_tell, names))
        or given >= _GRANTED
        or not (given.isdisjoint(_EXPIRES) or given.isdisjoint(_DIGESTS))
    )


def _is_harmless(name: str, value: str) -> bool:
    """Whether a parameter needs no look: the name tells nothing, or is an everyday word and the value one as well."""
    if not keys.may_tell(name):
        return True
    return value.isalpha() and value.islower() and keys.mark_of(name) is None


def _holds_url(value: str) -> bool:
    return "://" in value


def _strip_value(name: str, value: str, replace: Replace, judge: Judge, nesting: int) -> str:
    if marks.is_mark(value):
        return value
    decoded = _decoded(value)
    mark = judge(name, decoded)
    if mark is not None:
        return value if marks.is_mark(decoded) else replace(mark, decoded)
    if nesting < _NESTING and _holds_url(value):
        return strip_url(value, replace, judge, nesting + 1)
    return value


def _decoded(value: str) -> str:
    for _ in range(_ENCODINGS):
        if "%" not in value and "+" not in value:
            break
        value = value.replace("+", " ", 1) if value == "+" else _unquoted(value)
    return value


def _unquoted(value: str) -> str:
    return value if value.startswith("+") and "%" not in value else unquote_plus(value)


def _strip_grant(parts: list[str], replace: Replace) -> bool:
    """Takes `code` and `state` when one of them looks drawn; `?state=open&code=SPRING25` is a filter and a voucher."""
    values = dict(part.partition("=")[::2] for part in parts)
    code, state = values.get("code", ""), values.get("state", "")
    if len(code) < 16 and not (len(state) >= 8 and any(map(str.isdigit, state))):
        return False
    changed = False
    for at, parameter in enumerate(parts):
        name, _, value = parameter.partition("=")
        if name in _GRANTED and len(value) >= 6 and not marks.is_mark(value):
            parts[at] = f"{name}={replace(marks.TOKEN, _decoded(value))}"
            changed = True
    return changed


def _strip_signed(parts: list[str], replace: Replace) -> bool:
    """Takes a digest that stands beside a time of expiry: together they sign the URL."""
    names = [part.partition("=")[0].lower() for part in parts]
    if _EXPIRES.isdisjoint(names):
        return False
    changed = False
    for at, name in enumerate(names):
        value = parts[at].partition("=")[2]
        if name in _DIGESTS and len(value) >= 16 and value.isalnum():
            parts[at] = f"{parts[at][: len(name)]}={replace(marks.TOKEN, value)}"
            changed = True
    return changed


def _strip_fragment(fragment: str, replace: Replace, judge: Judge, nesting: int) -> str:
    route, question, query = fragment.partition("?")
    if question:
        return f"{_strip_fragment(route, replace, judge, nesting)}?{strip_query(query, replace, judge, nesting)}"
    if fragment.startswith(("/", "!/")):
        return _strip_head(fragment, replace, judge)
    if fragment.startswith("Intent;"):
        return _strip_parameters(fragment, replace, judge)
    return strip_query(fragment, replace, judge, nesting)


def _strip_head(head: str, replace: Replace, judge: Judge) -> str:
    opaque = _OPAQUE.match(head)
    if opaque:
        return _strip_opaque(opaque.group(1), head[opaque.end() :], replace)
    if "//" in head or "\\" in head:
        head = _strip_authority(head, replace)
        if _LOCAL.match(head):
            head = _HOME.sub(lambda found: found.group(1) + _put(marks.USER, found.group(2), replace), head)
    if "=" not in head:
        return head
    head = _strip_parameters(head, replace, judge)
    return _SEGMENT.sub(lambda found: _strip_segment(found, replace, judge), head)


def _strip_segment(found: re.Match[str], replace: Replace, judge: Judge) -> str:
    name, value = found.group(1), found.group(2)
    return f"{name}={_strip_value(name, value, replace, judge, _NESTING)}"


def _put(mark: str, original: str, replace: Replace) -> str:
    return original if marks.is_mark(original) else replace(mark, original)


def _strip_opaque(scheme: str, rest: str, replace: Replace) -> str:
    mark = _OPAQUE_MARKS.get(scheme.lower(), marks.VALUE)
    kept = ""
    if scheme.lower() == "data":
        media_type = _MEDIA_TYPE.match(rest)
        kept = media_type.group() if media_type else ""
    rest = rest[len(kept) :]
    return f"{scheme}:{kept}{_put(mark, rest, replace)}" if rest else f"{scheme}:{kept}"


def _strip_authority(head: str, replace: Replace) -> str:
    start = _AUTHORITY.match(head)
    if not start:
        return head
    begin = start.end()
    end = min((at for at in (head.find("/", begin), head.find("\\", begin)) if at >= 0), default=len(head))
    userinfo, at_sign, authority = head[begin:end].rpartition("@")
    if not at_sign and ";" in authority:  # jdbc:sqlserver://db:1433;databaseName=shop
        end = head.find(";", begin)
        authority = head[begin:end]
    if at_sign:
        userinfo = _put(marks.USERINFO, userinfo, replace) if userinfo else ""
    if not _PORT.match(authority) and not marks.is_mark(authority):
        # A `:` that no port follows: credentials whose password holds a delimiter, cut off before their `@`.
        authority = replace(marks.USERINFO, authority)
    return head[:begin] + userinfo + at_sign + authority + head[end:]


def _strip_parameters(head: str, replace: Replace, judge: Judge) -> str:
    """`/a;jsessionid=12AB` → `/a;jsessionid={session}`."""

    def strip(found: re.Match[str]) -> str:
        name, value = found.group(1), found.group(2)
        name_said = name.removeprefix("S.")  # an extra of an Android intent
        return f";{name}={_strip_value(name_said, value, replace, judge, _NESTING)}" if value else found.group()

    return _PATH_PARAMETER.sub(strip, head)
