"""URLs taken apart: who signs in and what is asked for goes, where it is asked stays.

Userinfo is removed. Every value in the query, in fragment parameters and in `;` path parameters is replaced by a mark;
names of parameters stay when they look like names. The path is left to the patterns of `privacy.detect`.
Every expression here is a chain of disjoint character classes, so the standard `re` is linear on it.
"""

import re
from functools import lru_cache

from privacy import keys, marks

_NAME = re.compile(r"[A-Za-z0-9_.\-\[\]$:~!%*]+\Z")
_LONGEST_NAME = 64
_MOST_URLS = 128
"""URLs in one text; a text with more is not examined. Each costs several microseconds."""
_DIGIT_RUN = re.compile(r"[0-9]{5}")
_ENCODED_AT = re.compile(r"@|%(?:25)*40|\uff20")
_ENCODED_QUESTION = re.compile(r"%(?:25)*3[Ff][^/]*")
_PATH_PARAMETER = re.compile(r";([^/;=]*)(?:=([^/;]*))?")
_ANCHOR = re.compile(r"[A-Za-z0-9_.\-/!~:{}]{0,64}\Z")
_OPAQUE = re.compile(r"(?i)(data|mailto|tel|sms|smsto|facetime|skype|whatsapp|sip|sips|javascript|geo):(?!//)")
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-:]*:)?[/\\]{2}")
_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::[0-9]{0,5})?\Z")

_LOCAL = re.compile(r"(?!(?i:https?|wss?):)[A-Za-z][A-Za-z0-9+.\-]*:")
_HOME = re.compile(r"([/\\](?:home|Users)[/\\])[^/\\]+")
"""On the device itself a home directory bears its owner's name; on a site /home/deals is a page."""

_PLAIN = re.compile(r"(?:https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?=[/?#]|\Z)|(?=/(?!/)))[^?#;%\\]*(?=[?#]|\Z)")
"""The part before query and fragment when nothing in it needs a look: the ordinary case, told in one step."""
_TOKEN = re.compile(r"[^\s\"'<>`]+")

_OPAQUE_MARKS = {
    "mailto": marks.EMAIL,
    "tel": marks.PHONE,
    "sms": marks.PHONE,
    "smsto": marks.PHONE,
    "facetime": marks.PHONE,
    "geo": marks.GEO,
}


def strip_url(text: str) -> str:
    """A URL, absolute or relative, or a path, without userinfo and without any parameter's value.

    `https://jane:pw@shop.example/a?q=shoes&page=2#id_token=ey…` →
    `https://shop.example/a?q={value}&page={value}#id_token={token}`.
    """
    plain = _PLAIN.match(text)
    if plain is None:
        head, hash_sign, fragment = text.partition("#")
        head, question, query = head.partition("?")
        head = _strip_head(head)
    elif plain.end() == len(text):
        return text
    else:
        head = plain.group()
        query, hash_sign, fragment = text[plain.end() :].partition("#")
        question, query = query[:1], query[1:]
    if question:
        head += "?" + strip_query(query)
    if hash_sign:
        head += "#" + _strip_fragment(fragment)
    return head


def strip_embedded(text: str) -> str:
    """A text in which every URL, absolute or from its `/` on, is stripped as by `strip_url`."""
    if "://" not in text and ("?" not in text or "/" not in text):
        return text
    if text.count("://") > _MOST_URLS or text.count("?") > _MOST_URLS:
        return marks.UNEXAMINED
    return _TOKEN.sub(_strip_token, text)


def _strip_token(found: re.Match[str]) -> str:
    token = found.group()
    colon = token.find("://")
    begin = colon + 1 if colon >= 0 else len(token) - len(token.lstrip("([,;"))
    if token[begin : begin + 1] != "/":
        return token
    url = token[begin:].rstrip(".,;:!)]")
    return token[:begin] + strip_url(url) + token[begin + len(url) :]


def strip_query(query: str) -> str:
    """`a=1&b=2` → `a={value}&b={value}`. A parameter without `=` is taken for a value."""
    return "&".join([_strip_parameter(parameter) for parameter in query.split("&")])


def mark_value(name: str, value: str) -> str:
    """The mark for a parameter's value: by its shape, else by the parameter's name. Empty values and marks stay."""
    if not value or value in marks.MARKS:
        return value
    if not value.isalnum() and _ENCODED_AT.search(value):
        return marks.EMAIL
    if value.startswith("eyJ"):
        return marks.TOKEN
    return _judge_name(name[-_LONGEST_NAME:])[1]


def _strip_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return mark_value("", name)
    if len(name) > _LONGEST_NAME:
        return f"{marks.KEY}={mark_value('', value)}"
    stripped_name, mark = _judge_name(name)
    return f"{stripped_name}={mark if value.isdigit() else mark_value(name, value)}"


@lru_cache(maxsize=4096)
def _judge_name(name: str) -> tuple[str, str]:
    return _strip_name(name), keys.mark_of(name) or marks.VALUE


def _strip_name(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        return marks.KEY
    if not name or name in marks.MARKS:
        return name
    looks_like_a_name = _NAME.match(name) and not _DIGIT_RUN.search(name) and not _ENCODED_AT.search(name)
    return name if looks_like_a_name else marks.KEY


def _strip_fragment(fragment: str) -> str:
    route, question, query = fragment.partition("?")
    if question:
        return f"{_strip_fragment(route)}?{strip_query(query)}"
    if fragment.startswith(("/", "!/")):
        return _strip_head(fragment)
    if "=" in fragment or "&" in fragment:
        return strip_query(fragment)
    return fragment if _ANCHOR.match(fragment) else mark_value("", fragment)


def _strip_head(head: str) -> str:
    opaque = _OPAQUE.match(head)
    if opaque:
        scheme = opaque.group(1)
        rest = head[opaque.end() :]
        return f"{scheme}:{_OPAQUE_MARKS.get(scheme.lower(), marks.VALUE)}" if rest else head
    if "//" in head or "\\" in head:
        head = _strip_authority(head)
        if _LOCAL.match(head):
            head = _HOME.sub(_mark_home, head)
    if "%" in head:
        head = _ENCODED_QUESTION.sub("%3F" + marks.VALUE, head)
    if ";" in head:
        head = _PATH_PARAMETER.sub(_mark_path_parameter, head)
    return head


def _strip_authority(head: str) -> str:
    start = _AUTHORITY.match(head)
    if not start:
        return head
    begin = start.end()
    end = min((at for at in (head.find("/", begin), head.find("\\", begin)) if at >= 0), default=len(head))
    authority = head[begin:end].rpartition("@")[2]
    if not _PORT.match(authority):
        # A `:` that no port follows: credentials whose password holds a delimiter, cut off before their `@`.
        authority = marks.VALUE
    return head[:begin] + authority + head[end:]


def _mark_home(found: re.Match[str]) -> str:
    return found.group(1) + marks.USER


def _mark_path_parameter(found: re.Match[str]) -> str:
    name, value = found.group(1), found.group(2)
    if value is None:
        return f";{mark_value('', name)}"
    return f";{_strip_name(name)}={mark_value(name, value)}"
