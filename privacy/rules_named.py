"""Rules for values that follow a telling name."""

from privacy import headers, names, verdicts_markup, verdicts_named
from privacy.rules import GATE_MEMORY, Group, gate, rule

_NAME = r"[A-Za-z_\x80-\xff][A-Za-z0-9_.\-\x80-\xff]*(?:\[[A-Za-z0-9_\-]*\])*"
_COOKIES = (
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[\w.\-$]+(?:=[^\s;,\"'\x00]*)?;[ ]?)*[\w.\-$]+=[^\s;,\"'\x00]*(?:;[ "
    r"]?[\w\-]+(?:=[^\s;,\"'\x00]*)?)*"
)
_SETTER = r"\b(?:set|with|enter|type|fill|change|update|put)_?[A-Za-z0-9_]+\(\s?\\*[\"'][^\"'\x00]"
_PAIR = r"\[\s?\\*[\"'][A-Za-z][A-Za-z0-9_.\-]*\\*[\"'],\s?\\*[\"'][^\"'\x00\\]+\\*[\"']\s?\]"
_INNER_QUOTE = (
    r"(?i)\b(?:password|passphrase|passwort|kennwort|contrase\xc3\xb1a|senha|pw)(?: is)?[ :=]{1,3}"
    r"(?:'[^'\"\x00\r\n]+\"[^'\x00\r\n]*'|\"[^'\"\x00\r\n]+'[^\"\x00\r\n]*\"|"
    r"'[^'\"\x00\r\n ]+'[a-z][^'\"\x00\r\n ]*')"
)
NAMED = Group(
    gate(
        _SETTER,
        _PAIR,
        _INNER_QUOTE,
        rf"(?i:{names.LONG_NAMES})(?:[A-Za-z0-9_.\-\[]*{names.VALUE_AHEAD}|{names.DRAWN_AHEAD})",
        rf"(?:(?:\b|_)(?i:{names.SHORT_NAMES})|"
        rf"[a-z0-9](?:{names.HUMPS}))(?:(?:[A-Z0-9_.\-][A-Za-z0-9_.\-]*)?{names.VALUE_AHEAD}|{names.DRAWN_AHEAD})",
        rf"(?:^|[\x00\s,;{{(\[\"'])(?i:{names.WHOLE_NAMES}){names.VALUE_AHEAD}",
        rf"(?:{names.FOREIGN})(?:{names.FOREIGN_GAP}(?:[:=0-9+(]|{names.WIDE_COLON})|{names.DRAWN_AHEAD})",
        r"(?:^|[\x00\s\"'\[,])--[A-Za-z]|</[A-Za-z]|(?i:<(?:input|param|add|property|meta|entry|setting|item|field)\s)",
        r"(?:^|[\x00\s\"'\[,])-[apPu]\s{0,3}[^\s\-\x00]",
        r"[\xc3-\xc5][\x80-\xbf][A-Za-z]{0,12}\s{0,3}[:=]",
        rf"[A-Z0-9]_KEY{names.VALUE_AHEAD}",
    ),
    (
        rule("cookie", rf"(?i)\bcookie{_COOKIES}", verdicts_named.cookie)._replace(rewrite=headers.strip_cookies),
        rule("cookie", rf"(?i)\bset-cookie{_COOKIES}", verdicts_named.cookie)._replace(
            rewrite=headers.strip_set_cookie
        ),
        rule(
            "label",
            rf"(?:\b(?i:{names.LONG_NAMES}|{names.SHORT_NAMES})|"
            rf"{names.FOREIGN}){names.DRAWN_AHEAD}[A-Za-z0-9_+\-./~%!$@*]*=*",
            verdicts_named.label,
            GATE_MEMORY,
        ),
        rule(
            "assignment", rf"(?:{_NAME})\]?(?:\\*[\"'])?\s{{0,4}}(?:[=\-]>|:=|[:=])\s{{0,4}}", verdicts_named.assignment
        ),
        rule(
            "assignment",
            rf"(?:{names.FOREIGN}){names.FOREIGN_GAP}(?:(?:[:=]|{names.WIDE_COLON})\s{{0,3}}|[0-9+(])",
            verdicts_named.foreign_assignment,
            GATE_MEMORY,
        ),
        rule("element", r"<[A-Za-z][\w.:\-]*[^<>\x00]{0,200}>[^<>\x00]+</", verdicts_markup.element),
        rule(
            "argument",
            r"[\x00\s\"'\[,]--?[A-Za-z][\w\-]*(?:[\"'],\s{0,2}[\"']|[= ]{1,3})[^\s\x00]+",
            verdicts_markup.argument,
        ),
        rule(
            "element",
            r"(?i)<(?:input|param|add|property|meta|entry|setting|item|field)\s[^<>\x00]*>",
            verdicts_markup.form_field,
        ),
        rule("argument", rf"{_SETTER}[^\"'\x00]*", verdicts_markup.setter),
        rule("argument", _PAIR, verdicts_markup.pair),
        rule("assignment", _INNER_QUOTE, verdicts_markup.quoted_password),
        rule("argument", r"[\x00\s\"'\[,]-[apPu]\s{0,3}[^\s\-\x00][^\s\x00]+", verdicts_markup.short_argument),
    ),
)
