"""What a question would cost, and from where on it is refused before it runs."""

from ingest.errors import Malformed

MOST_ROLLUPS = 5_000_000
"""What PostgreSQL adds up in about five seconds, after which no answer is waited for."""


def refuse_beyond(rollups: int) -> None:
    """Returns when so many rollups can be added up for one answer.

    Raises:
        Malformed: they cannot; says what would do.
    """
    if rollups > MOST_ROLLUPS:
        raise Malformed(
            "too_costly",
            f"The answer would add up {rollups:,} rollups, at most {MOST_ROLLUPS:,} are: ask for a shorter range,"
            " a coarser step, or a grouping with fewer values.",
        )
