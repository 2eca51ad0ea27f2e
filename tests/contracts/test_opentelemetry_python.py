"""OpenTelemetry's Python SDK and its OTLP/HTTP exporter, as a backend or a desktop app would use them."""

import asyncio
import re
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.contracts.conftest import Api
from tests.service import Service

README = Path(__file__).parents[2] / "README.md"

pytestmark = pytest.mark.asyncio(loop_scope="session")


def provider(service: Service, version: str, compression: Compression) -> TracerProvider:
    """The SDK set up as its documentation says."""
    resource = Resource.create(
        {"service.name": "contract-python", "service.version": version, "network.connection.type": "wifi"}
    )
    exporter = OTLPSpanExporter(
        endpoint=f"{service.edge}/v1/traces", headers={"x-api-key": service.client_key}, compression=compression
    )
    made = TracerProvider(resource=resource)
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression, Compression.Deflate])
async def test_spans_of_the_python_exporter_are_counted_and_shown_as_they_were(
    service: Service, api: Api, compression: Compression
) -> None:
    version = f"python-{compression.value}"
    sdk = provider(service, version, compression)
    tracer = sdk.get_tracer("contract")
    with tracer.start_as_current_span("Checkout") as screen:
        for number in range(20):
            attributes = {
                "http.request.method": "POST",
                "url.full": f"https://api.shop.example/orders/{number}/items?email=jane.doe%40example.com",
                "http.response.status_code": 500 if number == 7 else 200,
            }
            with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes=attributes) as request:
                if number == 7:
                    request.set_status(Status(StatusCode.ERROR))
                    request.record_exception(ValueError("no stock for jane.doe@example.com"))
    assert await asyncio.to_thread(sdk.force_flush)
    await asyncio.to_thread(sdk.shutdown)

    spans = await api.spans(f"{screen.get_span_context().trace_id:032x}", 21)
    root = spans[f"{screen.get_span_context().span_id:016x}"]
    children = [span for span in spans.values() if span["span_id"] != root["span_id"]]
    errors = [span for span in children if span["status"] == "error"]

    assert root["parent_span_id"] is None
    assert root["duration_us"] == (screen.end_time - screen.start_time) // 1000
    assert {span["parent_span_id"] for span in children} == {root["span_id"]}
    assert [span["http_status"] for span in errors] == [500]
    assert errors[0]["attributes"]["exception.type"] == "ValueError"
    assert "jane.doe" not in str(spans)
    assert {span["phases"]["ttfb"]["state"] for span in children} == {"unknown"}
    total = await api.total(20, version=version, group_by="version")
    assert (total["spans"], total["errors"]) == (20, 1)
    assert (await api.total(1, version=version, signal="operation"))["spans"] == 1


async def test_an_exporter_with_a_wrong_key_is_told_so_and_gives_up(service: Service) -> None:
    exporter = OTLPSpanExporter(endpoint=f"{service.edge}/v1/traces", headers={"x-api-key": "nobody's"})
    sdk = TracerProvider()
    tracer = sdk.get_tracer("contract")
    with tracer.start_as_current_span("Checkout") as span:
        pass
    result = await asyncio.to_thread(exporter.export, [span])
    exporter.shutdown()
    assert result.name == "FAILURE"


async def test_an_sdk_is_pointed_here_by_the_two_variables_of_the_readme(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = dict(re.findall(r"^(OTEL_\w+)=(.*)$", README.read_text(), re.MULTILINE))
    assert len(named) == 2
    for name, value in named.items():
        given = value.replace("http://127.0.0.1:4318", service.edge).replace("<client key>", service.client_key)
        monkeypatch.setenv(name, given)
    sdk = TracerProvider(resource=Resource.create({"service.version": "by-environment"}))
    sdk.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    with sdk.get_tracer("contract").start_as_current_span("Start") as span:
        pass
    assert await asyncio.to_thread(sdk.force_flush)
    await asyncio.to_thread(sdk.shutdown)
    assert await api.spans(f"{span.get_span_context().trace_id:032x}", 1)
