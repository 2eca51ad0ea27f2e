"""Answers of the calls about alerts as JSON Schema."""

from ingest.query import schemas
from ingest.query.schemas import Schema, row, rows

_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
_TIME_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_SEVERITY: Schema = {"enum": ["info", "warning", "critical"]}
_RULE: Schema = {"type": "object", "description": "As `Rule` in the components, every member given."}
_KNOWN = row(
    source={"enum": ["api", "file"], "description": "`file`: of the app's file, to be changed there."}, rule=_RULE
)
_SILENCE = row(
    id={"type": "string", "format": "uuid"},
    rule={**schemas.TEXT_OR_NULL, "description": "null: every rule of the app."},
    group=schemas.GROUP,
    reason=schemas.TEXT,
    by={**schemas.TEXT, "description": "Who began it, as the audit log names them."},
    created_at=schemas.TIME,
    until=schemas.TIME,
    holds=schemas.FLAG,
)

ALERTS = row(
    alerts=rows(
        row(
            rule=schemas.TEXT,
            group=schemas.GROUP,
            standing={"enum": ["pending", "firing"]},
            severity=_SEVERITY,
            since_at={**schemas.TIME, "description": "Since when the condition is met."},
            started_at=_TIME_OR_NULL,
            value=_NUMBER_OR_NULL,
            text={**schemas.TEXT, "description": "What happens, in a sentence."},
            silenced=schemas.FLAG,
            **{"from": schemas.TIME, "to": schemas.TIME},
        )
    )
)
RULES = row(
    rules=rows(_KNOWN),
    receivers=rows(schemas.TEXT),
    may_change={**schemas.FLAG, "description": "The key that asks may change them."},
)
RULE = _KNOWN
REMOVED = row(removed=schemas.TEXT)
HISTORY = row(
    history=rows(
        row(
            rule=schemas.TEXT,
            group=schemas.GROUP,
            status={"enum": ["firing", "resolved"]},
            at=schemas.TIME,
            value=_NUMBER_OR_NULL,
            severity=_SEVERITY,
            reason={"enum": ["recovered", "no_data", "rule_removed", None]},
            silenced={**schemas.FLAG, "description": "Nobody was told."},
        )
    )
)
SILENCES = row(silences=rows(_SILENCE))
SILENCE = _SILENCE
ENDED = row(ended={"type": "string", "format": "uuid"})
TESTED = row(id=schemas.TEXT, receivers=rows(schemas.TEXT))
REHEARSED = row(
    **{"from": schemas.TIME, "to": schemas.TIME},
    unit={"enum": ["us", "share", "spans", "sigma"]},
    bound={**_NUMBER_OR_NULL, "description": "What values are held against; null: it differs by window."},
    undecided={**schemas.COUNT, "description": "Windows of too few spans or sessions, or of too few other days."},
    firings=rows(
        row(
            group=schemas.GROUP,
            started_at=schemas.TIME,
            ended_at={**_TIME_OR_NULL, "description": "null: it would fire still."},
            value=_NUMBER_OR_NULL,
            text=schemas.TEXT,
        )
    ),
    lines=rows(
        row(
            group=schemas.GROUP,
            windows=rows(row(at=schemas.TIME, value=_NUMBER_OR_NULL, verdict={"enum": ["met", "clear", "undecided"]})),
        )
    ),
)
