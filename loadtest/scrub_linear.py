"""µs per KiB of the scrubber by the length of the text: flat for ordinary and for hostile texts up to the limit.

    python -m loadtest.scrub_linear

Every text is scrubbed alone, at each size, under every kind; what counts is the quickest of some rounds, because other
work on the machine only ever adds.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import privacy
from tests.privacy.corpus.hostile import HOSTILE, Hostile

SIZES = (1, 2, 4, 8, 16)
"""KiB; the last is the limit of a text."""
KINDS = ("message", "url", "attribute", "header", "sql", "path", "user_agent")
ROUNDS = 3
STEEPEST = 3.0
"""How much dearer a KiB of the longest text may be than one of the shortest."""
SHOWN = 12
ORDINARY: Mapping[str, Hostile] = {
    "ordinary log": Hostile(
        "GET /checkout/confirm 200 in 123.4 ms, cart has 3 items of 12.50 EUR; retry 1/5 after 503. "
    ),
    "ordinary trace": Hostile("    at com.acme.shop.cart.CartViewModel.load(CartViewModel.kt:118)\n"),
    "ordinary JSON": Hostile('{"event":"add_to_cart","sku":"P-4711-X","price":12.5,"currency":"EUR","qty":2},'),
    "log with personal data": Hostile(
        "user jane.doe@example.com from 203.0.113.7 paid with 4111 1111 1111 1111, token=Zx9Kq2Lm7Pw4Rt8Vb3 "
        + "and then nothing of note happened for a while in the checkout of the shop, as is usual at this hour. " * 3
    ),
}


class Flatness(NamedTuple):
    """What one text costs at every size."""

    name: str
    kind: str
    us_per_kib: Sequence[float]
    """By `SIZES`."""

    @property
    def steepness(self) -> float:
        """How much dearer a KiB of the longest text is than one of the shortest."""
        return self.us_per_kib[-1] / self.us_per_kib[0]

    @property
    def dearest_ms(self) -> float:
        """Milliseconds of the dearest text."""
        return max(us * size for us, size in zip(self.us_per_kib, SIZES, strict=True)) / 1000


def measure_flatness() -> list[Flatness]:
    """Ordinary texts first, then the hostile ones."""
    return [
        Flatness(name, kind, [_us(kind, text.text(size * 1024)) / size for size in SIZES])
        for name, text in {**ORDINARY, **HOSTILE}.items()
        for kind in KINDS
    ]


def flatness_table(measured: Sequence[Flatness]) -> list[str]:
    """In Markdown: the ordinary texts, then of the hostile ones the dearest and the steepest."""
    ordinary = [one for one in measured if one.name in ORDINARY and one.kind == "message"]
    hostile = [one for one in measured if one.name in HOSTILE]
    dearest = sorted(hostile, key=lambda one: -one.dearest_ms)[: SHOWN // 2]
    steepest = sorted(hostile, key=lambda one: -one.steepness)[: SHOWN // 2]
    rows = [
        "| scrubbing one text, CPU µs per KiB | " + " | ".join(f"{size} KiB" for size in SIZES) + " | dearest, ms |",
        "|---|" + "--:|" * (len(SIZES) + 1),
    ]
    rows += [
        f"| {one.name} ({one.kind}) | "
        + " | ".join(f"{us:.0f}" for us in one.us_per_kib)
        + f" | {one.dearest_ms:.1f} |"
        for one in (*ordinary, *dearest, *(one for one in steepest if one not in dearest))
    ]
    return [*rows, "", _verdict(hostile)]


def worst_steepness(measured: Sequence[Flatness]) -> float:
    """Of all texts."""
    return max(one.steepness for one in measured)


def main() -> None:
    """Prints the table."""
    print("\n".join(flatness_table(measure_flatness())))


def _verdict(hostile: Sequence[Flatness]) -> str:
    steep = [one for one in hostile if one.steepness > STEEPEST]
    dearest = max(one.dearest_ms for one in hostile)
    return (
        f"{len(hostile)} hostile texts: the dearest took {dearest:.1f} ms; {len(steep)} cost more than {STEEPEST:.0f} "
        f"times as much per KiB at {SIZES[-1]} KiB as at {SIZES[0]}."
    )


def _us(kind: str, text: str) -> float:
    return min(_once(lambda: privacy.scrub(kind, "", text)) for _ in range(ROUNDS))


def _once(work: Callable[[], object]) -> float:
    before = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - before) / 1000


if __name__ == "__main__":
    main()
