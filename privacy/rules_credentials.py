"""Rules for credentials, addresses to write to, homes, and encoded or drawn runs."""

from privacy import api_keys, encodings, marks, verdicts, verdicts_told
from privacy.rules import Group, gate, rule

_AT = r"(?:@|\xef\xbc\xa0)"
_LABEL = r"[A-Za-z0-9\-\x80-\xff]+"
_INVISIBLE = r"\xc2\xad|\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0|\xef\xbb\xbf"
_LOCAL = (
    rf"(?:[A-Za-z]{{1,3}}')?(?:[A-Za-z0-9._+\-~!$^*]|{_INVISIBLE}|[\xc3-\xdf][\x80-\xbf])+|"
    rf"(?:[\xe3-\xed][\x80-\xbf]{{2}})+|\"[^\"@\x00]{{1,64}}\""
)
"""Before `@`; Chinese and its like only by itself, for no space parts an address from the word before it."""
_EMAIL = (
    rf"(?:{_LOCAL}){_AT}{{1,2}}{_LABEL}(?:\.{_LABEL})*\."
    r"(?:[A-Za-z]{2,24}|[Xx][Nn]--[A-Za-z0-9\-]+|[\x80-\xff]{2,})"
)
_PERSON = r"[A-Z\x80-\xff][\w.'\-\x80-\xff]*(?: [A-Za-z\x80-\xff][\w.'\-\x80-\xff]*){0,3}"
_USER_AGENT = (
    r"(?:Mozilla|Dalvik|Opera)/[0-9][0-9.]*"
    r"(?:\s*(?:\([^()\x00]*(?:\([^()\x00]*\)[^()\x00]*)*\)?"
    r"|[A-Za-z][A-Za-z0-9_.\-]*/[A-Za-z0-9_.+\-]+|like Gecko|Mobile\b))*"
    r"|[A-Za-z0-9_.%\-]+/[0-9A-Za-z.]+ CFNetwork/[0-9.]+ Darwin/[0-9.]+"
)
SIGNED = Group(
    gate(
        r"(?i:authorization)[\"']?\s{0,3}[:=]",
        r"ey[JA]|ew[oA]|PRIVATE KEY",
        r"(?:Mozilla|Dalvik|Opera|CFNetwork)/[0-9]",
        r"(?i:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20)+[A-Za-z0-9._~+/=\-]{8}",
        rf"\b(?:{api_keys.PREFIXES})[A-Za-z0-9]",
        api_keys.SIGNS,
        _AT,
    ),
    (
        rule("user_agent", _USER_AGENT, verdicts.always(marks.USER_AGENT)),
        rule(
            "private_key",
            r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^\x00]*?(?:-----END [A-Z0-9 ]{1,40}-----|"
            r"\x00|\z)",
            verdicts.private_key,
        ),
        rule("jwt", r"(?:eyJ|eyA|ewo|ewA)[A-Za-z0-9_\-+/]{6,}=*(?:\.[A-Za-z0-9_\-]*){1,4}", verdicts.jwt),
        rule(
            "bearer",
            r"(?i)\b(?:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20)+[A-Za-z0-9._~+/=\-]{8,}",
            verdicts.bearer,
        ),
        rule(
            "bearer",
            r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?[A-Za-z][A-Za-z0-9\-]*\s{1,3}[^\s\"',;{}\x00]+",
            verdicts.authorization,
        ),
        rule("bearer", r"(?i)\bdigest [^\r\n\x00]{0,400}?response=\"?[0-9a-f]{16,64}", verdicts.digest_response),
        rule("api_key", rf"\b(?:{api_keys.PREFIXES})[A-Za-z0-9_\-.~+/=]+", verdicts.api_key),
        rule("api_key", api_keys.UNPREFIXED, verdicts.api_key),
        rule("mailbox", rf"(?:\"[^\"<>@\x00]{{2,60}}\"|{_PERSON}) <(?:{_EMAIL})>", verdicts_told.mailbox),
        rule("email", _EMAIL, verdicts.email),
        rule(
            "email",
            rf"(?:{_LOCAL}){_AT}{_LABEL}(?:\.{_LABEL})*(?:,|\.\.)[A-Za-z]{{2,24}}\b",
            verdicts.mistyped_email,
        ),
    ),
)
RUNS = Group(
    gate(
        encodings.SIGN,
        r"/home/|/Users/|/var/(?:spool/)?mail/|\\(?i:Users)\\|Documents and Settings|:/(?i:users)/",
        rf"/(?i:{verdicts.GRANTS})[a-z\-_]*/[A-Za-z_\-.~]*[0-9]",
    ),
    (
        rule(
            "user_path",
            r"(?:(?:/(?:(?:mnt|cygdrive|host_mnt)/)?[a-z]|/export|/data|/nfs|/usr|/private|/System/Volumes/Data|"
            r"/Volumes/[\w.\-]+|/net/[\w.\-]+)?"
            r"/(?:home|Users)/|/var/(?:spool/)?mail/|(?:\\+|\b[A-Za-z]:/)(?i:Users|Documents and Settings|"
            r"Documents%20and%20Settings)[\\/]+)[^/\\\x00\n\"':<>|?*,;]+",
            verdicts.user_path,
        ),
        rule("grant", rf"(?i)/(?:{verdicts.GRANTS})[a-z\-_]*/[A-Za-z0-9_\-.~]{{8,}}", verdicts.grant),
        rule("opaque", r"[A-Za-z0-9+/_\-]{20,}=*", verdicts.opaque_run),
    ),
    decodes=True,
)
