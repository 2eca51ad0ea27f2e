"""What a decoder must make of a batch, worked out from the batch itself, with neither encoder nor decoder."""

import json
from collections.abc import Mapping
from typing import Any

from client_sdk_spec.encoder import FIELDS
from client_sdk_spec.sketch_vectors import expected_sketches

UNKNOWN = -2
_ABSENT = {"text": "", "number": UNKNOWN, "flag": False}


def expected(logical: Mapping[str, Any]) -> dict[str, Any]:
    """What a decoder must make of the batch: text for codes, hex for ids and for threshold and randomness."""
    spans, resource, clock = logical["spans"], logical.get("resource", {}), logical.get("clock", {})
    owned = [(row, span) for row, span in enumerate(spans)]
    attributes = [(row, *pair) for row, span in owned for pair in span.get("attributes", {}).items()]
    events = [(row, event) for row, span in owned for event in span.get("events", ())]
    links = [(row, link) for row, span in owned for link in span.get("links", ())]
    return {
        "body": {
            "batch_id": logical["id"],
            "clock": clock.get("kind", "mono"),
            "epoch": clock.get("epoch", ""),
            "sealed_mono_us": clock.get("mono_us", UNKNOWN),
            "sealed_wall_us": clock.get("wall_us", UNKNOWN),
            "sketched": logical.get("unsent") == "sketched" or "sketches" in logical,
        },
        "resource": {
            name: _consent(resource.get(name)) if kind == "state" else resource.get(name, _ABSENT[kind])
            for name, kind in FIELDS["resource"].items()
        },
        "spans": _expected_spans(spans),
        "attributes": {
            "owner": [row for row, _, _ in attributes],
            "key": [key for _, key, _ in attributes],
            "value": [value if isinstance(value, str) else _compact(value) for _, _, value in attributes],
        },
        "events": {
            "owner": [row for row, _ in events],
            "name": [event["name"] for _, event in events],
            "offset_us": [event["offset_us"] for _, event in events],
        },
        "links": {
            "owner": [row for row, _ in links],
            "trace_id": [link["trace_id"] for _, link in links],
            "span_id": [link["span_id"] for _, link in links],
        },
        "drops": {
            "reason": list(logical.get("dropped", {})),
            "spans": list(logical.get("dropped", {}).values()),
        },
        **expected_sketches(logical),
    }


def _consent(word: str | None) -> str:
    """What a decoder must make of a state: a word that nobody knows is `denied`."""
    if word is None:
        return "missing"
    return word if word in {"granted", "pending"} else "denied"


def _expected_spans(spans: list[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"trace_id": [span.get("trace_id", "0" * 32) for span in spans]}
    for name, field in FIELDS["columns"].items():
        if name in {"threshold", "randomness"}:
            columns[name] = [span[name].ljust(14, "0") if span.get(name) else None for span in spans]
        elif field["type"] == "id8":
            columns[name] = [span.get(name, "0" * 16) for span in spans]
        elif field["type"] == "code":
            columns[name] = [span.get(name, "") for span in spans]
        elif field["type"] != "index":
            default = UNKNOWN if field["default"] is None else field["default"]
            columns[name] = [span.get(name, default) for span in spans]
    return columns


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
