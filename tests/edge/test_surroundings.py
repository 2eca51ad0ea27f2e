"""What stands around the taking of spans: CORS, health, counters."""

from tests.edge.conftest import RunningEdge, native


async def test_a_preflight_is_answered_for_every_origin_without_credentials(edge: RunningEdge):
    answer = await edge.send(
        b"",
        "/v1/traces",
        "OPTIONS",
        x_api_key="",
        origin="https://shop.example",
        access_control_request_method="POST",
        access_control_request_headers="content-type,x-api-key",
    )
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Max-Age"] == "3600"
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"content-type", "content-encoding", "authorization", "x-api-key", "traceparent", "baggage"} <= set(allowed)
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_pages_may_read_errors_and_when_to_come_back(edge: RunningEdge):
    edge.journal.broken = True
    for changes in ({}, {"x_api_key": ""}, {"path": "/nowhere"}):
        answer = await edge.send(native(), **{"origin": "https://a.example"} | changes)
        assert answer.headers["Access-Control-Allow-Origin"] == answer.headers["Timing-Allow-Origin"] == "*"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"].split(", ")


async def test_apps_that_are_no_pages_get_no_headers_for_pages(edge: RunningEdge):
    assert "Access-Control-Allow-Origin" not in (await edge.send(native())).headers


async def test_a_worker_is_alive_and_ready_once_it_has_its_keys(edge: RunningEdge):
    assert (await edge.send(b"", "/healthz", "GET")).status == 200
    answer = await edge.send(b"", "/readyz", "GET")
    assert (answer.status, answer.json()) == (200, {"ready": True, "failing": []})
    assert (await edge.send(b"", "/readyz", "HEAD")).body == b""


async def test_the_counters_add_up(edge: RunningEdge):
    await edge.send(native(3))
    await edge.send(native(2, batch_id=2, duration_us=-1))
    await edge.send(b"{")
    await edge.send(native(), x_api_key="")
    metrics = await edge.metrics()
    assert metrics["firsthop_bodies_total"] == 3
    assert metrics['firsthop_spans_total{outcome="kept"}'] == 3
    assert metrics['firsthop_spans_total{outcome="rejected:negative_duration"}'] == 2
    assert sum(count for name, count in metrics.items() if name.startswith("firsthop_refused_total")) == 2
    assert metrics["firsthop_commit_seconds_count"] == 3


async def test_the_metrics_are_openmetrics_text(edge: RunningEdge):
    answer = await edge.send(b"", "/metrics", "GET")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    lines = answer.body.decode().splitlines()
    assert lines[-1] == "# EOF"
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    for line in lines[:-1]:
        assert line.startswith(("# TYPE ", "# HELP ", "# UNIT ", "firsthop_"))
