-- Sampled spans that were too many for their trace; partials add up.
CREATE TABLE trace_overflow (
    app_id      integer NOT NULL,
    trace_id    bytea   NOT NULL,
    part        bigint  NOT NULL,
    noted_at    timestamptz NOT NULL DEFAULT now(),
    spans       bigint  NOT NULL,
    PRIMARY KEY (app_id, trace_id, part)
);
CREATE INDEX trace_overflow_noted ON trace_overflow (noted_at);
