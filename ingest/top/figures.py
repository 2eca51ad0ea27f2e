"""Figures as the table writes them: at most nine cells."""

NONE = "–"
"""Where nothing was measured."""

_UNITS = (("us", 1.0, 999.5), ("ms", 1e3, 999.5), ("s", 1e6, 119.5), ("min", 6e7, 119.5), ("h", 3.6e9, float("inf")))
"""Name, µs, and below how many of it is written in it."""
_THOUSANDS = (("k", 1e3, 999.5), ("M", 1e6, 999.5), ("G", 1e9, float("inf")))


def duration(us: float | None) -> str:
    """Microseconds in the unit that fits, with three digits."""
    if us is None:
        return NONE
    unit, size, _ = next(each for each in _UNITS if us < each[1] * each[2])
    number = us / size
    return f"{number:.{0 if unit == 'us' or number >= 99.95 else 1 if number >= 9.995 else 2}f} {unit}"


def count(spans: float) -> str:
    """A number of spans: whole below ten thousand, then k, M, G."""
    if spans < 9_999.5:
        return f"{spans:.0f}"
    unit, size, _ = next(each for each in _THOUSANDS if spans < each[1] * each[2])
    return f"{spans / size:.{0 if spans >= 99.95 * size else 1}f}{unit}"
