"""OpenTelemetry's Python SDK logging over OTLP/HTTP, inside a span and outside of any."""

import asyncio

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from tests.contracts.conftest import Api
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression])
async def test_records_of_the_python_exporter_are_children_of_their_span_and_say_what_they_are(
    service: Service, api: Api, compression: Compression
) -> None:
    exporter = OTLPLogExporter(
        endpoint=f"{service.edge}/v1/logs", headers={"x-api-key": service.client_key}, compression=compression
    )
    version = f"python-logs-{compression.value}"
    sdk = LoggerProvider(resource=Resource.create({"service.name": "contract", "service.version": version}))
    sdk.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = sdk.get_logger("contract")
    with TracerProvider().get_tracer("contract").start_as_current_span("Checkout") as screen:
        logger.emit(severity_number=SeverityNumber.WARN, body="low on tea, says jane.doe@example.com")
        logger.emit(severity_number=SeverityNumber.ERROR, exception=ValueError("no stock for jane.doe@example.com"))
        logger.emit(event_name="cart.emptied", attributes={"items": 3, "session.id": "s-1"}, body={"reason": "timeout"})
    for number in range(50):
        logger.emit(severity_number=SeverityNumber.INFO, body=f"tick {number}")
    assert await asyncio.to_thread(sdk.force_flush)
    await asyncio.to_thread(sdk.shutdown)

    context = screen.get_span_context()
    spans = await api.spans(f"{context.trace_id:032x}", 3)
    assert {span["parent_span_id"] for span in spans.values()} == {f"{context.span_id:016x}"}
    said = {span["name"]: (span["signal"], span["attributes"]) for span in spans.values()}
    assert said["WARN"] == ("event", {"log.severity": "WARN", "log.body": "low on tea, says {email}"})
    signal, attributes = said["ValueError"]
    assert (signal, attributes["exception.message"]) == ("exception", "no stock for {email}")
    assert "jane.doe" not in attributes["exception.stacktrace"]
    assert said["cart.emptied"] == ("event", {"items": "3", "log.body": '{"reason":"timeout"}'})
    events = await api.total(52, version=version, signal="event", group_by="version")
    assert (events["spans"], events["errors"]) == (52, 0)
    exceptions = await api.total(1, version=version, signal="exception", group_by="version")
    assert (exceptions["spans"], exceptions["errors"]) == (1, 1)


async def test_an_exporter_with_a_wrong_key_is_told_so_and_gives_up(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = OTLPLogExporter(endpoint=f"{service.edge}/v1/logs", headers={"x-api-key": "nobody's"})
    sdk = LoggerProvider()
    sdk.add_log_record_processor(BatchLogRecordProcessor(exporter))
    sdk.get_logger("contract").emit(body="hello")
    await asyncio.to_thread(sdk.shutdown)
    assert "403" in caplog.text
