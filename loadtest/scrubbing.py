"""CPU µs per string of the scrubber: over ordinary traffic and over corpora full of personal data, beside `re`."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from random import Random
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import privacy
from ingest.decode.formats import DECODERS
from ingest.decode.inflate import inflate
from ingest.pipeline.scopes import find_scopes
from ingest.pipeline.scrub import scrub
from ingest.settings import AppPolicy, Limits
from loadtest import naive_scrub
from loadtest.bodies import bodies
from loadtest.stages import FORMATS, reception
from tests.privacy.corpus import DEVELOPMENT, generate
from tests.privacy.score import Line, load

BATCHES = (2000, 200, 1)
"""Strings handed over at once."""
ROUNDS = 7
SPANS = 30
"""Of a body."""
BODIES = 160
"""Of a round: somewhat more than 2,000 distinct texts that hold nothing."""
ORDINARY = 0.05
"""Share of texts that hold something in ordinary traffic; the synthetic world is richer, so that scrubbing shows."""
DRAWS = 2
"""Of every template of the generated corpus."""


class Text(NamedTuple):
    """A text as the pipeline hands it over."""

    kind: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a kind of text costs."""

    name: str
    strings: int
    changed: float
    """Share of the texts in which something was found."""
    us: dict[int, float]
    """By the size of the batch."""
    naive_us: float


def measure_scrubbing() -> list[Cost]:
    """Ordinary traffic first."""
    seeds = range(1, ROUNDS + 2)
    traffic = [_traffic(seed) for seed in seeds]
    return [
        _measure("ordinary traffic", [_thinned(texts) for texts in traffic]),
        _measure("the traffic of the tables above", traffic),
        _measure("development corpus", [_texts(load(DEVELOPMENT))] * len(seeds)),
        _measure("generated corpus", [_texts(generate(seed, draws=DRAWS)) for seed in seeds]),
    ]


def cost_table(costs: Sequence[Cost]) -> list[str]:
    """The costs in Markdown."""
    sizes = " | ".join(f"{size:,} at once" if size > 1 else "one by one" for size in BATCHES)
    rows = [
        f"| scrubbing, CPU µs per string | strings | hold something | {sizes} | `re`, one by one |",
        "|---|--:|--:|" + "--:|" * (len(BATCHES) + 1),
    ]
    return rows + [
        f"| {cost.name} | {cost.strings:,} | {cost.changed:.0%} | "
        + " | ".join(f"{cost.us[size]:.1f}" for size in BATCHES)
        + f" | {cost.naive_us:.0f} |"
        for cost in costs
    ]


def _measure(name: str, rounds: Sequence[Sequence[Text]]) -> Cost:
    """The median round; the first warms up what is remembered of names."""
    warm, *measured = rounds
    spent: dict[int, list[float]] = {size: [] for size in BATCHES}
    for texts in (warm, *measured):
        for size in BATCHES:
            spent[size].append(_us(lambda size=size, texts=texts: _scrub(texts, size)) / len(texts))
    last = measured[-1]
    scrubbed = _scrub(last, len(last))
    naive_us = _us(lambda: [naive_scrub.scrub(*text) for text in last]) / len(last)
    return Cost(
        name=name,
        strings=len(last),
        changed=sum(new != text.text for new, text in zip(scrubbed, last, strict=True)) / len(last),
        us={size: median(of_size[1:]) for size, of_size in spent.items()},
        naive_us=naive_us,
    )


def _scrub(texts: Sequence[Text], size: int) -> list[str]:
    scrubbed: list[str] = []
    for start in range(0, len(texts), size):
        kinds, keys, values = zip(*texts[start : start + size], strict=True)
        scrubbed += privacy.scrub_many(kinds, keys, values)
    return scrubbed


def _us(work: Callable[[], Any]) -> float:
    before = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - before) / 1000


def _traffic(seed: int) -> list[Text]:
    """What the pipeline hands over for a micro-batch of native traffic."""
    endless = bodies("native", "gzip", SPANS, sealed_at_us=time.time_ns() // 1000, seed=seed)
    prepared = list(islice(endless, BODIES))
    inflated = [inflate(one.body, "gzip", 2 << 20) for one in prepared]
    decoded = DECODERS[FORMATS["native"]](inflated, Limits())
    receptions = [reception(one) for one in prepared]
    scopes = find_scopes(receptions, privacy.Ring(0, b"k" * 32), lambda _: AppPolicy())
    with _overheard() as texts:
        scrub(decoded.batch, scopes)
    return texts


def _thinned(texts: Sequence[Text]) -> list[Text]:
    """The texts that hold nothing, with as many that do as is ordinary."""
    scrubbed = _scrub(texts, len(texts))
    clean = [text for text, new in zip(texts, scrubbed, strict=True) if text.text == new]
    holding = [text for text, new in zip(texts, scrubbed, strict=True) if text.text != new]
    spaced = [holding[int(place)] for place in np.linspace(0, len(holding) - 1, int(len(clean) * ORDINARY))]
    mixed = clean + spaced
    Random(0).shuffle(mixed)
    return mixed


@contextmanager
def _overheard() -> Iterator[list[Text]]:
    """Every text handed to the scrubber for as long as the context lasts."""
    texts: list[Text] = []
    original = privacy.scrub_batch

    def overhear(kinds: Sequence[str], keys: Sequence[str], values: Sequence[str], *given: Any, **named: Any) -> Any:
        texts.extend(map(Text, kinds, keys, values))
        return original(kinds, keys, values, *given, **named)

    privacy.scrub_batch = overhear
    try:
        yield texts
    finally:
        privacy.scrub_batch = original


def _texts(lines: Sequence[Line]) -> list[Text]:
    return [Text(line.kind, line.key or "", line.text) for line in lines]
