"""What one app wants done with personal data: the policy, as data. `privacy.policy_file` reads it from TOML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

DROP = "\0"
"""What a `Replace` gives when the whole text is to go. No text holds a NUL by the time it is asked."""

Replace = Callable[[str, str], str]
"""(mark, what stood there) → what stands there now: the mark, a mark with a pseudonym, or `DROP`."""


def mark_only(mark: str, original: str) -> str:
    """The mark, whatever stood there: what is done where no policy says otherwise."""
    del original
    return mark


class Action(Enum):
    """What happens to a find of one class."""

    MARK = "mark"
    """`{email}` stands in its place."""
    HASH = "hash"
    """`{email:1f0c…}`: the mark with a keyed pseudonym, so that equal values can be counted."""
    DROP = "drop"
    """The whole text in which it was found goes."""


class Extent(Enum):
    """How much of a span is taken in."""

    EVERYTHING = "everything"
    COUNTERS = "counters"
    """Counted, without identifiers; nothing of it is stored."""
    NOTHING = "nothing"


class Pattern(NamedTuple):
    """A pattern of the policy's own."""

    name: str
    """Lower-case words with `_`: its mark is `{name}`, its rule `policy:name`."""
    expression: Any
    """Compiled by RE2, over UTF-8 read as Latin-1 as in `privacy.detect`."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What each sign of a user's will allows; of several signs the strictest counts."""

    granted: Extent = Extent.EVERYTHING
    missing: Extent = Extent.EVERYTHING
    """No state was sent."""
    pending: Extent = Extent.COUNTERS
    denied: Extent = Extent.COUNTERS
    gpc: Extent = Extent.COUNTERS
    """`Sec-GPC: 1`."""
    dnt: Extent = Extent.EVERYTHING
    """`DNT: 1`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How personal data of one app is treated. Keys may hold `*`; they are compared in lower case."""

    allow_keys: tuple[str, ...] = ()
    """Names that say nothing: their values are judged by what they hold."""
    deny_keys: tuple[str, ...] = ()
    """Names whose values always go: `{denied}`."""
    listed: tuple[str, ...] | None = None
    """The attributes that may be stored; any other is left out. None: all may."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    """Mark → what is done; `Action.MARK` where not named."""
    patterns: tuple[Pattern, ...] = ()
    keep_network: bool = False
    """Store the sender's address truncated to /24 or /48."""
    consent: Consent = Consent()
    least_sessions: int = 5
    """Figures about fewer sessions are not shown."""

    def allows(self, key: str) -> bool:
        """Whether the name is to say nothing of its value."""
        return bool(self.allow_keys) and _matches(key, self.allow_keys)

    def denies(self, key: str) -> bool:
        """Whether values of this name always go."""
        return bool(self.deny_keys) and _matches(key, self.deny_keys)

    def lists(self, key: str) -> bool:
        """Whether an attribute of this name may be stored."""
        return self.listed is None or _matches(key, self.listed)


BUILT_IN = Policy()
"""In force where no policy was given."""


def _matches(key: str, names: tuple[str, ...]) -> bool:
    lower = key.lower()
    return any(fnmatchcase(lower, name) for name in names)
