"""One template and one draw → one labelled line. The brackets are explained in the package's docstring."""

import re
from dataclasses import dataclass, field
from functools import reduce
from random import Random

from tests.privacy.corpus.encodings import ENCODINGS
from tests.privacy.corpus.fillers import FILLERS
from tests.privacy.corpus.people import Person
from tests.privacy.corpus.personal import PERSONAL
from tests.privacy.score import Label

_BRACKET = re.compile("[«»⟨⟩‹›⟦⟧]")
_HEAD = re.compile("[a-z0-9|]+: ?")


class TemplateError(ValueError):
    """The template does not say what it means; the message holds it."""


@dataclass(slots=True)
class Rendered:
    """A text with its labels."""

    text: str = ""
    personal: list[Label] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)


def render(template: str, rng: Random, person: Person) -> Rendered:
    """Draws every value of the template."""
    rendered, end = _run(template.replace("⏎", "\n").replace("⇥", "\t"), 0, "", rng, person)
    if end != len(template):
        raise TemplateError(template)
    if not rendered.personal and not rendered.keep:
        rendered.keep.append(rendered.text)
    return rendered


def _run(template: str, start: int, closing: str, rng: Random, person: Person) -> tuple[Rendered, int]:
    """What stands between `start` and the closing bracket, and where that ends."""
    out = Rendered()
    while True:
        bracket = _BRACKET.search(template, start)
        out.text += template[start : bracket.start() if bracket else len(template)]
        if bracket is None or bracket[0] == closing:
            if bracket is None and closing:
                raise TemplateError(template)
            return out, bracket.end() if bracket else len(template)
        start = _bracket(out, template, bracket, rng, person)


def _bracket(out: Rendered, template: str, bracket: re.Match[str], rng: Random, person: Person) -> int:
    """Draws one bracket into `out` and says where it ends."""
    start = bracket.end()
    if bracket[0] in "«⟨":
        end = template.index("»" if bracket[0] == "«" else "⟩", start)
        name, *encodings = template[start:end].split("|")
        name, _, argument = name.partition(":")
        if bracket[0] == "«":
            value = PERSONAL[name]
            made = _encode(value.make(rng, person, argument), encodings)
            out.personal.append(Label(value.type, made))
        else:
            made = _encode(FILLERS[name](rng, argument), encodings)
        out.text += made
        return end + 1
    if bracket[0] == "‹":
        inside, end = _run(template, start, "›", rng, person)
        if inside.personal or inside.keep:
            raise TemplateError(template)
        out.keep.append(inside.text)
        out.text += inside.text
        return end
    head = _HEAD.match(template, start)
    if bracket[0] != "⟦" or head is None:
        raise TemplateError(template)
    inside, end = _run(template, head.end(), "⟧", rng, person)
    if inside.keep:
        raise TemplateError(template)
    out.personal += inside.personal
    out.text += _encode(inside.text, head[0].rstrip(": ").split("|"))
    return end


def _encode(text: str, encodings: list[str]) -> str:
    return reduce(lambda wrapped, encoding: ENCODINGS[encoding](wrapped), encodings, text)
