"""The marks that stand where personal data stood.

A mark says what was taken out, never any of it. The set is closed: only these count as marks when a text is scrubbed
again, so that nobody gets a value through by writing it in braces.
"""

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
    }
)
