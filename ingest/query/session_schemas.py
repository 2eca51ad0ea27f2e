"""JSON Schema of what is answered about sessions."""

from ingest.model import ClockQuality, Signal
from ingest.query import schemas
from ingest.query.trace_schemas import (
    COUNT_OR_NULL,
    CURSOR,
    NUMBER_OR_NULL,
    PHASES,
    SPAN_ID,
    SPAN_ID_OR_NULL,
    TRACE_ID,
    WEIGHT,
)

PSEUDONYM: schemas.Schema = {"type": "string", "description": "Of the session: 20 hex digits."}
_WHO = {
    **dict.fromkeys(("version", "country", "network", "os"), schemas.TEXT_OR_NULL),
    "device_class": schemas.TEXT,
}

LIST = schemas.row(
    suppressed=schemas.SUPPRESSED,
    sessions=schemas.rows(
        schemas.row(
            session=PSEUDONYM,
            first_at=schemas.TIME,
            last_at=schemas.TIME,
            spans=schemas.COUNT,
            errors=schemas.COUNT,
            traces=schemas.COUNT,
            slowest_name=schemas.TEXT_OR_NULL,
            slowest_us=COUNT_OR_NULL,
            **_WHO,
        )
    ),
    next=CURSOR,
)

_CLOCK = schemas.row(
    clock=schemas.COUNT,
    spans=schemas.COUNT,
    grade={"enum": [quality.name for quality in ClockQuality]},
    err_us={**COUNT_OR_NULL, "description": "The most that a start may be off; null: nothing bounds one of them."},
    conflict=schemas.FLAG,
)

_SPAN = schemas.row(
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    parent_span_id=SPAN_ID_OR_NULL,
    signal={"enum": [signal.word for signal in Signal]},
    name=schemas.TEXT,
    route=schemas.TEXT_OR_NULL,
    screen=schemas.TEXT_OR_NULL,
    failed=schemas.FLAG,
    http_status=NUMBER_OR_NULL,
    error_type=schemas.TEXT_OR_NULL,
    start_at=schemas.TIME,
    start_us={**schemas.COUNT, "description": "From the session's start."},
    err_us={**COUNT_OR_NULL, "description": "How far the start may be off, either way; null: nothing bounds it."},
    clock={
        **schemas.COUNT,
        "description": "Which clock measured it; starts of two clocks may be off against each other.",
    },
    duration_us=schemas.COUNT,
    phases=PHASES,
    weight=WEIGHT,
    **_WHO,
)

ONE = schemas.row(
    session=PSEUDONYM,
    start_at=schemas.TIME,
    duration_us=schemas.COUNT,
    counts=schemas.row(
        spans=schemas.COUNT,
        errors=schemas.COUNT,
        traces=schemas.COUNT,
        more={**schemas.FLAG, "description": "There are later spans, which were not read."},
        signals={"type": "object", "additionalProperties": schemas.COUNT},
    ),
    clocks=schemas.rows(_CLOCK),
    spans=schemas.rows(_SPAN),
    next=CURSOR,
)
