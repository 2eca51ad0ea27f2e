"""How much personal data a scrubber removes, and how much of the rest it destroys, over labelled texts.

A labelled value counts as removed when neither it nor a decoded form of it can be read in the output: raw,
percent-decoded, HTML- or JSON-unescaped or base64-decoded, caseless, up to four decodings deep; for numbers also with
their separators taken out, so that re-spacing a card is no removal. *Partial* is a value that was removed while most of
it can still be read: the local part of an e-mail, three fifths of a token. Cut addresses and rounded coordinates are
no leak.
"""

import base64
import binascii
import gzip
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import ceil
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

DEPTH = 4
"""Decodings on top of each other that a reader of the output is believed to try."""
MOST_FORMS = 200
SQUEEZED = frozenset({"card", "phone", "iban", "ssn", "national_id", "imei", "mac"})
"""Types whose separators mean nothing."""
MAY_BE_COARSE = frozenset({"ipv4", "ipv6", "ip_dashed", "geo", "dob", "address", "device_name"})
"""Types of which a part may stay."""

_NUMBER = re.compile(r"^(neg-)?\d+-")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{10,}={0,2}")
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_SEPARATORS = re.compile(r"[\s\-.()/_:+]+")


class Label(NamedTuple):
    """A personal value, as it stands in the text or as it reads when decoded."""

    type: str
    value: str


class Line(NamedTuple):
    """One labelled text."""

    family: str
    kind: str
    key: str
    text: str
    personal: tuple[Label, ...]
    keep: tuple[str, ...]
    """What must survive, verbatim."""


class Finding(NamedTuple):
    """A value that leaked or a string that was lost."""

    line: Line
    what: str
    type: str
    """The label's type; empty for a lost string."""
    output: str


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one corpus; shares are of 1."""

    recall: float
    kept: float
    damaged: float
    """Share of the texts without personal data that lost a string."""
    by_type: Mapping[str, tuple[int, int]]
    """Type → (removed, of how many)."""
    leaks: Sequence[Finding]
    partial: Sequence[Finding]
    """Values of which most can still be read; they count as removed."""
    lost: Sequence[Finding]


def load(path: Path) -> list[Line]:
    """The lines of a packed corpus: JSON lines with id, kind, key, text, pii and keep."""
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        return [_line(json.loads(row)) for row in rows if row.strip()]


def score(lines: Sequence[Line], outputs: Sequence[str]) -> Score:
    """Judges `outputs`, one per line in the same order."""
    leaks, partial, lost = [], [], []
    by_type: dict[str, tuple[int, int]] = {}
    for line, output in zip(lines, outputs, strict=True):
        readable = Readable(output) if line.personal else None
        for label in line.personal:
            assert readable is not None
            gone = not readable.shows(label)
            removed, total = by_type.get(label.type, (0, 0))
            by_type[label.type] = removed + gone, total + 1
            found = Finding(line, label.value, label.type, output)
            if not gone:
                leaks.append(found)
            elif readable.shows_most_of(label):
                partial.append(found)
        lost += [Finding(line, kept, "", output) for kept in line.keep if kept not in output]
    values = sum(total for _, total in by_type.values())
    clean = [line for line in lines if not line.personal]
    damaged = {id(found.line) for found in lost if not found.line.personal}
    return Score(
        recall=1 - len(leaks) / max(values, 1),
        kept=1 - len(lost) / max(sum(len(line.keep) for line in lines), 1),
        damaged=len(damaged) / max(len(clean), 1),
        by_type=by_type,
        leaks=leaks,
        partial=partial,
        lost=lost,
    )


class Readable:
    """What can be read in an output, in all its decodings."""

    def __init__(self, output: str) -> None:
        self._forms = {form.casefold() for form in decodings(output)}
        self._squeezed = {_SEPARATORS.sub("", form) for form in self._forms}

    def shows(self, label: Label) -> bool:
        """Whether the value can be read."""
        wanted = _forms_of_value(label.value)
        if any(value in form for value in wanted for form in self._forms):
            return True
        if label.type not in SQUEEZED:
            return False
        tight = [_SEPARATORS.sub("", value) for value in wanted]
        return any(len(value) >= 8 and value in form for value in tight for form in self._squeezed)

    def shows_most_of(self, label: Label) -> bool:
        """Whether most of the value can be read, in one piece or in pieces of five characters and more."""
        if label.type in MAY_BE_COARSE:
            return False
        value = min(decodings(label.value, base64_too=False), key=len).casefold()
        if label.type == "email" and "@" in value:
            local = re.escape(value.split("@", maxsplit=1)[0])
            whole = re.compile(rf"(?<![a-z0-9]){local}(?![a-z0-9])")
            return value.index("@") >= 5 and any(whole.search(form) for form in self._forms)
        needed = max(6, ceil(len(value) * 0.6))
        return any(_common(value, form) >= needed for form in self._forms if len(form) >= needed)


def decodings(text: str, *, base64_too: bool = True) -> set[str]:
    """The text and what it gives when decoded again and again, in every order."""
    seen, todo = {text}, [(text, 0)]
    while todo and len(seen) < MOST_FORMS:
        form, depth = todo.pop()
        if depth == DEPTH:
            continue
        for decoded in _decoded_once(form, base64_too=base64_too):
            if decoded not in seen:
                seen.add(decoded)
                todo.append((decoded, depth + 1))
    return seen


def report(scored: Score, *, most: int = 40, of: Callable[[Finding], str] = lambda found: found.line.family) -> str:
    """The figures and what failed, grouped, for a person to read."""
    rows = [f"recall {scored.recall:.2%}  kept {scored.kept:.2%}  clean damaged {scored.damaged:.2%}"]
    rows += [f"  {name:14} {n}/{total}" for name, (n, total) in sorted(scored.by_type.items()) if n < total]
    for title, findings in (("leaked", scored.leaks), ("lost", scored.lost), ("partial", scored.partial)):
        groups: dict[str, list[Finding]] = {}
        for found in findings:
            groups.setdefault(of(found), []).append(found)
        rows += [
            f"{title} {len(group)} in {name}: {group[0].type} {group[0].what!r}\n    {group[0].line.kind} "
            f"{group[0].line.key!r} {group[0].line.text[:300]!r}\n -> {group[0].output[:300]!r}"
            for name, group in sorted(groups.items(), key=lambda group: -len(group[1]))[:most]
        ]
    return "\n".join(rows)


def _line(row: Mapping[str, object]) -> Line:
    labels: Iterable[Mapping[str, str]] = row["pii"]  # type: ignore[assignment]
    keep: Iterable[str] = row["keep"]  # type: ignore[assignment]
    return Line(
        family=_NUMBER.sub("", str(row["id"])),
        kind=str(row["kind"]),
        key=str(row["key"] or ""),
        text=str(row["text"]),
        personal=tuple(Label(label["type"], label["value"]) for label in labels),
        keep=tuple(keep),
    )


def _decoded_once(text: str, *, base64_too: bool) -> Iterable[str]:
    if "%" in text:
        yield unquote(text)
    if "+" in text:
        yield unquote_plus(text)
    if "&" in text:
        yield html.unescape(text)
    if "\\u" in text:
        yield _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if base64_too:
        yield from filter(None, (_from_base64(match[0]) for match in _BASE64.finditer(text)))


def _from_base64(token: str) -> str:
    """The text that the token encodes; empty when it encodes none."""
    bare = token.rstrip("=").replace("-", "+").replace("_", "/")
    if len(bare) < 10 or len(bare) % 4 == 1:
        return ""
    try:
        text = base64.b64decode(bare + "=" * (-len(bare) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if all(letter.isprintable() or letter in "\r\n\t" for letter in text) else ""


def _forms_of_value(value: str) -> set[str]:
    forms = decodings(value, base64_too=False)
    inside = _from_base64(unquote(value))
    if inside:
        forms |= decodings(inside)
    return {form.casefold() for form in forms if len(form) >= 3}


def _common(value: str, form: str) -> int:
    """Characters of the value that the form shows: its longest piece, or all its pieces of five and more."""
    longest = _longest_common(value, form)
    if len(value) < 12:
        return longest
    blocks = SequenceMatcher(None, value, form, autojunk=False).get_matching_blocks()
    return max(longest, sum(block.size for block in blocks if block.size >= 5))


def _longest_common(value: str, form: str) -> int:
    pieces = 0
    for start, _ in enumerate(value):
        while start + pieces < len(value) and value[start : start + pieces + 1] in form:
            pieces += 1
    return pieces
