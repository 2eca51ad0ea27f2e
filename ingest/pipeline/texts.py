"""What a policy makes of texts: `privacy` finds, the app's policy says what stands there then, and what is left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import privacy
from ingest.pipeline.scopes import Scope
from privacy import keys, marks
from privacy.policy import DROP, Action, Replace, mark_only
from privacy.pseudonyms import without_pseudonyms

DIMENSIONS = frozenset({"route", "version", "network", "os_name"})
"""Columns that series may be cut by as they are: no pseudonym stands there, rollups are about nobody."""
IDENTITIES = frozenset({marks.SESSION, marks.USER, marks.DEVICE})
"""Marks of which an attribute that is nothing else becomes a pseudonym, unless the policy says what is to be done."""
IDENTITY_OF = {
    "session.id": marks.SESSION,
    "session.previous_id": marks.SESSION,
    "user.id": marks.USER,
    "user.hash": marks.USER,
    "enduser.id": marks.USER,
    "enduser.pseudo.id": marks.USER,
    "app.installation.id": marks.DEVICE,
    "device.id": marks.DEVICE,
    "service.instance.id": marks.DEVICE,
}
"""Attributes that are identities whatever their values look like, by OpenTelemetry's registry of semantic conventions
(https://opentelemetry.io/docs/specs/semconv/registry/attributes/). An app's instance is an installation."""
_INSTALLATION = frozenset({"installation", "install"})


class Texts(NamedTuple):
    """What is handed to `privacy`, in step: texts of columns, then attributes."""

    kinds: list[str]
    keys: list[str]
    texts: list[str]

    def add(self, kind: str, key: str, text: str) -> None:
        """One more."""
        self.kinds.append(kind)
        self.keys.append(key)
        self.texts.append(text)

    def part(self, rows: slice) -> "Texts":
        """Some of them."""
        return Texts(self.kinds[rows], self.keys[rows], self.texts[rows])


class Judged(NamedTuple):
    """What became of texts."""

    texts: list[str]
    hits: Mapping[str, int]
    """How often each rule found something."""
    left_out: Sequence[int]
    """Rows of attributes that are not to be stored: the policy drops what was found there, or does not list them."""


def judge(texts: Texts, columns: int, scope: Scope) -> Judged:
    """Applies an app's policy.

    Args:
        columns: so many texts stand in columns; the rest are attributes, which the policy's list and the rule about
            identities concern.
    """
    rules, put = scope.policy.rules, replacing(scope)
    if rules.listed is None:
        found = privacy.scrub_batch(*texts, rules, put)
        scrubbed, hits = found.texts, Counter(found.hits)
    else:
        of_columns = privacy.scrub_batch(*texts.part(slice(columns)), rules.without_list, put)
        of_attributes = privacy.scrub_batch(*texts.part(slice(columns, None)), rules, put)
        scrubbed = of_columns.texts + of_attributes.texts
        hits = Counter(of_columns.hits) + Counter(of_attributes.hits)
    if Action.HASH in rules.actions.values():
        for row, column in enumerate(texts.keys[:columns]):
            if column in DIMENSIONS and "{" in scrubbed[row]:
                scrubbed[row] = without_pseudonyms(scrubbed[row])
    return Judged(scrubbed, hits, _finish_attributes(scrubbed, hits, texts, columns, scope))


def replacing(scope: Scope) -> Replace:
    """What stands in the place of a find, as the app's policy has it."""
    actions = scope.policy.rules.actions
    if not actions:
        return mark_only

    def put(mark: str, original: str) -> str:
        action = actions.get(mark, Action.MARK)
        if action is Action.HASH:
            return _hashed(mark, original, scope.key)
        return DROP if action is Action.DROP else mark

    return put


def _hashed(mark: str, original: str, key: bytes) -> str:
    return f"{mark[:-1]}:{privacy.pseudonym(key, original)}}}" if original else mark


def _finish_attributes(
    scrubbed: list[str], hits: Counter[str], texts: Texts, first: int, scope: Scope
) -> Sequence[int]:
    """Makes identities pseudonyms; the rows, of those from `first` on, that are not to be stored."""
    actions, lists = scope.policy.rules.actions, scope.policy.rules.lists
    left_out = []
    for row in range(first, len(scrubbed)):
        new, old, key = scrubbed[row], texts.texts[row], texts.keys[row]
        if not new:
            if old or not lists(key):
                left_out.append(row)
            continue
        mark = _identity(new, key)
        if mark is None or marks.is_mark(old) or scope.policy.rules.allows(key):
            continue
        action = actions.get(mark, Action.HASH)
        if action is Action.DROP:
            left_out.append(row)
        scrubbed[row] = mark if action is Action.MARK else _hashed(mark, old, scope.key)
        if new == old:
            hits["key"] += 1
    return left_out


def _identity(scrubbed: str, key: str) -> str | None:
    """The mark of whom an attribute names. Of what identifies a device, only an installation is somebody."""
    mark = IDENTITY_OF.get(key.lower())
    if mark is not None and scrubbed != marks.DENIED:
        return mark
    if scrubbed not in IDENTITIES:
        return None
    return scrubbed if scrubbed != marks.DEVICE or not _INSTALLATION.isdisjoint(keys.words(key)) else None
