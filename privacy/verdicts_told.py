"""Exact tests on what a text says in a form of its own: accounts, contact cards, codes, identity numbers."""

import re

from privacy import identities, keys, marks, shapes
from privacy.verdicts import Resolve, Verdict, before, is_word_byte
from privacy.verdicts_markup import LIKE_PASSWORD
from privacy.vocabulary import words_of

_HEADER_BEFORE = re.compile(
    r"(?i)(?:from|to|cc|bcc|reply-to|sender|author|committer|organizer|attendee)[\"']?\s{0,2}[:=]\s{0,2}[\"']?\Z"
)


def mailbox(text: bytes, start: int, end: int) -> Verdict:
    """The name before an address in angle brackets: `Jane Doe <jane@example.com>`."""
    name_end = text.index(b" <", start, end)
    name = text[start:name_end].strip(b'"').decode("utf-8", "replace")
    two_words = len(name.split()) >= 2 and name.split()[-1][:1].isupper()
    if not two_words and not _HEADER_BEFORE.search(before(text, start, 24)):
        return None
    return start, name_end, marks.NAME


def _spoken(name: str) -> str:
    """A name as people write it: with or without accents, joined by spaces, hyphens or nothing."""
    letters = [rf"(?:{c}|[\xc3-\xc5][\x80-\xbf])" if c in "aceinosuy" else c for c in name]
    return "".join(r"[ _\-]{0,2}(?:de |del |di |du )?" if letter in {" ", "+"} else letter for letter in letters)


_CHECKED = ("idnr", "id nr")
"""Names of identity numbers that things have as well: they count with the right check digits only."""
LABELS = "|".join(_spoken(name) for name in sorted((*keys.LABELS, *_CHECKED), key=len, reverse=True) if name.isascii())
"""Names of identity numbers, as an expression over UTF-8 read as Latin-1."""
_LABEL = re.compile(rf"(?i:{LABELS})")
_ABOUT = re.compile(
    r"(?:[ :#=(\"'+\-]|%20|\b(?:is|ist|est|es|was|number|nummer|no|nr|num|id|code|card|n[\xc2\xba\xb0]+|value|"
    r":)\b\.?)*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:[A-Z]{1,3}[ \-./]|[A-Za-z]{1,6})?(?=[0-9])[0-9][0-9A-Za-z \-./+]*\Z|[0-9].*\Z", re.DOTALL)


def labelled_id(text: bytes, start: int, end: int) -> Verdict:
    """A national identity number behind its name, at once or some words on: `SSN …`, `NINO check failed: JG …`."""
    found = text[start:end].decode("latin-1")
    label = _LABEL.match(found)
    if label is None or is_word_byte(text, end) or text[end : end + 1] > b"\x7f":
        return None
    if found[label.end() : label.end() + 1].isalpha():
        return None  # rut in ruthless
    about = _ABOUT.match(found, label.end())
    direct = about.end() if about else label.end()
    number = _NUMBER.search(found, direct)
    if number is None or not 4 <= sum(c.isdigit() for c in number.group()) <= 20:
        return None
    checked = label.group().lower() in _CHECKED
    if (number.start() > direct or checked) and not _worthy(label.group(), number.group()):
        return None
    return start + number.start(), end, marks.NATIONAL_ID


_FORM = re.compile(
    r"[0-9]{3}[\- ][0-9]{2}[\- ][0-9]{4}\Z|[A-Z]{2}(?: ?[0-9]{2}){3} ?[A-D]?\Z|[0-9]{6}[\-+][0-9]{4,7}\Z|"
    r"[XYZ]?[0-9]{7,8}[A-Z]\Z"
)


def _worthy(label: str, number: str) -> bool:
    """Whether a number some words behind its label is meant by it: by its check digits or its form."""
    compact = re.sub(r"[ \-./+]", "", number)
    return identities.is_valid(label, number) or identities.is_valid(label, compact) or _FORM.match(number) is not None


_CODE = re.compile(rb"[0-9][0-9 \-]*\Z")


def code(text: bytes, start: int, end: int) -> Verdict:
    """A code that was sent to somebody, or stands on a card: `OTP 490766`, `CVV 746`."""
    digits = _CODE.search(text[start:end])
    if digits is None or (text[end : end + 1] in {b".", b"%", b":"} and text[end + 1 : end + 2].isdigit()):
        return None
    card = text[start : start + 2].lower() in {b"cv", b"cs"}
    if sum(0x30 <= byte <= 0x39 for byte in digits.group()) > (4 if card else 8):
        return None
    return start + digits.start(), end, marks.CARD if card else marks.TOKEN


def remote_user(text: bytes, start: int, end: int) -> Verdict:
    """Who signed in, in a web server's log: `203.0.113.9 - jane [20/Sep/2024`."""
    user = text[start:end].split(b" ")[2]
    user_start = text.index(b" " + user + b" [", start) + 1
    return (
        None
        if user == b"-" or marks.is_mark(user.decode("utf-8", "replace"))
        else (user_start, user_start + len(user), marks.USER)
    )


_LOGIN = re.compile(rb"(?i)\A.*? for (?:invalid user |illegal user |user )?(?P<user>\S+) \w+\Z", re.DOTALL)
_NOBODY = frozenset(
    {b"the", b"a", b"your", b"this", b"that", b"user", b"root", b"account", b"admin", b"all", b"any", b"new"}
)


def login_user(text: bytes, start: int, end: int) -> Verdict:
    """Who signed in, in a log of sshd: `Accepted password for jane from`."""
    parts = _LOGIN.match(text[start:end])
    if parts is None or parts.group("user").lower() in _NOBODY:
        return None
    return start + parts.start("user"), start + parts.end("user"), marks.USER


_QUOTED_NAME = re.compile(rb"[\"']([^\"']+)[\"']\Z")


def quoted_user(text: bytes, start: int, end: int) -> Verdict:
    """Who it was, in the message of a database: `for user "jane"`; not a role."""
    name = _QUOTED_NAME.search(text[start:end])
    said = "" if name is None else name.group(1).decode("utf-8", "replace")
    if name is None or marks.is_mark(said) or keys.judge("user", said) is None:
        return None
    return start + name.start(1), start + name.end(1), marks.USER


def netrc_user(text: bytes, start: int, end: int) -> Verdict:
    """Who signs in, in a line of .netrc: `login jane password …`."""
    name = text[start:end].split(b" ")[1]
    said = name.decode("utf-8", "replace")
    known = marks.is_mark(said) or keys.judge("login", said) is None
    return None if known else (start + 6, start + 6 + len(name), marks.USER)


def system_user(text: bytes, start: int, end: int) -> Verdict:
    """Whom a system's own program names: `su: user jane does not exist`."""
    name = text[start:end].rsplit(b" ", 1)[1]
    return (end - len(name), end, marks.USER) if shapes.shown_name(name.decode("latin-1")) else None


_SASL = words_of("PLAIN LOGIN NTLM GSSAPI XOAUTH2 CRAM-MD5 DIGEST-MD5 EXTERNAL TLS SSL")


def redis_password(text: bytes, start: int, end: int) -> Verdict:
    """The password of Redis: `AUTH default s3cret`."""
    value = text[start:end].rsplit(b" ", 1)[1]
    said = value.decode("utf-8", "replace")
    if said in _SASL or marks.is_mark(said) or not LIKE_PASSWORD.match(said):
        return None
    return end - len(value), end, marks.PASSWORD


_CARD_LINE = {b"ADR": marks.ADDRESS, b"LABEL": marks.ADDRESS, b"BDAY": marks.DATE}


def contact_line(text: bytes, start: int, end: int) -> Verdict:
    """A line of a vCard, or a field of a MECARD."""
    text_start = text.rfind(b"\0", 0, start) + 1
    in_mecard = text[text_start:start].rfind(b"MECARD:") >= 0
    if not in_mecard and text.find(b"VCARD", text_start, start) < 0:
        return None
    name, _, value = text[start:end].partition(b":")
    value = value.partition(b";")[0] if in_mecard else value
    value_start = start + len(name) + 1
    value = value.rstrip()
    if not value.strip(b"; ") or marks.is_mark(value.decode("utf-8", "replace")):
        return None
    return value_start, value_start + len(value), _CARD_LINE.get(name.partition(b";")[0], marks.NAME)


def directory_name(text: bytes, start: int, end: int) -> Verdict:
    """A person in a directory's distinguished name (`CN=Jane Doe,OU=Sales`) or among a calendar's attendees."""
    name, _, rest = text[start:end].partition(b"=")
    value = re.split(rb"[,;:]", rest)[0].strip(b'"')
    value_start = text.index(value, start + len(name) + 1)
    if b"." in value or not value.strip() or marks.is_mark(value.decode("utf-8", "replace")):
        return None  # CN=www.example.com: a server's
    known = text[end - 1 : end] == b"=" or text[start - 1 : start] == b";"
    return (
        (value_start, value_start + len(value), marks.USER if name.lower() == b"uid" else marks.NAME) if known else None
    )


def wifi_password(text: bytes, start: int, end: int) -> Verdict:
    """The password of a network, as QR codes carry it."""
    at = text.rfind(b"P:", start, end) + 2
    return None if marks.is_mark(text[at:end].decode("utf-8", "replace")) else (at, end, marks.PASSWORD)


_ACCOUNT = re.compile(rb"[^\\\s:=]+\\+[^\\\s]+\Z")


def domain_user(text: bytes, start: int, end: int) -> Verdict:
    """Who signed in at a Windows domain: `user ACME\\jane`."""
    account = _ACCOUNT.search(text[start:end])
    return None if account is None else (start + account.start(), end, marks.USER)


_SERIAL = re.compile(rb"(?<=[ :#=])[0-9A-Fa-f][0-9A-Fa-f\-]*\Z")


def serial(text: bytes, start: int, end: int) -> Verdict:
    """A device's number behind its name: `IMEI 35-209900-176148-1`."""
    number = _SERIAL.search(text[start:end])
    if number is None or is_word_byte(text, end) or sum(0x30 <= byte <= 0x39 for byte in number.group()) < 8:
        return None
    return (start + number.start(), end, marks.DEVICE) if number.group().strip(b"0-") else None


_BORN_ON = re.compile(
    rb"(?i)(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./\-][0-9]{1,2}[./\-][0-9]{4}|[0-9]{1,2}\.? [^\s0-9]+ [0-9]{4}|"
    rb"[a-z]+ [0-9]{1,2}, [0-9]{4})\Z"
)


def born(text: bytes, start: int, end: int) -> Verdict:
    """The day in `born 1984-03-12`, `geb. 12.03.1984`, `né le 12 mars 1984`."""
    day = _BORN_ON.search(text[start:end])
    return None if day is None or is_word_byte(text, end) else (start + day.start(), end, marks.DATE)


def password_again(text: bytes, start: int, end: int) -> Verdict:
    """What stands behind a password to confirm it: `password=…&confirm=hunter2`."""
    value_start = text.index(b"=", text.index(b"&", start, end), end) + 1
    said = text[value_start:end].decode("utf-8", "replace")
    return None if marks.is_mark(said) or keys.judge("password", said) is None else (value_start, end, marks.PASSWORD)


_IN_BRACKET = re.compile(rb"(?i)[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\Z")


def serial_behind_bracket(text: bytes, start: int, end: int) -> Verdict:
    """The number in an object whose class tells: `AdvertisingIdClient.Info{id='38400000-8cf0-…'`."""
    number = _IN_BRACKET.search(text[start:end])
    if number is None or is_word_byte(text, end) or not number.group().strip(b"0-"):
        return None
    return start + number.start(), end, marks.DEVICE


def after_slash(mark: str) -> Resolve:
    """Takes what stands behind the last `/` of a find."""

    def resolve(text: bytes, start: int, end: int) -> Verdict:
        return text.rfind(b"/", start, end) + 1, end, mark

    return resolve


def after_colon(mark: str) -> Resolve:
    """Takes what stands behind the last `:` of a find."""

    def resolve(text: bytes, start: int, end: int) -> Verdict:
        return text.rfind(b":", start, end) + 1, end, mark

    return resolve


_MISMATCH = re.compile(r"(?i)signature|hmac|\bmac\b|\bsig\b")


def signature(text: bytes, start: int, end: int) -> Verdict:
    """One of the two signatures in `signature mismatch: expected … got …`."""
    if not _MISMATCH.search(before(text, start, 160)):
        return None
    value = _RESPONSE.search(text[start:end])
    return None if value is None else (start + value.start(), end, marks.TOKEN)


_RESPONSE = re.compile(rb"[A-Za-z0-9+/=_\-]+\Z")


def last_word(mark: str) -> Resolve:
    """Takes the last word of a find, without quotes around it."""

    def resolve(text: bytes, start: int, end: int) -> Verdict:
        word = _LAST.search(text[start:end])
        return (
            None
            if word is None or marks.is_mark(word.group().decode("utf-8", "replace"))
            else (start + word.start(), end, mark)
        )

    return resolve


_LAST = re.compile(rb"[^\s\"'(]+\Z")
