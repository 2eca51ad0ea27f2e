"""Stored spans → an OTLP trace export request (`opentelemetry.proto.collector.trace.v1`), protobuf.

Names follow OpenTelemetry's semantic conventions where there are any; what only firsthop knows is under `firsthop.`.
The sampling threshold travels as `ot=th:…` in the trace state, so that a backend's own figures can be weighted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from ingest.model import UNKNOWN, Phase
from ingest.pipeline.thresholds import ALL, encode, low_56_bits

SCOPE = "firsthop"
_NS = 1000
_RESOURCE = {
    "service": "service.name",
    "version": "service.version",
    "environment": "deployment.environment.name",
    "os_name": "os.name",
    "os_version": "os.version",
    "device_manufacturer": "device.manufacturer",
    "device_model": "device.model.identifier",
    "network": "network.connection.type",
    "installation": "app.installation.id",
    "sdk": "telemetry.sdk.name",
    "memory_mb": "firsthop.device.memory_mb",
    "cores": "firsthop.device.cores",
}
"""Members of a stored resource → attribute."""
_SPAN = {
    "method": "http.request.method",
    "url": "url.full",
    "http_status": "http.response.status_code",
    "error_type": "error.type",
    "protocol": "network.protocol.name",
    "screen": "app.screen.name",
    "request_bytes": "http.request.body.size",
    "response_bytes": "http.response.body.size",
    "session": "session.id",
    "route": "firsthop.route",
    "country": "geo.country.iso_code",
    "device_class": "firsthop.device.class",
    "stratum": "firsthop.sampling.stratum",
    "weight": "firsthop.sampling.weight",
    "clock_err_ms": "firsthop.clock.error_ms",
    "clock_quality": "firsthop.clock.quality",
    "server_us": "firsthop.server_us",
}
"""Columns → attribute."""


def encode_spans(spans: Sequence[Mapping[str, Any]], app_names: Mapping[int, str]) -> bytes:
    """The request's bytes; spans of one app and resource share a `ResourceSpans`.

    Args:
        spans: as `ingest.ports.Portion` has them.
        app_names: the service name where a resource has none.
    """
    request = ExportTraceServiceRequest()
    groups: dict[tuple[int, str], ResourceSpans] = {}
    for span in spans:
        key = (span["app_id"], repr(sorted(span["resource"].items())))
        group = groups.get(key)
        if group is None:
            group = groups[key] = request.resource_spans.add()
            name = app_names.get(span["app_id"], SCOPE)
            group.resource.attributes.extend(_attributes(_of_resource(span["resource"], name)))
            group.scope_spans.add().scope.name = SCOPE
        group.scope_spans[0].spans.append(_span(span))
    body: bytes = request.SerializeToString()
    return body


def _of_resource(resource: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    if "service" not in resource:
        yield "service.name", name
    for member, value in resource.items():
        yield _RESOURCE.get(member, member), value


def _span(span: Mapping[str, Any]) -> Span:
    made = Span(
        trace_id=span["trace_id"],
        span_id=span["span_id"],
        parent_span_id=span["parent_span_id"] or b"",
        trace_state=_trace_state(span),
        name=span["name"],
        kind=span["kind"],
        start_time_unix_nano=span["start_us"] * _NS,
        end_time_unix_nano=(span["start_us"] + span["duration_us"]) * _NS,
    )
    made.status.code = span["status"]
    made.attributes.extend(_attributes(_of_span(span)))
    for event in span["events"]:
        made.events.add(name=event["name"], time_unix_nano=max(span["start_us"] + event["offset_us"], 0) * _NS)
    for link in span["links"]:
        # An answer may name its trace alone. OTLP has no link to a whole trace: receivers may refuse such a span.
        if link["span_id"].strip("0"):
            made.links.add(trace_id=bytes.fromhex(link["trace_id"]), span_id=bytes.fromhex(link["span_id"]))
    return made


def _trace_state(span: Mapping[str, Any]) -> str:
    """`th` of the weight, and `rv` where the trace id was not what decided; "" where no rate says how many it is."""
    if span["weight"] < 1.0:
        return ""
    members = [f"th:{encode(ALL - round(ALL / span['weight']))}"]
    own = int(low_56_bits(np.frombuffer(span["trace_id"], dtype=np.uint8).reshape(1, 16))[0])
    if own != span["randomness"]:
        members.append(f"rv:{span['randomness']:014x}")
    return f"ot={';'.join(members)}"


def _of_span(span: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from span["attributes"].items()
    for column, name in _SPAN.items():
        if (value := span[column]) is not None:
            yield name, value.decode() if isinstance(value, bytes) else value
    for phase, us in zip(Phase, span["phases_us"], strict=True):
        if us != UNKNOWN:
            yield f"firsthop.phase.{phase.name.lower()}_us", us if us >= 0 else "reused"


def _attributes(pairs: Iterator[tuple[str, Any]]) -> Iterator[KeyValue]:
    for key, value in dict(pairs).items():
        yield KeyValue(key=key, value=_value(value))


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=str(value))
