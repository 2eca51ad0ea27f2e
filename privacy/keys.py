"""What the name of a field says about its value.

A name is cut into words at `-`, `_`, `.`, `[`, spaces and camelCase humps and judged by its last words, its head noun:
`user.email_address` is an address to write to, `email_queue_depth` is not. Words are compared whole, never as
substrings, so `compass`, `tokens_used` and `TokenStore` are left alone.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from privacy import marks

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
LONGEST_KEY = 256
"""Characters of a name that are looked at, from its end: there stands the head noun."""

_NEUTRAL = frozenset(
    {
        "field",
        "code",
        "hash",
        "value",
        "text",
        "number",
        "nr",
        "input",
        "addr",
        "header",
        "num",
        "key",
        "string",
        "no",
        "address",
        "id",
        "raw",
    }
)
"""Words that may follow the head noun without changing what the value is."""

_STRONG: Mapping[str, str] = {
    marks.PASSWORD: "password passwd pwd passphrase passcode pass pw pin",
    marks.TOKEN: (
        "token secret credential credentials jwt bearer otp totp csrf xsrf signature sig authorization auth apikey "
        "assertion api+key access+key private+key secret+key auth+key signing+key encryption+key client+secret "
        "subscription+key account+key auth+code authorization+code code+verifier id+token saml+response"
    ),
    marks.COOKIE: "cookie cookies set+cookie",
    marks.CARD: "cvc cvv cvv2 pan card+number credit+card debit+card cc+number card+no",
    marks.NATIONAL_ID: (
        "ssn nino dni nie nir nif aadhaar aadhar sin tin pesel hetu cpf cnpj curp bsn rut egn oib cnp personnummer rrn "
        "passport social+security social+insurance tax+id tax+number national+id national+insurance id+card "
        "identity+card id+number driver+license drivers+license driving+licence steuer+id codice+fiscale nhs+number"
    ),
    marks.IBAN: "iban account+iban bank+account sepa+creditor account+number",
}
"""Mark → names whose value is taken out wherever it stands. `+` joins the words of one name."""

_WEAK: Mapping[str, str] = {
    marks.SESSION: "session sid sessionid jsessionid phpsessid sess",
    marks.EMAIL: "email mail e+mail recipient+email",
    marks.PHONE: "phone telephone tel mobile msisdn fax cell+phone",
    marks.NAME: (
        "firstname lastname fullname surname nickname displayname first+name last+name full+name given+name "
        "family+name middle+name maiden+name display+name nick+name customer+name recipient+name contact+name "
        "enduser+name holder+name cardholder+name billing+name shipping+name recipient cardholder "
        "account+holder real+name"
    ),
    marks.USER: "user username login enduser uid user+name login+name member+id customer+id",
    marks.ADDRESS: (
        "street street+address home+address billing+address shipping+address mailing+address postal+address "
        "delivery+address address+line postal+code postcode post+code zip zip+code zipcode"
    ),
    marks.GEO: "lat latitude lon lng longitude geo coordinates coords latlng geolocation",
    marks.DATE: "dob birthday birthdate date+of+birth birth+date",
    marks.DEVICE: (
        "idfa gaid adid aaid idfv udid imei imsi iccid meid device+id deviceid advertising+id ad+id android+id "
        "vendor+id hardware+id serial+number mac mac+address bssid "
        "device+name installation+id install+id"
    ),
    marks.IP: "ip ipv4 ipv6 ip+address client+ip remote+addr x+forwarded+for forwarded+for real+ip",
}
"""Mark → names that are also everyday words: in prose they count only beside a value that looks like one."""

_ENDINGS: Mapping[str, str] = {
    "password": marks.PASSWORD,
    "passwd": marks.PASSWORD,
    "token": marks.TOKEN,
    "secret": marks.TOKEN,
    "apikey": marks.TOKEN,
    "signature": marks.TOKEN,
    "sessionid": marks.SESSION,
    "sessid": marks.SESSION,
    "email": marks.EMAIL,
    "emailaddress": marks.EMAIL,
    "username": marks.USER,
    "phonenumber": marks.PHONE,
    "cardnumber": marks.CARD,
    "firstname": marks.NAME,
    "lastname": marks.NAME,
    "fullname": marks.NAME,
    "socialsecuritynumber": marks.NATIONAL_ID,
}
"""Endings of names written as one word in one case, such as `useremail`."""

_USER_AGENT = frozenset({("user", "agent"), ("useragent",), ("user", "agent", "original"), ("ua",)})
_VERSION = frozenset({"version", "ver", "release", "build", "revision", "rev", "tag", "sdk", "firmware", "semver"})


def _phrases(table: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    return {tuple(name.split("+")): mark for mark, names in table.items() for name in names.split()}


_STRONG_PHRASES = _phrases(_STRONG)
_PHRASES = _phrases(_WEAK) | _STRONG_PHRASES
_LONGEST = max(map(len, _PHRASES))

STEMS = tuple(sorted({max(phrase, key=len) for phrase in _PHRASES} | set(_ENDINGS)))
"""Words of which every telling name holds at least one, in some case."""

LABELS = tuple(sorted(name for name in _STRONG[marks.NATIONAL_ID].split() if "+" not in name))
"""Names of national identity numbers that people write right before the number, without `:` or `=`."""


def words(key: str) -> tuple[str, ...]:
    """The words of a field's name, lower case: `X-Amz-AccessKeyId` → x, amz, access, key, id."""
    return tuple(word.lower() for word in _WORD.findall(key[-LONGEST_KEY:]))


@lru_cache(maxsize=4096)
def mark_of(key: str) -> str | None:
    """The mark for the value of a field of this name, None when the name does not speak of personal data."""
    return _search(words(key), _PHRASES)


@lru_cache(maxsize=4096)
def is_strong(key: str) -> bool:
    """Whether the name alone condemns the value, even in prose: a password, a token, an identity number."""
    return _search(words(key), _STRONG_PHRASES) is not None


@lru_cache(maxsize=4096)
def names_user_agent(key: str) -> bool:
    """Whether the field holds a User-Agent string."""
    parts = words(key)
    return any(parts[-n:] in _USER_AGENT for n in (1, 2, 3))


def names_version(key: str) -> bool:
    """Whether the field holds a version, in which `1.2.3.4` is no address."""
    return not _VERSION.isdisjoint(words(key))


def _search(parts: tuple[str, ...], phrases: Mapping[tuple[str, ...], str]) -> str | None:
    while parts:
        for length in range(min(_LONGEST, len(parts)), 0, -1):
            mark = phrases.get(parts[-length:])
            if mark is not None:
                return mark
        ending = next((mark for end, mark in _ENDINGS.items() if parts[-1].endswith(end)), None)
        if ending is not None and ending in phrases.values():
            return ending
        if parts[-1] not in _NEUTRAL and not parts[-1].isdigit():
            return None
        parts = parts[:-1]
    return None
