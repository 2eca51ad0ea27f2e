"""Counters, histograms and gauges in OpenMetrics text. No I/O.

Source: OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Counter:
    """A number that only grows, by the value of one label or without."""

    def __init__(self, name: str, about: str, label: str = "", values: tuple[str, ...] = ()) -> None:
        self.name, self.about, self._label = name, about, label
        self.counts: dict[str, int] = dict.fromkeys(values if label else ("",), 0)

    def add(self, count: int = 1, value: str = "") -> None:
        """Counts `count` more under the label's value."""
        self.counts[value] = self.counts.get(value, 0) + count

    def lines(self, common: str) -> Iterator[str]:
        """The counter in OpenMetrics text; `common` are the labels that every sample carries."""
        yield from head(self.name, "counter", self.about)
        for value, count in self.counts.items():
            labels = f'{common},{self._label}="{value}"' if self._label else common
            yield f"{self.name}_total{{{labels}}} {count}"


class Histogram:
    """How often values fell below each bound."""

    def __init__(self, name: str, about: str, bounds: tuple[float, ...]) -> None:
        self.name, self.about, self._bounds = name, about, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, common: str) -> Iterator[str]:
        """The histogram in OpenMetrics text."""
        yield from head(self.name, "histogram", self.about)
        seen = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            seen += count
            yield f'{self.name}_bucket{{{common},le="{number(bound)}"}} {seen}'
        yield f"{self.name}_count{{{common}}} {seen}"
        yield f"{self.name}_sum{{{common}}} {self._sum:.6f}"


class Gauge:
    """A number read when asked."""

    def __init__(self, name: str, about: str) -> None:
        self.name, self.about = name, about
        self.read: Callable[[], float] = lambda: 0

    def lines(self, common: str) -> Iterator[str]:
        """The gauge in OpenMetrics text."""
        yield from head(self.name, "gauge", self.about)
        yield f"{self.name}{{{common}}} {number(self.read())}"


def head(name: str, kind: str, about: str) -> Iterator[str]:
    """What comes before the samples of a metric; a name that ends with a unit says so."""
    yield f"# TYPE {name} {kind}"
    unit = name.rpartition("_")[2]
    if unit in ("seconds", "bytes"):
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {about}"


def number(value: float) -> str:
    """A number as OpenMetrics writes it."""
    return "+Inf" if value == float("inf") else f"{value:g}" if value % 1 else f"{value:.1f}"


def labels(values: Mapping[str, str]) -> str:
    """Names and values as they stand between braces."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
