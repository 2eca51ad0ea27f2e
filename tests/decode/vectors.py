"""The vectors of `client_sdk_spec/vectors`, and a `SpanBatch` told in their words."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ingest.model import METRICS, UNKNOWN, ClockKind, ConsentState, Phase, Resources, Sketches, SpanBatch, Spans

VECTORS = Path(__file__).parents[2] / "client_sdk_spec" / "vectors"
CONTENT_ENCODING = {".gz": "gzip", ".zst": "zstd", ".zz": "deflate"}

_PHASE_COLUMNS = tuple(f"{phase.name.lower()}_us" for phase in Phase)
_NUMBERS = ("signal", "kind", "status", "start_us", "duration_us", "http_status", "request_bytes", "response_bytes")


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def bodies(folder: str) -> list[Path]:
    """The files of a folder that are bodies."""
    return sorted(path for path in (VECTORS / folder).iterdir() if not path.name.endswith(_NOT_BODIES))


_NOT_BODIES = (".columns.json", ".batch.json", "reasons.json")


def told(batch: SpanBatch) -> dict[str, Any]:
    """Every column of every table with text for codes and hex for ids: equal for equal content, whatever the codes."""

    def text(codes: Any) -> list[str]:
        return [batch.strings[code] for code in codes]

    def hexed(rows: Any) -> list[str]:
        return [bytes(row).hex() for row in rows]

    spans = batch.spans
    columns: dict[str, list[Any]] = {
        "resource": spans.resource.tolist(),
        "trace_id": hexed(spans.trace_id),
        "span_id": hexed(spans.span_id),
        "parent_span_id": hexed(spans.parent_span_id),
        "threshold": [None if t == UNKNOWN else f"{t:014x}" for t in spans.threshold],
        "randomness": [None if r == UNKNOWN else f"{r:014x}" for r in spans.randomness],
    }
    columns |= {name: text(getattr(spans, name)) for name in Spans.CODES}
    columns |= {name: getattr(spans, name).tolist() for name in _NUMBERS}
    columns |= dict(zip(_PHASE_COLUMNS, spans.phases_us.tolist(), strict=True))
    resources = {name: text(getattr(batch.resources, name)) for name in Resources.CODES}
    resources |= {name: getattr(batch.resources, name).tolist() for name in ("body", "memory_mb", "cores")}
    resources["reported"] = batch.resources.reported.tolist()
    resources["consent"] = [ConsentState(state).word for state in batch.resources.consent]
    return {
        "bodies": {
            "batch_id": hexed(batch.bodies.batch_id),
            "clock": ["mono" if kind == ClockKind.MONOTONIC else "wall" for kind in batch.bodies.clock],
            "epoch": text(batch.bodies.epoch),
            "sealed_mono_us": batch.bodies.sealed_mono_us.tolist(),
            "sealed_wall_us": batch.bodies.sealed_wall_us.tolist(),
            "sketched": batch.bodies.sketched.tolist(),
        },
        "resources": resources,
        "spans": columns,
        "attributes": {
            "owner": batch.attributes.owner.tolist(),
            "key": text(batch.attributes.key),
            "value": text(batch.attributes.value),
        },
        "events": {
            "owner": batch.events.owner.tolist(),
            "name": text(batch.events.name),
            "offset_us": batch.events.offset_us.tolist(),
        },
        "links": {
            "owner": batch.links.owner.tolist(),
            "trace_id": hexed(batch.links.trace_id),
            "span_id": hexed(batch.links.span_id),
        },
        "drops": {
            "body": batch.drops.body.tolist(),
            "reason": text(batch.drops.reason),
            "spans": batch.drops.spans.tolist(),
        },
        **_told_sketches(batch),
    }


def _told_sketches(batch: SpanBatch) -> dict[str, Any]:
    """The sketch sets, and their bins in order of set, metric and bucket."""
    sketches, bins = batch.sketches, batch.sketch_bins
    numbers = ("resource", "start_us", "width_us", "spans", "errors", "remapped")
    found = {name: [batch.strings[code] for code in getattr(sketches, name)] for name in Sketches.CODES}
    found |= {name: getattr(sketches, name).tolist() for name in numbers}
    found |= {name: getattr(sketches, name).T.tolist() for name in ("reused", "unknown")}
    order = np.lexsort((bins.bucket, bins.metric, bins.owner))
    rows = bins.take(order)
    return {
        "sketches": found,
        "sketch_bins": {
            "owner": rows.owner.tolist(),
            "metric": [METRICS[metric] for metric in rows.metric],
            "bucket": rows.bucket.tolist(),
            "count": rows.count.tolist(),
        },
    }


def told_of_one(batch: SpanBatch) -> dict[str, Any]:
    """The same for a batch of one good body, in the shape of a vector's `.columns.json`."""
    tables = told(batch)
    spans, drops, resources = tables["spans"], tables["drops"], tables["resources"]
    assert set(tables["sketches"].pop("resource")) <= {0}
    assert set(spans.pop("resource")) <= {0}
    assert set(drops.pop("body")) <= {0}
    assert resources.pop("body") == [0]
    body = {name: column[0] for name, column in tables.pop("bodies").items()}
    resource = {name: column[0] for name, column in tables.pop("resources").items()}
    return {"body": body, "resource": resource, **tables}
