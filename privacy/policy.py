"""What one app wants done with personal data: the policy, as data. `privacy.policy_file` reads it from TOML."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

import re2

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
    """Compiled by RE2 for UTF-8. Anchors mean one whole text, and it may match a NUL: search texts one by one."""


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


class Names:
    """Names of fields, in any case; `*` stands for any characters, or none."""

    __slots__ = ("_exact", "_wild", "all")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.all = tuple(dict.fromkeys(name.lower() for name in names))
        self._exact = frozenset(name for name in self.all if "*" not in name)
        wild = [name.encode().split(b"*") for name in self.all if "*" in name]
        # RE2 over bytes: linear however many stars there are, and no text is beyond it.
        self._wild = _compile(b"|".join(b".*".join(map(re2.escape, parts)) for parts in wild)) if wild else None

    def __contains__(self, key: str) -> bool:
        lower = key.lower()
        if lower in self._exact:
            return True
        return self._wild is not None and self._wild.fullmatch(lower.encode("utf-8", "surrogatepass")) is not None

    def __repr__(self) -> str:
        return f"Names({self.all!r})"


def _compile(expression: bytes) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    return re2.compile(expression, options)


NO_NAMES = Names()


@dataclass(frozen=True, eq=False)
class Policy:
    """How personal data of one app is treated. Two are equal only when they are one: it may be the key of a cache."""

    allow_keys: Names = NO_NAMES
    """Names that say nothing: their values are judged by what they hold."""
    deny_keys: Names = NO_NAMES
    """Names whose values always go: `{denied}`."""
    listed: Names | None = None
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
        return key in self.allow_keys

    def denies(self, key: str) -> bool:
        """Whether values of this name always go."""
        return key in self.deny_keys

    def lists(self, key: str) -> bool:
        """Whether an attribute of this name may be stored."""
        return self.listed is None or key in self.listed

    def may_find(self, line: bytes) -> bool:
        """Whether any of `patterns` may match in a text, in UTF-8: one search instead of one for each."""
        if not self.patterns:
            return False
        return self._any_pattern is None or self._any_pattern.search(line) is not None

    @cached_property
    def _any_pattern(self) -> Any:
        """All patterns as alternatives; None when RE2 does not take them together."""
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        try:
            return re2.compile(
                b"|".join(b"(?:" + pattern.expression.pattern + b")" for pattern in self.patterns), options
            )
        except re2.error:
            return None

    @cached_property
    def without_list(self) -> "Policy":
        """The same for values that are no attributes."""
        return replace(self, listed=None)


BUILT_IN = Policy()
"""In force where no policy was given."""
