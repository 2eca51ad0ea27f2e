"""Every rule there is, and which of them counts where two find something in one place."""

from privacy import fields
from privacy.names import URL_GATE
from privacy.rules import Group, Rule
from privacy.rules_credentials import RUNS, SIGNED
from privacy.rules_named import NAMED
from privacy.rules_numbers import DIGITS
from privacy.rules_told import TOLD

__all__ = ["GROUPS", "PRECEDENCE", "RULE_NAMES", "URL_GATE", "Group", "Rule"]

GROUPS = (RUNS, SIGNED, NAMED, TOLD, DIGITS)
"""Several, because the automaton of all signs together outgrows RE2's memory, which it then gives up for a search a
thousand times slower."""
_ORDER = [
    "user_agent",
    "private_key",
    "jwt",
    "api_key",
    "encoded",
    "bearer",
    "mailbox",
    "email",
    "cookie",
    "place",
    "iban",
    "card",
    "identity",
    "account",
    "contact_card",
    "assignment",
    "element",
    "argument",
    "labelled_id",
    "code",
    "phone",
    "label",
    "owned_device",
    "signature",
    "serial",
    "ssn",
    "mac",
    "ipv6",
    "ipv4",
    "dashed_ip",
    "user_path",
    "grant",
    "opaque",
]
PRECEDENCE = {name: at for at, name in enumerate(_ORDER)}
"""Rule → rank: where two finds overlap, the lower rank's stands."""
RULE_NAMES = frozenset({*_ORDER, *fields.RULES, "unexamined"})
"""Every rule there is, those of `privacy.fields` included: metrics are labelled with them. Finds of a policy's own
patterns count as `policy:` and the pattern's name."""
