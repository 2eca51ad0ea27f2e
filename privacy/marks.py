"""The marks that stand where personal data stood.

A mark says what was taken out, never any of it. The set is closed: only these count as marks when a text is scrubbed
again, so that nobody gets a value through by writing it in braces. A policy may have a mark carry a keyed pseudonym,
`{email:1f0c…}`: hex digits behind one of the marks count as well.
"""

import re

VALUE = "{value}"
UNEXAMINED = "{unexamined}"
"""The text could not be examined (too long, or examining it failed): none of it is passed on."""
USER_AGENT = "{user_agent}"
EMAIL = "{email}"
TOKEN = "{token}"  # noqa: S105  the mark, not a token
PASSWORD = "{password}"  # noqa: S105  the mark, not a password
SESSION = "{session}"
COOKIE = "{cookie}"
IP = "{ip}"
CARD = "{card}"
IBAN = "{iban}"
PHONE = "{phone}"
NAME = "{name}"
USER = "{user}"
ADDRESS = "{address}"
GEO = "{geo}"
DATE = "{date}"
DEVICE = "{device}"
NATIONAL_ID = "{national_id}"
KEY = "{key}"
"""Stands for the name of a query parameter that does not look like a name."""
USERINFO = "{userinfo}"
"""Stands for who signs in, and with which password, before a URL's host."""
DENIED = "{denied}"
"""The policy lets no value of this name through."""

MARKS = frozenset(
    {
        VALUE,
        UNEXAMINED,
        USER_AGENT,
        EMAIL,
        TOKEN,
        PASSWORD,
        SESSION,
        COOKIE,
        IP,
        CARD,
        IBAN,
        PHONE,
        NAME,
        USER,
        ADDRESS,
        GEO,
        DATE,
        DEVICE,
        NATIONAL_ID,
        KEY,
        USERINFO,
        DENIED,
    }
)

FIND = re.compile(r"\{[a-z_]+\}")
"""What looks like a mark."""
FIND_HASHED = re.compile(rb"\{[a-z_]+:[0-9a-f]{20}\}")
"""A mark with a pseudonym, in UTF-8."""
_HASHED = re.compile(r"\{([a-z_]+):[0-9a-f]{20}\}\Z")


def is_mark(text: str) -> bool:
    """Whether the text is a mark and nothing else."""
    if text in MARKS:
        return True
    hashed = _HASHED.match(text) if text[:1] == "{" else None
    return hashed is not None and "{" + hashed.group(1) + "}" in MARKS
