-- Which sampled client spans are still to be sent to a tracing backend. It names them; what they hold stays in `span`, so
-- that who is erased there is not sent on. Empty unless FIRSTHOP_EXPORT_URL is set.
CREATE TABLE export_queue (
    app_id      integer NOT NULL,
    entry       bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    start_at    timestamptz NOT NULL,
    trace_id    bytea   NOT NULL,
    span_id     bytea   NOT NULL,
    queued_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, entry)
);
CREATE INDEX export_queue_entry ON export_queue (entry);
