"""Exact tests on numbers: cards, accounts, telephones, addresses, places (see `privacy.verdicts`)."""

import re

from privacy import checks, identities, marks, phones
from privacy.verdicts import Verdict, before, is_word_byte, stands_alone

_NOBODYS_WORD = re.compile(
    r"(?i)(?:order|invoice|ticket|tracking|parcel|shipment|sku|ref|reference|case|batch|build|part|serial|isbn|ean|upc|"
    r"barcode|article|item|product|trace|span|txn|transaction|request|job|rev|revision)(?: ?(?:id|no|nr|number|"
    r"code|ref)\.?)?"
    r"[\"']?\s{0,2}[:=#]?\s{0,2}[\"']?\Z"
)
"""Words right before a number that say it is a thing's."""


def _names_a_thing(text: bytes, start: int) -> bool:
    return _NOBODYS_WORD.search(before(text, start, 32)) is not None


_CARD = re.compile(
    r"(?<![0-9.])(?=([0-9]{14,19}(?![0-9])|[0-9]{4}([ \-.+])[0-9]{4}\2[0-9]{4}\2[0-9]{1,4}(?:\2[0-9]{1,3})?(?![0-9])|"
    r"[0-9]{4}([ \-.+])[0-9]{4}\3[0-9]{4}\3[0-9]{4}(?![0-9])|[0-9]{4}([ \-.+])[0-9]{6}\4[0-9]{4,5}(?![0-9])))"
)
"""Numbers in one piece or grouped as on the card; also inside a longer row of digits."""


def card(text: bytes, start: int, end: int) -> Verdict:
    """A payment card's number, also between other numbers."""
    numbers = text[start:end].decode("ascii")
    if is_word_byte(text, start - 1) or is_word_byte(text, end):
        return None
    for found in _CARD.finditer(numbers):
        number = found.group(1)
        digits = "".join([c for c in number if c.isdigit()])
        if checks.is_card(digits):
            return start + found.start(), start + found.start() + len(number), marks.CARD
    return None


def iban(text: bytes, start: int, end: int) -> Verdict:
    """A bank account whose check digits are right."""
    length = checks.iban_length(re.sub(rb"[ +\-]", b"", text[start:end]).decode())
    if not length or is_word_byte(text, start - 1):
        return None
    number = re.match(rb"(?:[ +\-]?[A-Z0-9]){%d}" % length, text[start:end])
    if number is None or is_word_byte(text, start + number.end()):
        return None
    return start, start + number.end(), marks.IBAN


def identity(text: bytes, start: int, end: int) -> Verdict:
    """A state's number for a person that cannot be mistaken."""
    if not stands_alone(text, start, end) or text[start - 1 : start] in {b".", b"-"}:
        return None
    found = text[start:end].decode("ascii")
    british = len(found) == 13 and found[2] == " "
    return (start, end, marks.NATIONAL_ID) if british or identities.is_unmistakable(found) else None


_FRENCH = re.compile(r"0[1-9](?:[ .\-][0-9]{2}){4}\Z")
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[\-./ ](?:0[1-9]|1[0-2])[\-./ ]|[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:19|20)[0-9]{2}\b"
)


def phone(text: bytes, start: int, end: int) -> Verdict:
    """A telephone number with `+` or `00`, or written as in North America."""
    number = text[start:end].decode("ascii")
    if text[start - 1 : start] in {b".", b"-", b"+"}:
        return None
    if number[0] == "+":
        return _international(text, start, number)
    if not stands_alone(text, start, end) or _names_a_thing(text, start):
        return None
    if text[end : end + 1] in {b".", b"-"} and is_word_byte(text, end + 1):
        return None
    return (start, end, marks.PHONE) if _is_national(number) else None


def _is_national(number: str) -> bool:
    """Whether a number without `+` is written as in France, in North America, or with `00` and in groups."""
    if _FRENCH.match(number):
        return phones.is_french(number)
    if number.startswith("00"):
        return any(gap in number for gap in " -.()/") and phones.is_international(number)
    return number[0] == "(" or phones.is_north_american(number)


def _international(text: bytes, start: int, number: str) -> Verdict:
    """The number, or its beginning when other digits follow behind a space."""
    while number:
        end = start + len(number)
        if not is_word_byte(text, end) and phones.is_international(number):
            return start, end, marks.PHONE
        cut = max(number.rfind(gap) for gap in " -.()/")
        number = number[: max(cut, 0)].rstrip(" -.()/")
    return None


_CALLED = re.compile(r"(?i)\b(?:called|call|text|texted|number|cell|portable)\b[^0-9]*\Z")
_PLAIN_CALL = re.compile(r"[\s:=.#\"'(+]*(?:number|no|nr|to|at|is|on)?[\s:=.#\"'(+]*\Z")


def called(text: bytes, start: int, end: int) -> Verdict:
    """A number after a word of telephony: `call 555 0123 456`. A date, a version or a plain count is none."""
    digit = re.search(rb"\(?[0-9]", text[start:end])
    if digit is None or is_word_byte(text, end):
        return None
    number = text[start + digit.start() : end].decode("ascii")
    digits = sum(c.isdigit() for c in number)
    grouped = any(gap in number for gap in " -.()/")
    cue = text[start : start + digit.start()].decode("utf-8", "replace")
    gap = re.sub(r"\A\w+", "", cue)
    if not _PLAIN_CALL.match(gap) or _DATE.match(number) or not 7 <= digits <= 15:
        return None
    if "number" in cue.lower() and _names_a_thing(text, start + digit.start()):
        return None
    if _CALLED.match(cue) and not grouped and not (number.startswith("00") and phones.is_international(number)):
        return None  # call 1234567 of 9999999: a call's number, not a caller's
    return start + digit.start(), end, marks.PHONE


_TELEPHONY = re.compile(
    r"(?i)\b(?:phone|telephone|tel|ph|mob(?:ile)?|cell|(?:re)?call(?:s|ed|er|ing|back)?|dial(?:l?ed|l?ing)?|"
    r"ring(?! ?buffer)|rang|sms|"
    r"text(?:ed)?|"
    r"whatsapp|fax|voicemail|msisdn|landline|handy|telefon\w*|anruf\w*|ruf\w{0,6}|tlf|gsm|portable|mobil\w{0,2}|"
    r"num(?:\xc3\xa9|e)ro|n(?:\xc3\xba|u)mero|t(?:\xc3\xa9|e)l(?:\xc3\xa9|e)phone|tel(?:\xc3\xa9|e)fono|appel\w*|"
    r"ll(?:\xc3\xa1|a)m\w*|m(?:\xc3\xb3|o)vil|celular\w*|chiam\w*|cellulare|lig(?:ue|ar|ou)|bel(?:len)?|gebeld)\b"
    r"[^0-9\x00]{0,32}\Z"
)
"""A word of telephony in the languages of the vocabulary, and up to a few words behind it."""


_UNIT_BEHIND = re.compile(rb"(?i) ?(?:bytes|[kmg]i?b|[mun]s|px|rows|items|times|of)\b")


def national_phone(text: bytes, start: int, end: int) -> Verdict:
    """A number without a country's code: `ring me on 020 7946 0018`; in brackets, `(020) 7946 0018`, without a word."""
    number = text[start:end].decode("ascii")
    if not stands_alone(text, start, end) or text[start - 1 : start] in {b".", b"-", b"+", b"/"} or _DATE.match(number):
        return None
    if text[end : end + 1] in {b".", b"-", b":"} and is_word_byte(text, end + 1):
        return None
    if _UNIT_BEHIND.match(text, end):
        return None
    in_brackets = number[0] == "(" and ")" in number
    if not in_brackets and not _TELEPHONY.search(before(text, start, 64)):
        return None
    return (start, end, marks.PHONE) if phones.is_subscriber(number) else None


def ssn(text: bytes, start: int, end: int) -> Verdict:
    """A US Social Security number with its hyphens."""
    area, group, serial = (int(part) for part in text[start:end].split(b"-"))
    around = text[start - 1 : start] + text[end : end + 1]
    if b"-" in around or not stands_alone(text, start, end) or not checks.is_ssn(area, group, serial):
        return None
    return None if _names_a_thing(text, start) else (start, end, marks.NATIONAL_ID)


def mac(text: bytes, start: int, end: int) -> Verdict:
    """A hardware address; zeros are nobody's."""
    around = text[start - 1 : start] + text[end : end + 1]
    found = text[start:end]
    if not stands_alone(text, start, end) or b"-" in around or (b":" in around and text[end + 1 : end + 2].isalnum()):
        return None
    if found.replace(b".", b"").isdigit() or not found.strip(b"0:-.") or not found.lower().strip(b"f:-."):
        return None  # numbers with dots between; unset; everybody's
    if b":" in found and b"-" in found:
        return None
    return start, end, marks.DEVICE


_VERSION_BEFORE = re.compile(
    r"(?i)(?:(?:^|[^a-z])(?:\w{0,24}[_.\-])?(?:v|ver|version|vers|versions|release|build|rev|revision|firmware|fw|"
    r"driver|sdk|"
    r"android|ios|kernel|chrome|webview|app[_\-]?version|appversion|agent|api|upgrade[ds]?|section|chapter|clause|"
    r"oid|figure|rfc|step|level|update[ds]?|upgrading|updating|"
    r"engine|bootloader|runtime|plugin|library|webkit|player|installed|available|current|"
    r"requires?|minimum|min|"
    r"assemblyversion|fileversion|product)(?: (?:version|to|from|is|was|v))?[\"']?[ "
    r":=._/\-@(]{0,3}[\"'^~<>=v]{0,3} ?"
    r"|(?:^|[\s(;,])[a-z][a-z0-9_\-]*/|(?:[<>~^]=?|==)\s?)\Z"
)
_SECOND_VERSION = re.compile(
    r"(?i)(?:version|firmware|release|build|upgrad\w{1,5}|updat\w{1,4}|installed|current)[^@0-9]{1,12}"
    r"[0-9]{1,5}(?:\.[0-9]{1,5}){3}[^0-9]{1,24}\Z"
)
_PRERELEASE = re.compile(
    rb"(?i)[\-+_](?:alpha|beta|rc|dev|snapshot|release|build|debug|canary|nightly|preview|final|[a-z]+[.0-9])"
)
_WORD_BEFORE = re.compile(r"(?:\A|[\s(\"',/])[A-Za-z][\w.]*[ \-]\Z|[A-Za-z]/\Z")
_IP_BEFORE = re.compile(
    r"(?i)(?:ip|ips|addr|address|host|peer|client|from|remote|src|dst|source|server|gateway|sender|at|to|by|via|"
    r"for|dns|node|user|"
    r"@|//|ping|inet|listen|connect(?:ed|ion|ing)?|visitor|blocked|banned|request|session|login|traffic|attack|"
    r"proxy|endpoint|resolved|upstream|backend|rejected|denied|refused|timeout|network|subnet|router|"
    r"device)[v46]*[\s:=\[(\"'/@]*\Z"
)
_GLUED_CUE = re.compile(r"(?i)(?:ip|addr|address|host|peer|client|from|src|dst|remote|server|at|to|node)\Z")


def ipv4(text: bytes, start: int, end: int) -> Verdict:
    """A dotted address; no version, told by the words around it (`Chrome/126.0.0.0`) or its small parts."""
    near = before(text, start, 40)
    glued = is_word_byte(text, start - 1)
    if (glued and not _GLUED_CUE.search(near)) or (is_word_byte(text, end) and text[end : end + 1].isdigit()):
        return None
    address = text[start:end].decode("ascii")
    if not checks.is_ipv4(address):
        return None
    followed_by_port = text[end : end + 1] == b":" and text[end + 1 : end + 2].isdigit()
    if not followed_by_port and (_VERSION_BEFORE.search(near) or _PRERELEASE.match(text, end)):
        return None
    parts = [int(part) for part in address.split(".")]
    small = parts[0] != 10 and parts[0] < 32 and max(parts[1:3]) < 64
    if small and not followed_by_port and _SECOND_VERSION.search(before(text, start, 72)):
        return None  # from version 5.6.0.2 to 5.7.1.0
    if small and not followed_by_port and not _IP_BEFORE.search(near) and _WORD_BEFORE.search(near):
        return None  # plugin 4.12.0.221
    return start, end, marks.IP


_QUAD = re.compile(rb"[0-9]{1,3}(?:-[0-9]{1,3}){3}\Z")
_HOST_BEFORE = re.compile(
    r"(?i)(?:dsl|adsl|dyn|dynamic|dhcp|static|pool|host|cable|ppp|cust|customer|client|user|node|ip|ec2|c|cpe|pc|"
    r"vm|server)-?\Z"
)


def dashed_ipv4(text: bytes, start: int, end: int) -> Verdict:
    """An address inside a host name: `ip-10-0-0-1`, `1-2-3-4.provider.example`."""
    found = text[start:end]
    quad = _QUAD.search(found)
    if quad is None:
        return None
    digits = start + quad.start()
    if is_word_byte(text, end) or text[end : end + 1] == b"-" or is_word_byte(text, start - 1):
        return None
    if not _HOST_BEFORE.search(before(text, digits, 24)):
        domain = text[end : end + 1] == b"." and text[end + 1 : end + 2].isalpha()
        if not domain or text[digits - 1 : digits] == b"-":
            return None
    return (digits, end, marks.IP) if checks.is_ipv4(text[digits:end].decode().replace("-", ".")) else None


_LOOPBACK_AND_PORT = re.compile(r"::1:[0-9]{4,5}\Z")
"""As Node writes it; it would be an address as well, of a network that nobody has."""


def ipv6(text: bytes, start: int, end: int) -> Verdict:
    """An address with at least one `::` or seven colons; not a time, not a C++ name."""
    while text[end - 1 : end] in {b":", b"."} and text[end - 2 : end] != b"::":
        end -= 1
    if text[start : start + 1] == b":" and text[start : start + 2] != b"::":
        start += 1
    if not stands_alone(text, start, end):
        return None
    address = text[start:end].decode("ascii")
    if _LOOPBACK_AND_PORT.match(address):
        return None
    if checks.is_ipv6(address):
        return start, end, marks.IP
    # One group too many: a word of hex digits before it, or a port after it.
    shorter = (address.partition(":")[2], address.rpartition(":")[0])
    return (start, end, marks.IP) if address.count(":") > 7 and any(map(checks.is_ipv6, shorter)) else None


_NUMBERS = re.compile(r"[+\-]?[0-9]{1,3}\.[0-9]+")
_PLACE_CUE = re.compile(r"(?i)[a-z\xc3]|@")
_STRONG_PLACE = re.compile(r"(?i)\blat|\bl[no]n?g|coord|gps|\bgeo|location|\bfix\b|\bll\b|@|standort|ubicaci")
_LAST_WORD = re.compile(r"[A-Za-z%]+\Z")


def place(text: bytes, start: int, end: int) -> Verdict:
    """Latitude and longitude: beside a word for a place; not pixels, not scale factors."""
    found = text[start:end].decode("latin-1")
    if "\xc2\xb0" in found:
        return start, end, marks.GEO
    if found[:4].lower() == "geo:":
        return start + 4, end, marks.GEO
    numbers = list(_NUMBERS.finditer(found))
    if len(numbers) < 2 or _LAST_WORD.search(found):
        return None
    first, second = numbers[0].group(), numbers[1].group()
    pair_start = start + numbers[0].start()
    if is_word_byte(text, pair_start - 1) or text[pair_start - 1 : pair_start] == b"." or text[end : end + 1] == b".":
        return None
    on_earth = (
        abs(float(first)) <= 180 and abs(float(second)) <= 180 and min(abs(float(first)), abs(float(second))) <= 90
    )
    decimals = min(len(number.partition(".")[2]) for number in (first, second))
    cue = _PLACE_CUE.search(found[: numbers[0].start()])
    strong = _STRONG_PLACE.search(before(text, pair_start, 28)) is not None
    vague = not strong and (decimals < 4 or max(abs(float(first)), abs(float(second))) < 1)
    if not on_earth or (cue is None and not strong) or vague or is_word_byte(text, end):
        return None
    return pair_start, end, marks.GEO


_COMMA_NUMBER = re.compile(rb"-?[0-9]{1,3},[0-9]+")


def comma_place(text: bytes, start: int, end: int) -> Verdict:
    """Latitude and longitude with decimal commas: `Breitengrad 48,13743 Längengrad 11,57549`."""
    first = _COMMA_NUMBER.search(text, start, end)
    return None if first is None or is_word_byte(text, end) else (first.start(), end, marks.GEO)
