"""Rules for what a text says in a form of its own: accounts, contact cards, codes, devices, identity numbers."""

from privacy import marks, verdicts, verdicts_told
from privacy.rules import Group, gate, rule

_LABELS = verdicts_told.LABELS
_SPACE = r"(?:[ \t+]|%20)"
_PRODUCTS = (
    r"iPhone|iPad|iPod|MacBook|iMac|Mac|Apple Watch|AirPods|Galaxy|Pixel|Watch|Laptop|laptop|PC|Phone|phone|Handy"
)
_OWNED = (
    rf"[A-Z\x80-\xff][A-Za-z\x80-\xff\-]*(?:['\xb4]|\xe2\x80\x99)s? (?:{_PRODUCTS})(?:[ \-](?:Pro|Air|Max|Mini|"
    rf"mini|Plus|SE|[0-9]{{1,2}}))*\b|"
    r"\b[A-Z][a-z]+-(?:MacBook|iPhone|iPad|iMac|Mac|MBP)[A-Za-z0-9\-]*\.(?:local|lan|home|fritz\.box)\b|"
    r"\b[A-Z][a-z]+s-(?:MacBook|iPhone|iPad|iMac|Mac|Air|MBP)(?:-(?:Pro|Air|Max|Mini|mini|"
    r"[0-9]{1,2}))*(?:\.(?:local|lan|home))?\b|"
    r"\b(?:iPhone|iPad|MacBook|Handy|Laptop|Mac|PC) (?:von|de|di|do|da|van|of) (?:[A-Z]|\xc3[\x80-\x9e])[a-z\x80-\xff]+"
)
"""A device named after its owner: `Jane's iPhone`, `Janes-MacBook-Pro.local`, `iPad von Jane`."""
_CODE_NAMES = (
    r"(?:verification|security|confirmation|activation|login|access|auth(?:entication)?|sign-?in|recovery|backup|"
    r"sms|2fa|mfa|"
    r"two[ -]factor|one[ -]time|reset|pairing|invite|your)[ -](?:code|pin|passcode|password|token)s?|otp(?: code)?|"
    r"2fa|mfa|totp|pin(?:[ -]?code)?|"
    r"i?tan|cvv2?|cvc2?|csc|passcode|(?:best\xc3\xa4tigungs|sicherheits|verifizierungs|aktivierungs|zugangs|"
    r"einmal)-?code|"
    r"code (?:de (?:v\xc3\xa9rification|confirmation|s\xc3\xa9curit\xc3\xa9)|pin)|"
    r"c(?:\xc3\xb3|o)digo de (?:verificaci(?:\xc3\xb3|o)n|seguridad|verifica\xc3\xa7\xc3\xa3o|"
    r"confirma(?:\xc3\xa7\xc3\xa3o|ci\xc3\xb3n))|"
    r"codice di (?:verifica|sicurezza|conferma)|verificatiecode"
)
_BORN = r"born|geboren|geb|geboren op|n\xc3\xa9e?|nat[oa]|nacid[oa]|nascid[oa]|urodzon[ya]|f\xc3\xb8dt|f\xc3\xb6dd|fodt"
_DAY = (
    r"(?:(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:19|20)[0-9]{2}|"
    r"[0-9]{1,2}\.? [a-z\xc3\x80-\xbf]{3,12} (?:19|20)[0-9]{2}|[a-z]{3,9} [0-9]{1,2}, (?:19|20)[0-9]{2})"
)
_BORN_ON = rf"(?i)\b(?:{_BORN})[.:= ]{{1,3}}(?:(?:on|am|le|il|el|em|op|den|dnia)[ ])?\"?"
_SYSTEM_USER = r"\b(?:su|sudo|sshd|passwd|useradd)(?:\[[0-9]+\])?: (?:[iI]nvalid |unknown )?user [a-z][a-z0-9_.\-]+"
_AGAIN = (
    r"(?i)(?:password|passwort|passwd|pwd)[a-z0-9_\-]*=[^&\s\x00]*&"
    r"(?:confirm|confirmation|repeat|again|retype|verify)=[^&\s\x00]+"
)
_ADVERTISING = (
    r"(?i)(?:\b(?:advertising|appset|adid)[a-z.$]*[({\[][ ]?[a-z]{0,12}[=:]?[ ]?[\"']?|"
    r"\b(?:(?:advertising|appset|ad)[ _]id|idf[av]|[gao]aid|adid) [a-z]+[:= ]{1,3})[0-9a-f]"
)
TOLD = Group(
    gate(
        rf"{_BORN_ON}(?:[0-9]|[a-z]{{3,9}} [0-9])",
        _ADVERTISING,
        _AGAIN,
        _SYSTEM_USER,
        rf"\b(?i:{_LABELS})[^0-9\x00]{{0,64}}[0-9]",
        rf"\b(?i:{_CODE_NAMES})[^0-9A-Za-z\x00]{{1,5}}(?:(?i:is|ist|est|es|lautet|code|was|"
        rf"\xc3\xa9)[^0-9A-Za-z\x00]{{1,4}})?[0-9]{{3}}",
        r" \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}",
        r"(?i:password|publickey|user|login) for [^\s\x00]",
        r"VCARD|MECARD:|ATTENDEE|ORGANIZER|WIFI:|[A-Za-z]=[^,=\x00]{1,64},\s?(?i:OU|DC|O|CN)=",
        r"(?i:\b(?:imei|imsi|iccid|meid|udid|idfa|gaid|serial|androidid|android[ _]id))\b[^0-9\x00]{1,12}[0-9]",
        r"[A-Z0-9]\\{1,2}[a-z]",
        r"(?i:expected|got|received|computed|calculated|actual|want|was|found|provided)[ "
        r":=\"']{1,3}[A-Za-z0-9+/_\-]{27}",
        r"(?i:\blog[io]n (?:failed|rejected|denied|error))[^()\x00]{0,20}\(",
        r"\bv[01]=[0-9a-f]{64}|(?i:push(?:ed)?|apns|notification|notify)(?: to| for| token|:)? [0-9a-f]{64}",
        _OWNED,
        r"(?i:user|login|account|role)\s[\"']|\blogin [^\s\x00]+ pass|\bAUTH [^\s\x00]",
        r"(?i:wa\.me|t\.me)/|\bSN:[A-Z0-9]|(?i:device(?:id)?)/[0-9A-Fa-f]{4}",
    ),
    (
        rule(
            "labelled_id",
            rf"(?i)\b(?:{_LABELS})\.?(?:{_SPACE}*[:#=(]?{_SPACE}*[\"']?|(?:(?:{_SPACE}|"
            rf"-)[a-z\x80-\xff.\-]{{1,12}}){{1,5}}[:#]?{_SPACE}+)"
            r"[a-z]{0,6}(?:[ \-./+]?[a-z]{0,3}[0-9][0-9a-z]*)+(?:[ \-./](?-i:[A-Z])\b)?",
            verdicts_told.labelled_id,
        ),
        rule(
            "code",
            rf"(?i)\b(?:{_CODE_NAMES})[^0-9a-z\x00]{{1,5}}(?:(?:is|ist|est|es|lautet|code|was|"
            rf"\xc3\xa9)[^0-9a-z\x00]{{1,4}})?"
            r"[0-9]{3,4}[ \-]?[0-9]{0,4}\b",
            verdicts_told.code,
        ),
        rule(
            "account",
            r"(?:[0-9.]{7,}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+|\{ip\}) [^\s\x00]+ [^\s\x00]+ \[[0-9]{2}/[A-Z]",
            verdicts_told.remote_user,
        ),
        rule(
            "account",
            r"(?i)\b(?:password|publickey|keyboard-interactive/pam|user|login) for (?:invalid user |illegal user |"
            r"user )?[^\s\x00]+ (?:from|by|failed|is|was)\b",
            verdicts_told.login_user,
        ),
        rule(
            "contact_card",
            r"\b(?:FN|N|ADR|LABEL|NICKNAME|BDAY|CN|SOUND)(?:;[A-Za-z0-9=,\"\-]+)*:[^\r\n\x00]+",
            verdicts_told.contact_line,
        ),
        rule(
            "contact_card",
            r"\b(?i:cn|uid|sn|givenname|gn|displayname)=\"?[^,=\x00\"'<>]+\"?(?:,\s?(?i:ou|dc|o|cn|c|l)=|;|:)",
            verdicts_told.directory_name,
        ),
        rule("contact_card", r"WIFI:[^\x00\r\n]*?P:[^;\x00\r\n]+", verdicts_told.wifi_password),
        rule("phone", r"(?i)\bwa\.me/\+?[0-9]{7,15}", verdicts_told.after_slash(marks.PHONE)),
        rule(
            "signature",
            r"(?i)\b(?:expected|got|received|computed|calculated|actual|want|was|found|provided)[ "
            r":=\"']{1,3}[A-Za-z0-9+/_\-]{27,128}=*",
            verdicts_told.signature,
        ),
        rule(
            "account",
            r"(?i)\bpassword for \S+ (?:is|was|=|:) [\"']?[^\s\"'\x00]+",
            verdicts_told.last_word(marks.PASSWORD),
        ),
        rule(
            "account",
            r"(?i)\blog[io]n (?:failed|rejected|denied|error)[^()\x00]{0,20}\([^()/\s\x00]+/[^()\s\x00]+",
            verdicts_told.last_word(marks.USERINFO),
        ),
        rule(
            "account",
            r"\b(?i:user|username|login|logon|account|principal|ntlm)[\"']?[ "
            r":=]{1,3}[\"']?[A-Z][A-Z0-9\-]{1,14}\\{1,2}[a-z][\w.\-]+",
            verdicts_told.domain_user,
        ),
        rule(
            "serial",
            r"(?i)\b(?:imei|imsi|iccid|meid|udid|idfa|gaid|serial|androidid|android[ _]id)(?:/sv)?(?: (?:number|no|"
            r"nr|is|id))?[ :#=]{1,3}[0-9a-f][0-9a-f\-]{9,}",
            verdicts_told.serial,
        ),
        rule(
            "account",
            r"(?i)\b(?:user|username|login|account|role)\s[\"'][^\"'\s\x00]{2,64}[\"']",
            verdicts_told.quoted_user,
        ),
        rule("account", r"\blogin [^\s\x00]+ pass(?:word)?\b", verdicts_told.netrc_user),
        rule("account", r"\bAUTH (?:[a-z][\w\-]* )?[^\s\x00]+", verdicts_told.redis_password),
        rule("owned_device", _OWNED, verdicts.always(marks.DEVICE)),
        rule("signature", r"\bv[01]=[0-9a-f]{64}", verdicts_told.last_word(marks.TOKEN)),
        rule(
            "signature",
            r"(?i)\b(?:push(?:ed)?|apns|notification|notify)(?: to| for| token|:)? [0-9a-f]{64}",
            verdicts_told.last_word(marks.TOKEN),
        ),
        rule("account", _SYSTEM_USER, verdicts_told.system_user),
        rule("account", _AGAIN, verdicts_told.password_again),
        rule("labelled_id", rf"{_BORN_ON}{_DAY}", verdicts_told.born),
        rule("serial", rf"{_ADVERTISING}[0-9a-f\-]+", verdicts_told.serial_behind_bracket),
        rule("serial", r"\bSN:[A-Za-z0-9]{6,}", verdicts_told.after_colon(marks.DEVICE)),
        rule("serial", r"(?i)\bdevice(?:id)?/[0-9a-f][0-9a-f\-]{11,}", verdicts_told.after_slash(marks.DEVICE)),
    ),
)
