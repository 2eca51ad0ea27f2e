"""Kept client spans on to the team's own tracing backend, by OTLP/HTTP: durable, retried, apart from ingest."""
