"""What a value looks like: a test for each kind of value that a telling name announces.

A name alone destroys too much (`state=open`, `phone=true`, `token=expired`) and a value alone says too little
(`482913`). So a name of `privacy.vocabulary` is paired with the least its value must look like. All tests are linear.
"""

import re

from privacy import marks, phones

LONGEST = 4096
"""Characters of a value that are looked at; a longer one looks like anything."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HARMLESS = re.compile(
    r"(?i)(?:true|false|null|none|nil|undefined|nan|yes|no|on|off|n/?a|\(?null\)?|<nil>|\?[01]?|[01]|[*•x]{3,}|[*•?\-]+|"
    r"\$[0-9]{1,3}|\$?:[a-z_][a-z0-9_]{0,40}|\$[a-z_][a-z0-9_]{0,40}|@[a-z_]{1,3}[0-9]{0,3}|%[sdv]|%\([a-z_]{1,40}\)s|"
    r"[\[<(]?(?:redacted|filtered|masked|hidden|removed|scrubbed|secret_removed)[\])>]?|"
    r"(?:string|number|boolean|bool|int|integer|float|double|object|array|id|any)[!?]?)\Z"
)
"""Truth values, nothing, placeholders, what other scrubbers left, names of types."""

VERDICTS = _words(
    "required optional invalid valid missing present absent empty blank expired active inactive revoked refreshed "
    "rejected accepted denied granted ok okay failed failure success succeeded error mismatch incorrect wrong weak "
    "medium strong short long set unset changed updated created deleted removed reset pending verified unverified "
    "confirmed unconfirmed enabled disabled unknown default auto new old first last next prev previous start "
    "started starting stop stopped end ended resume resumed open opened close closed idle background foreground "
    "locked unlocked available unavailable supported unsupported allowed forbidden unauthorized anonymous "
    "not_found not_set too_short too_long already_used in_progress required_field cached loaded done ready "
    "loading valid_until none_set provided received sent bounced subscribed unsubscribed skip skipped"
)
"""Words that say how it stands with a value and are none."""

ROLES = VERDICTS | _words(
    "guest anonymous anon user users admin administrator root system service member visitor customer owner editor "
    "viewer nobody everyone all any me self own other others default test demo public private internal external "
    "primary secondary home work office mobile landline personal business billing shipping email mail sms phone "
    "push web app ios android desktop tablet whatsapp call voice daily weekly monthly never always premium free "
    "pro basic trial gold silver bronze male female asc desc id name date price title status type role group team "
    "season day week month annual vip boarding ski gate"
)
"""Words that stand for nobody in particular, or for a choice in a form."""

_DECIMAL = re.compile(r"[+-]?[0-9]{0,20}[.,][0-9]{1,20}\Z")
_FRACTION = re.compile(r"[0-9][.,][0-9]")
_FINE_FRACTION = re.compile(r"[0-9]\.[0-9]{3}")
_PAIR = re.compile(r"\s*+([+-]?[0-9]{1,3}\.[0-9]{3,20})\s{0,3}(?:,|;|\s)\s{0,3}([+-]?[0-9]{1,3}\.[0-9]{3,20})")
_HEX = re.compile(r"(?:[0-9a-f]{16,}|[0-9A-F]{16,})\Z")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
_TIMESTAMP = re.compile(r"[12][0-9]{7}T[0-9]{4,6}(?:\.[0-9]+)?Z?\Z")
_DRAWN_CHARACTERS = re.compile(r"[A-Za-z0-9+/_\-.~=:!*%|,$]++\Z")
_PIECES = re.compile(r"[^A-Za-z0-9]+")
_TRANSITION = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])|[a-z](?=[A-Z])")
_HAS_DIGIT = re.compile(r"[0-9]")
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_MONTH_AND_YEAR = re.compile(r"(?:0?[1-9]|1[0-2])\s?[/\-.]?\s?(?:20)?[2-4][0-9]\Z")
_ZEROS = re.compile(r"[0:.\-{}]+\Z")
_WORD = re.compile(r"[A-Za-z]+(?:[_\-][A-Za-z]+)*\Z")
_PERSON = re.compile(
    r"[^\W\d_][\w'’.\-]*+(?:[ +](?:(?:van|von|de|der|den|da|di|del|la|le|bin|al|dos|du|ter|zu)[ +])*"
    r"[^\W\d_][\w'’.\-]*+){1,3}\Z"
)
_THINGS = _words(
    "account action activity add address album api app application archive area article asset audio back balance "
    "bank banner bar basket batch beta billing block blog board book booking bookings box browser buffer build "
    "button buy cache calendar call camera campaign cancel card cards carousel cart case catalog category center "
    "channel chart chat check checkout click client close code collection comment company component confirm "
    "console contact content context control cookie country coupon create credit currency dashboard data database "
    "date day debug default delete delivery demo desktop detail details device dialog discount display document "
    "download drawer edit editor element email empty end engine enter error event events exit experiment export "
    "family favorites feature feed fetch field file filter finish flow folder footer form forum free full galaxy "
    "gallery game general gift go google grid group guide header help hero history home hotel http icon image "
    "import inbox index info input invoice ios item items job key label landing language launch layout license "
    "light line link links list load loading local location log login logout mail main manager map market media "
    "member menu message messages method mobile modal mode module monitor more my network new news next night "
    "note notification number offer offers office old online onboarding open option order orders overview page "
    "panel password pay payment payments phone photo pixel place plan platform play player point policy popup "
    "portal post premium press preview price primary print privacy process product products profile progress "
    "project promo purchase push query queue quick quote rate read receipt recent record red refresh register "
    "release reload remove report request reset resource response result results retry return review reward "
    "role room route rule run sale sales save scan schedule score screen search section secure security select "
    "send server service session set settings setup share shipping shop shopping show sidebar sign size sku "
    "slider slot space splash standard start state stats status step stock stop storage store story studio submit "
    "subscription success summary summer support survey switch sync system tab table tablet tag task team template "
    "terms test text theme thread ticket time timeline title toggle tool top total tour track trade transaction "
    "transfer travel trial tv type unit update upgrade upload user utils value version video view voucher wallet "
    "watch web website week welcome widget window wish wishlist worker year your zone "
    "android apple chrome edge firefox safari samsung huawei xiaomi windows linux mac ipad iphone microsoft amazon "
    "north south east west united states kingdom new york san francisco los angeles hong kong black white blue "
    "green bad gateway internal not found unauthorized forbidden timeout exception the and of for to in on "
    "monday tuesday wednesday thursday friday saturday sunday friday's main java python node swift kotlin"
)
"""Words of user interfaces, products and places: a name that holds one is no person's."""


_STATUS = re.compile(r"[1-5][0-9]{2}\Z")


def is_plain(value: str) -> bool:
    """Whether a value is nobody's under any name: a truth value, nothing, a placeholder, a mark."""
    return not value or _HARMLESS.match(value) is not None or marks.is_mark(value)


def given(value: str) -> bool:
    """Anything but a word that says how it stands with the value."""
    return value.lower() not in VERDICTS


def secret(value: str) -> bool:
    """Anything but such a word, and but an HTTP status: `access_token: 503 from the server`."""
    return given(value) and not _STATUS.match(value)


def persons(value: str) -> bool:
    """Anything but a role, a choice or a verdict."""
    return value.lower() not in ROLES


def persons_id(value: str) -> bool:
    """An account's name or number; not a role, not a count."""
    return persons(value) and not (value.isdigit() and len(value) < 3)


def any_id(value: str) -> bool:
    """Anything but a role, a choice, a verdict or zeros."""
    return persons(value) and not _ZEROS.match(value)


def no_system_id(value: str) -> bool:
    """An account's name or number; not one of the small numbers that systems give to processes."""
    return persons(value) and not (value.isdigit() and len(value) < 6)


def digits(value: str) -> int:
    """How many decimal digits a value holds, of any script."""
    return sum(map(str.isdigit, value[:LONGEST]))


def personal_name(value: str) -> bool:
    """Anything with a letter in it but a role, a choice or a verdict."""
    return persons(value) and any(map(str.isalpha, value[:LONGEST]))


def shown_name(value: str) -> bool:
    """The same, under a name that also serves parts of a program: no `CartScreen`, no `Add to cart`."""
    words = _HUMPS.findall(value[:LONGEST])
    return personal_name(value) and not any(word.lower() in _THINGS for word in words)


def capitalised(value: str) -> bool:
    """One to four words that begin with a capital, none of a user interface: `Dupont` under `nom`."""
    parts = value.replace("+", " ").split()
    return (
        1 <= len(parts) <= 4
        and not any(map(str.isdigit, value[:LONGEST]))
        and all(part[0].isupper() and part.lower() not in _THINGS for part in parts)
    )


def phone(value: str) -> bool:
    """Digits enough for a subscriber, and little else."""
    count = digits(value)
    return 6 <= count <= 30 and 2 * count >= len(value)


def dialled(value: str) -> bool:
    """A number that can be called, under a name that also serves functions and counts: `caller`, `from_number`."""
    return phone(value) and (phones.is_subscriber(value) or phones.is_international(value))


def number_of_account(value: str) -> bool:
    """Digits enough for an account, and no decimal number."""
    return digits(value) >= 5 and not _DECIMAL.match(value)


def identifier(value: str) -> bool:
    """Four digits and more, not too long, no decimal number: `ABCDE1234F`, `S1234567D`."""
    return digits(value) >= 4 and 6 <= len(value) <= 40 and not _DECIMAL.match(value)


def check_digits(value: str) -> bool:
    """The three or four digits on the back of a card."""
    return value.isdigit() and 3 <= len(value) <= 4


def card(value: str) -> bool:
    """A card's number or a part of it that tells."""
    return digits(value) >= 8 and not _DECIMAL.match(value)


def expiry(value: str) -> bool:
    """Month and year: `09/27`."""
    return _MONTH_AND_YEAR.match(value) is not None


def postcode(value: str) -> bool:
    """A postal code: three digits at least, or a British one."""
    return 3 <= len(value) <= 12 and digits(value) >= 2


def postal_address(value: str) -> bool:
    """Street and number in words: letters, a digit and a space."""
    is_east_asian = any("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in value[:LONGEST])
    apart = " " in value or "+" in value or is_east_asian
    return apart and digits(value) >= 1 and "://" not in value and any(map(str.isalpha, value))


def coordinate(value: str) -> bool:
    """A number with a fraction; whole degrees are a country."""
    return _FRACTION.search(value) is not None


def fine_coordinate(value: str) -> bool:
    """The same to about a hundred metres or finer: `12.5` is a place on a screen."""
    return _FINE_FRACTION.search(value) is not None


def fine_pair(value: str) -> bool:
    """Latitude and longitude, to about a hundred metres or finer."""
    pair = _PAIR.match(value)
    if pair is None:
        return False
    latitude, longitude = abs(float(pair.group(1))), abs(float(pair.group(2)))
    return max(latitude, longitude) <= 180 and min(latitude, longitude) <= 90 and max(latitude, longitude) > 1


def date(value: str) -> bool:
    """Digits enough for a day or a year."""
    return digits(value) >= 4 or (digits(value) > 0 and " " in value)


_DAY = re.compile(r"(?:19|20)[0-9]{2}-?[0-9]{2}-?[0-9]{2}|[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:19|20)?[0-9]{2}\Z")


def day(value: str) -> bool:
    """A day as it is written, under a name as everyday as `born`."""
    return _DAY.match(value) is not None


def device(value: str) -> bool:
    """Eight characters with a digit among them; zeros are what a device gives when tracking is off."""
    return len(value) >= 6 and _HAS_DIGIT.search(value) is not None and not _ZEROS.match(value)


def address_of_host(value: str) -> bool:
    """Digits and separators of an IP address, of either version; not the machine itself."""
    if value.startswith(("127.", "0.0.0.0", "::1", "[::1]")):  # noqa: S104  compared, not bound
        return False
    return _HAS_DIGIT.search(value) is not None and ("." in value or ":" in value)


def session(value: str) -> bool:
    """A session's name: not a word, not a count."""
    return given(value) and not _WORD.match(value) and len(value) >= 6


def pin(value: str) -> bool:
    """Four to eight digits."""
    return value.isdigit() and 4 <= len(value) <= 8


def short_password(value: str) -> bool:
    """Under a name as short as `pass`: neither a count, a verdict nor a truth value."""
    return persons(value) and not (value.isdigit() and len(value) < 4)


def no_path(value: str) -> bool:
    """Under `PWD`, which in a shell is the working directory."""
    return given(value) and value[:1] not in {"/", "\\", "~"} and value[1:3] != ":\\"


def mixed(value: str) -> bool:
    """Six characters or more with a digit: a token under a name that also stands for a method (`auth=basic`)."""
    return len(value) >= 6 and _HAS_DIGIT.search(value) is not None and value.lower() not in {"oauth2", "oauth1"}


def drawn(value: str) -> bool:
    """Eight characters or more that look drawn: hex, a UUID, letters and digits in turn. Not `in_progress_2`."""
    if len(value) < 8 or not _DRAWN_CHARACTERS.match(value[:LONGEST]):
        return False
    if _TIMESTAMP.match(value):
        return False
    if _HEX.match(value) or _UUID.match(value):
        return True
    for piece in _PIECES.split(value[:LONGEST]):
        if len(piece) >= 8 and _HAS_DIGIT.search(piece) and len(_TRANSITION.findall(piece)) >= 2:
            return True
    return len(value) >= 40 and _HAS_DIGIT.search(value) is not None


def long_drawn(value: str) -> bool:
    """The same from twenty characters on, and no UUID: an API key under the name `key`."""
    return len(value) >= 20 and drawn(value) and not _UUID.match(value)


def long_hex(value: str) -> bool:
    """32 hex digits and more: a signature under a name of one letter, where image servers put theirs."""
    return len(value) >= 32 and _HEX.match(value) is not None


def full_name(value: str) -> bool:
    """Two to four capitalised words none of which belongs to a user interface: `Jane Doe`, `Vincent van Gogh`."""
    if len(value) > 60 or not _PERSON.match(value):
        return False
    parts = [part for part in re.split(r"[ +]", value) if part]
    capitals = [part for part in parts if part[:1].isupper() or (part[1:2] in {"'", "’"} and part[2:3].isupper())]
    return len(capitals) >= 2 and not any(part.lower().strip(".") in _THINGS for part in parts)


_POSSESSIVE = re.compile(
    r"\w['’]s? |\w['’]s\b|[a-z]s[\- ](?:MacBook|iPhone|iPad|iMac|Mac|PC|Laptop|Galaxy|Pixel|Air|MBP|Watch)"
)
_OF_SOMEBODY = re.compile(
    r"(?i)(?:iphone|ipad|ipod|macbook(?: pro| air)?|imac|mac|galaxy\w{0,10}|pixel|handy|t[ée]l[ée]phone|tel[ée]fono|"
    r"laptop|pc|watch|computer|ordinateur)[ _\-](?:von|de|di|do|da|van|of|od|for|til|av|d['’])[ _\-]?\w"
)


def owned_device(value: str) -> bool:
    """A device named after its owner: `Jane's iPhone`, `Janes-MacBook-Pro.local`, `iPad von Jane`."""
    return len(value) <= 120 and (_POSSESSIVE.search(value) is not None or _OF_SOMEBODY.search(value) is not None)
