"""Attribute values as text, the same from protobuf and JSON."""

from typing import Any, Final

import orjson

from ingest.errors import TooLarge

MAX_DEPTH: Final = 32
"""Attribute values inside attribute values."""


def text_of(plain: Any) -> str:
    """Text as it is, nothing as the empty text, all else as JSON; doubles that JSON has not by their OTLP names."""
    if isinstance(plain, str):
        return plain
    if plain is None:
        return ""
    if isinstance(plain, float):
        if plain != plain:  # noqa: PLR0124 - the definition of NaN
            return "NaN"
        if plain in (float("inf"), float("-inf")):
            return "Infinity" if plain > 0 else "-Infinity"
        # No negative zero: it equals zero, so a memory of values cannot tell them apart.
        plain += 0.0
    return orjson.dumps(plain).decode()


class Budget:
    """Bounds what costs more than it weighs in one body.

    That is different attributes and events, parts of nested values, links, and events in an odd order.
    """

    def __init__(self) -> None:
        self.left = 0

    def spend(self, parts: int, depth: int = 0) -> None:
        """Takes parts, of a value at this depth, off the budget.

        Raises:
            TooLarge: too many parts, or nested too deeply.
        """
        self.left -= parts
        if self.left < 0:
            raise TooLarge(
                "too_many_values", "the body has too many different attributes, events or links; send smaller batches"
            )
        if depth >= MAX_DEPTH:
            raise TooLarge("too_deep", f"an attribute value is nested more than {MAX_DEPTH} deep; send flat attributes")
