"""JSON Schema of what is answered about traces."""

from ingest.model import Kind, LinkKind, Origin, Phase, Signal, Status
from ingest.query import schemas
from ingest.query.schemas import Schema
from ingest.query.trace_tree import Top

TRACE_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
SPAN_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
SPAN_ID_OR_NULL: Schema = {"type": ["string", "null"], "pattern": "^[0-9a-f]{16}$"}
SIGNED: Schema = {"type": "integer"}
COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
NUMBER_OR_NULL: Schema = {"type": ["integer", "null"]}
WEIGHT: Schema = {"type": "number", "minimum": 0, "description": "Spans it stands for; 0: others do already."}
PROBABILITY: Schema = {
    "type": ["number", "null"],
    "minimum": 0,
    "maximum": 1,
    "description": "That it came into the sample: 1 / weight.",
}
CURSOR: Schema = {"type": ["string", "null"], "description": "Where the next page begins; null: this is the last."}
_OBJECT: Schema = {"type": "object"}
_GRADES = list("ABCDEF")

LIST = schemas.row(
    suppressed=schemas.SUPPRESSED,
    traces=schemas.rows(
        schemas.row(
            trace_id=TRACE_ID,
            name=schemas.TEXT,
            route=schemas.TEXT_OR_NULL,
            start_at=schemas.TIME,
            duration_us=schemas.COUNT,
            spans=schemas.COUNT,
            errors=schemas.COUNT,
            backend_spans=schemas.COUNT,
            oversized=schemas.FLAG,
            version=schemas.TEXT_OR_NULL,
            country=schemas.TEXT_OR_NULL,
            device_class=schemas.TEXT,
            weight=WEIGHT,
            inclusion_probability=PROBABILITY,
            stratum=schemas.TEXT,
        )
    ),
    next=CURSOR,
)

_PHASE = schemas.row({"us": schemas.COUNT}, state={"enum": ["measured", "reused", "unknown"]})

PHASES = schemas.row(**dict.fromkeys((phase.name.lower() for phase in Phase), _PHASE))

_LINE = schemas.row(
    start_us={**schemas.COUNT, "description": "From the start of the trace's line of time."},
    shift_us={**SIGNED, "description": "How far its start was moved there."},
    err_us={**COUNT_OR_NULL, "description": "How far its start may still be off; null: nothing bounds it."},
    clock={**schemas.COUNT, "description": "Place in the summary's `clocks`, from 1; 0: a backend's, which moves not."},
)

_FIRST_BYTE: Schema = {
    "description": "TTFB split into network and server; null: nothing is known of the server.",
    "anyOf": [
        {"type": "null"},
        schemas.row(
            state={"enum": ["measured", "unknown", "contradictory"]},
            network_us=COUNT_OR_NULL,
            server_us=COUNT_OR_NULL,
            server_span_id=SPAN_ID_OR_NULL,
        ),
    ],
}

SPAN = schemas.row(
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    parent_span_id=SPAN_ID_OR_NULL,
    name=schemas.TEXT,
    kind={"enum": [kind.name.lower() for kind in Kind]},
    status={"enum": [status.name.lower() for status in Status]},
    start_at=schemas.TIME,
    duration_us=schemas.COUNT,
    phases=PHASES,
    **dict.fromkeys(("method", "url", "route", "error_type", "protocol", "screen"), schemas.TEXT_OR_NULL),
    **dict.fromkeys(("http_status", "request_bytes", "response_bytes", "clock_err_ms"), NUMBER_OR_NULL),
    **dict.fromkeys(("version", "country", "network", "os", "session"), schemas.TEXT_OR_NULL),
    device_class=schemas.TEXT,
    resource=_OBJECT,
    attributes=_OBJECT,
    events=schemas.rows(schemas.row(name=schemas.TEXT, offset_us=SIGNED)),
    links=schemas.rows(
        schemas.row(trace_id=TRACE_ID, span_id=SPAN_ID, kind={"enum": [kind.name.lower() for kind in LinkKind]})
    ),
    clock_quality={"enum": _GRADES},
    clock_conflict=schemas.FLAG,
    **dict.fromkeys(("clock_skew_ms", "clock_steps", "upload_delay_ms", "server_us"), NUMBER_OR_NULL),
    origin={"enum": [origin.name.lower() for origin in Origin]},
    signal={"enum": [signal.word for signal in Signal]},
    weight=WEIGHT,
    inclusion_probability=PROBABILITY,
    stratum=schemas.TEXT,
    policy_version=SIGNED,
    line=_LINE,
    first_byte=_FIRST_BYTE,
    depth=schemas.COUNT,
    children=schemas.COUNT,
    top={"enum": [None, *(top.name.lower() for top in Top if top)], "description": "Why it hangs on no other span."},
    shared_id={**schemas.FLAG, "description": "Other spans claim the same id."},
)

GROUP = schemas.row(
    like={**SPAN_ID, "description": "Its earliest member: `spans?like=` lists all."},
    parent_span_id=SPAN_ID_OR_NULL,
    name=schemas.TEXT,
    route=schemas.TEXT_OR_NULL,
    depth=schemas.COUNT,
    **dict.fromkeys(("spans", "errors", "total_us", "min_us", "max_us", "p95_us"), schemas.COUNT),
    **dict.fromkeys(("start_us", "end_us"), schemas.COUNT),
)

_LINK = schemas.row(
    span_id={**SPAN_ID, "description": "The span that points."},
    name=schemas.TEXT,
    start_at=schemas.TIME,
    kind={"enum": [kind.name.lower() for kind in LinkKind]},
    trace_id={**TRACE_ID, "description": "The trace at the other end."},
    linked_span_id=SPAN_ID_OR_NULL,
    external_url=schemas.TEXT_OR_NULL,
)
_LINKS = schemas.row(links=schemas.rows(_LINK), more=schemas.FLAG)

_CLOCK = schemas.row(
    clock=schemas.COUNT,
    spans=schemas.COUNT,
    grade={"enum": _GRADES, "description": "The worst of its spans'."},
    err_before_us={**COUNT_OR_NULL, "description": "The largest of its spans' errors as stored; null: unbounded."},
    err_after_us={**COUNT_OR_NULL, "description": "The same on the line of time."},
    shift_us={**SIGNED, "description": "How far its spans were moved, the farthest."},
    conflict={**schemas.FLAG, "description": "The bounds on it contradict each other."},
    tightened_by={**schemas.rows(SPAN_ID), "description": "Backend spans that made the error smaller, at most 10."},
)

_PATH = schemas.row(
    root=SPAN_ID,
    duration_us=schemas.COUNT,
    pieces={
        **schemas.rows(schemas.row(span_id=SPAN_ID, start_us=schemas.COUNT, duration_us=schemas.COUNT)),
        "description": "In order of time; of more than 1,000 the longest.",
    },
    omitted_pieces=schemas.COUNT,
    omitted_us=schemas.COUNT,
    shares={
        **schemas.rows(
            schemas.row(
                name=schemas.TEXT,
                route=schemas.TEXT_OR_NULL,
                service=schemas.TEXT_OR_NULL,
                origin={"enum": [origin.name.lower() for origin in Origin]},
                spans=schemas.COUNT,
                us=schemas.COUNT,
                longest={**SPAN_ID, "description": "The one with the most time of its own on the path."},
            )
        ),
        "description": "All of the path, summed over spans that are alike; the 20 with the most time, that first.",
    },
    other_shares_us=schemas.COUNT,
)

SUMMARY = schemas.row(
    trace_id=TRACE_ID,
    external_url=schemas.TEXT_OR_NULL,
    start_at=schemas.TIME,
    duration_us=schemas.COUNT,
    counts=schemas.row(
        **dict.fromkeys(
            ("spans", "stored", "dropped", "backend", "errors", "roots", "orphans", "cycles", "shared_ids"),
            schemas.COUNT,
        )
    ),
    senders=schemas.rows(
        schemas.row(
            service=schemas.TEXT_OR_NULL,
            origin={"enum": [origin.name.lower() for origin in Origin]},
            spans=schemas.COUNT,
        )
    ),
    whole={**schemas.FLAG, "description": "`spans` holds every span of the trace."},
    spans=schemas.rows(SPAN),
    groups=schemas.rows(GROUP),
    next=CURSOR,
    critical_path=_PATH,
    errors={**schemas.rows(SPAN_ID), "description": "Failed spans, the first 50."},
    clocks={**schemas.rows(_CLOCK), "description": "Of clients, those with the most spans first, at most 50."},
    links=_LINKS,
    linked_from=_LINKS,
)

PAGE = schemas.row(trace_id=TRACE_ID, spans=schemas.rows(SPAN), groups=schemas.rows(GROUP), next=CURSOR)

ONE_SPAN = schemas.row(
    trace_id=TRACE_ID,
    spans={**schemas.rows(SPAN), "description": "Usually one; several when several claim the id, at most 10."},
    linked_from=_LINKS,
)
