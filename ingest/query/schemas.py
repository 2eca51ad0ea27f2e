"""Pieces of JSON Schema that answers share."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

COUNT: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
US: Schema = {"type": "number", "minimum": 0, "description": "Microseconds."}
US_OR_NULL: Schema = {
    "type": ["number", "null"],
    "minimum": 0,
    "description": "Microseconds; null when nothing was measured.",
}
TIME: Schema = {"type": "string", "format": "date-time"}
INTERVAL: Schema = {
    "type": "array",
    "items": US_OR_NULL,
    "minItems": 2,
    "maxItems": 2,
    "description": "95 % interval of an estimated quantile: low, high; null where no sample bounds it.",
}
COUNT_INTERVAL: Schema = {
    "type": "array",
    "items": {"type": "number", "minimum": 0},
    "minItems": 2,
    "maxItems": 2,
    "description": "95 % interval of an estimated count or sum: low, high.",
}
GROUP: Schema = {"type": "object", "additionalProperties": {"type": "string"}, "description": "Dimension to value."}


def row(optional: Mapping[str, Schema] | None = None, /, **columns: Schema) -> Schema:
    """An object with exactly these members, the optional ones apart."""
    return {
        "type": "object",
        "properties": {**columns, **(optional or {})},
        "required": list(columns),
        "additionalProperties": False,
    }


def rows(item: Schema) -> Schema:
    """An array of such objects."""
    return {"type": "array", "items": item}


NEXT: Schema = {**TEXT_OR_NULL, "description": "The `cursor` of the next page; null: this is the last."}

SUPPRESSED: Schema = {
    **row(
        least_sessions={**COUNT, "description": "The least that a figure shown is about; 1: any is shown."},
        groups={**COUNT, "description": "Groups left out, whatever the filters let pass."},
        points={**COUNT, "description": "Points left out of groups that are shown."},
    ),
    "description": "What has too few distinct sessions to be shown, and what would give it away.",
}

PROVENANCE: Mapping[str, Schema] = {
    "from": {**TIME, "description": "Start of the range, widened to whole steps."},
    "to": TIME,
    "exact": {**FLAG, "description": "From sketches over all spans, within 1 %; else an estimate."},
    "basis": {
        "enum": ["exact", "estimated", "incomplete"],
        "description": "`exact`; `estimated`: spans stand for others; `incomplete`: some hide. See `source`.",
    },
    "source": {**TEXT, "description": "`view:<name>`; or `samples`, which come with 95 % intervals."},
    "truncated": {**FLAG, "description": "There were more groups; these are the largest."},
    "hidden_spans": {
        **COUNT,
        "description": "Spans in overflow series, that the filters may have meant; of `samples`: that none stands for.",
    },
    "weighted_spans": {
        **COUNT,
        "description": "Spans of the app that count for more than themselves: their clients sampled the others away.",
    },
    "relative_error": {"type": "number", "minimum": 0, "description": "Largest error of a quantile from sketches."},
    "suppressed": SUPPRESSED,
}

ERROR = row(error=TEXT, message=TEXT, parameter=TEXT_OR_NULL)
