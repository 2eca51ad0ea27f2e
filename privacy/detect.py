"""Patterns of personal data.

All expressions run in RE2 (linear time) over bytes: many texts in UTF-8, with NUL between them. No expression
matches across a separator, so what is found in a text does not depend on its neighbours. Encoded forms (`%40`, `%2540`,
`&#64;`, `\\u0040`) are alternatives inside the expressions: found and replaced where they stand.
"""

from typing import Any, NamedTuple

import re2

from privacy import keys, marks, verdicts


class Rule(NamedTuple):
    """A pattern and the test on what it finds."""

    name: str
    pattern: Any
    resolve: verdicts.Resolve


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(pattern.encode("latin-1"), options)


_AT = verdicts.AT
_DOT = r"(?:\.|%(?:25)*2[Ee])"
_COLON = r"(?::|%(?:25)*3[Aa])"
_GAP = r"(?:[ +.\-]|%(?:25)*2[0BbDd])"
_ENCODED_LETTER = r"%(?:25)*(?:[46][1-9A-Fa-f]|[57][0-9Aa]|3[0-9]|5[Ff]|2[1457BbDdEe]|7[Ee]|[89A-Fa-f][0-9A-Fa-f])"
_LABEL = r"(?:[A-Za-z0-9\-\x80-\xff]|%(?:25)*[89A-Fa-fA-F][0-9A-Fa-f])+"
_EMAIL = (
    rf"(?:[A-Za-z0-9._+\-~!$*^\x80-\xff]|{_ENCODED_LETTER})+{_AT}"
    rf"{_LABEL}(?:{_DOT}{_LABEL})*{_DOT}(?:[A-Za-z]{{2,24}}|[Xx][Nn]--[A-Za-z0-9\-]+|[\x80-\xff]{{2,}})"
)
_SECRETS = (
    r"A(?:KIA|SIA|ROA|GPA|NPA|IDA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_\-.]{10,}|"
    r"GOCSPX-[A-Za-z0-9_\-]{10,}|"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|gl(?:pat|ptt|dt|rt|soat|ft)-[A-Za-z0-9_\-]{12,}|"
    r"xox[a-z]-[A-Za-z0-9\-]{8,}|xapp-[A-Za-z0-9\-]{8,}|hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]+|"
    r"(?:sk|pk|rk|whsec|mk)_(?:(?:live|test)_)?[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_\-]{16,}|"
    r"SG\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}|key-[0-9a-f]{32}|"
    r"npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_\-]{16,}|dapi[0-9a-f]{28,}|hvs\.[A-Za-z0-9_\-]{16,}|dop_v1_[0-9a-f]{32,}|"
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{16,}|sq0[a-z]{3}-[A-Za-z0-9_\-]{16,}|EAA[A-Za-z0-9]{24,}|"
    r"(?:AC|SK)[0-9a-f]{32}|"
    r"PMAK-[A-Za-z0-9\-]{20,}|hf_[A-Za-z0-9]{20,}|nvapi-[A-Za-z0-9_\-]{20,}|sntry[su]_[A-Za-z0-9_=+/\-]{20,}|"
    r"lin_api_[A-Za-z0-9]{20,}|[A-Za-z0-9_\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}|[0-9]{8,10}:AA[A-Za-z0-9_\-]{33}"
)
_USER_AGENT = (
    r"(?:Mozilla|Dalvik|Opera)/[0-9][0-9.]*"
    r"(?:\s*(?:\([^()\x00]*(?:\([^()\x00]*\)[^()\x00]*)*\)?"
    r"|[A-Za-z][A-Za-z0-9_.\-]*/[A-Za-z0-9_.+\-]+|like Gecko|Mobile\b))*"
    r"|[A-Za-z0-9_.%\-]+/[0-9A-Za-z.]+ CFNetwork/[0-9.]+ Darwin/[0-9.]+"
)
_BASE64 = r"[A-Za-z0-9+/_\-]{16,}(?:=|%3[Dd]){0,2}"
_NATIONAL_LABELS = "|".join(keys.LABELS)


RULES = (
    Rule("parameter", _compile(r"[?&#][A-Za-z_][A-Za-z0-9_.\-\[\]%$:~]*=[^\s&#\"'<>\x00]+"), verdicts.parameter),
    Rule("user_agent", _compile(_USER_AGENT), verdicts.always(marks.USER_AGENT)),
    Rule(
        "private_key",
        _compile(r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^\x00]*?(?:-----END [A-Z0-9 ]{1,40}-----|\x00|\z)"),
        verdicts.private_key,
    ),
    Rule(
        "jwt",
        _compile(r"(?:eyJ|eyA|ewo|ewA)[A-Za-z0-9_\-+/]{6,}(?:=|%3[Dd])*(?:\.[A-Za-z0-9_\-]*){0,4}"),
        verdicts.jwt,
    ),
    Rule(
        "bearer",
        _compile(r"(?i)\b(?:bearer|basic|digest|token|apikey)(?:\s|%20)+[A-Za-z0-9._~+/=\-]{8,}"),
        verdicts.bearer,
    ),
    Rule("api_key", _compile(rf"\b(?:{_SECRETS})"), verdicts.always(marks.TOKEN)),
    Rule("email", _compile(_EMAIL), verdicts.email),
    Rule(
        "assignment", _compile(r"[A-Za-z_][A-Za-z0-9_.\-]*(?:\\*[\"'])?\s{0,4}(?:=>|[:=])\s{0,4}"), verdicts.assignment
    ),
    Rule(
        "labelled_id",
        _compile(rf"(?i)\b(?:{_NATIONAL_LABELS})[ :#]+(?:[ \-./]?[a-z]{{0,3}}[0-9][0-9a-z]*)+"),
        verdicts.labelled_id,
    ),
    Rule("iban", _compile(r"[A-Z]{2}[0-9]{2}(?:(?:[ +]|%20)?[A-Z0-9]){11,30}"), verdicts.iban),
    Rule("card", _compile(rf"[0-9](?:{_GAP}?[0-9]){{11,18}}"), verdicts.card),
    Rule(
        "phone",
        _compile(
            r"(?:\+|%(?:25)*2[Bb])[0-9](?:(?:[ \-.()]|%(?:25)*2[089DdEe])*[0-9]){7,14}"
            r"|\([0-9]{3}\) ?[0-9]{3}[\-. ][0-9]{4}|[0-9]{3}-[0-9]{3}-[0-9]{4}"
        ),
        verdicts.phone,
    ),
    Rule("ssn", _compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"), verdicts.ssn),
    Rule(
        "mac",
        _compile(
            rf"(?:[0-9A-Fa-f]{{2}}(?:{_COLON}|-)){{5}}[0-9A-Fa-f]{{2}}|(?:[0-9A-Fa-f]{{4}}\.){{2}}[0-9A-Fa-f]{{4}}"
        ),
        verdicts.mac,
    ),
    Rule("ipv6", _compile(rf"(?:[0-9A-Fa-f]*{_COLON}){{2,}}[0-9A-Fa-f]*(?:\.[0-9]+)*"), verdicts.ipv6),
    Rule("ipv4", _compile(rf"[0-9]+(?:{_DOT}[0-9]+){{3,}}"), verdicts.ipv4),
    Rule("dashed_ip", _compile(r"(?:\bip-)?[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}"), verdicts.dashed_ipv4),
    Rule(
        "user_path",
        _compile(r"(?:/(?:home|Users)/|(?:\\+|:/)(?i:Users|Documents and Settings)[\\/]+)[^/\\\x00\n\"':<>|?*,;]+"),
        verdicts.user_path,
    ),
    Rule("opaque", _compile(_BASE64), verdicts.opaque_run),
)
"""In order of precedence: where two finds overlap, the earlier rule's stands."""

_STEMS = "|".join(keys.STEMS)
_SIGNS = (
    _AT,
    r"=[^{=\x00\s&]|[\"']\s*[:=]",
    r"ey[JA]|ew[oA]",
    r"(?:Mozilla|Dalvik|Opera|CFNetwork)/[0-9]",
    r"PRIVATE KEY-----",
    r"/home/|/Users/|\\(?i:Users)\\|Documents and Settings|:/(?i:users)/",
)
_NAMES = (
    rf"(?i:{_STEMS})[A-Za-z0-9_.\-]*\s{{0,4}}(?::\s{{0,4}}[^\s\x00]|=)",
    rf"\b(?i:{_NATIONAL_LABELS})[ :#]+[A-Za-z]{{0,3}}[0-9]",
    r"(?i:bearer|basic|digest|token|apikey)(?:\s|%20)+[A-Za-z0-9._~+/=\-]{8}",
)
_NUMBERS = (
    rf"[0-9](?:{_GAP}?[0-9]){{11}}",
    r"(?:\+|%(?:25)*2[Bb])[0-9]|\([0-9]{3}\)|[0-9]{3}-[0-9]{2,3}-[0-9]{4}",
    rf"{_COLON}[0-9A-Fa-f]*{_COLON}",
    r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}",
    rf"[0-9](?:{_DOT}[0-9]+){{3}}|[0-9]-[0-9]{{1,3}}-[0-9]{{1,3}}-[0-9]",
)
_RUNS = (
    r"[A-Z]{2}[0-9]{2}(?:(?:[ +]|%20)?[A-Z0-9]){11}",
    r"[A-Z][a-z]{0,2}[A-Z0-9][A-Za-z0-9+/_\-]{8}|[A-Za-z0-9+/_\-]{14}(?:=|%3[Dd])",
)
GATES = tuple(
    _compile(rf"(?:{'|'.join(signs)})[^\x00]*") for signs in (_SIGNS, _NAMES, _NUMBERS, _RUNS, (rf"\b(?:{_SECRETS})",))
)
"""Each matches at most once in a text, from the first sign of its rules to the text's end; a text that none matches
holds nothing that a rule would find. Several, because the automaton of all signs together outgrows RE2's memory."""
