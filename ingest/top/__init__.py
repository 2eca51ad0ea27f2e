"""`firsthop top`: percentiles by route, version or country in a terminal, as they change.

`ask` asks the query API, `board` lays an answer out as lines of text, `screen` shows them with curses. curses comes
with Python; the libraries that would do more for a terminal (rich, textual, blessed) are larger than one table needs.
"""

DIMENSIONS = ("route", "version", "country", "device_class", "network", "os")
"""What a row can be."""
QUANTILES = (0.5, 0.75, 0.95, 0.99)
SORTS = ("spans", "errors", "p50", "p75", "p95", "p99")
"""What rows can be sorted by, largest first; these are the columns, too."""
