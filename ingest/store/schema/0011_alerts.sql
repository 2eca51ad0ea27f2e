-- Rules made by API; those of an app's file stand in `policy`.
CREATE TABLE alert_rule (
    app_id      integer NOT NULL,
    name        text    NOT NULL,
    rule        jsonb   NOT NULL,            -- ingest.ports.Rule
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, name)
);

-- How a group of a rule stands. No row: inactive, and nothing to remember.
CREATE TABLE alert_state (
    app_id        integer NOT NULL,
    rule          text    NOT NULL,
    grouping      jsonb   NOT NULL,          -- dimension to value
    standing      text    NOT NULL CHECK (standing IN ('inactive', 'pending', 'firing')),
    since_at      timestamptz NOT NULL,
    started_at    timestamptz NOT NULL,      -- when it began to fire; names the firing
    resolved_at   timestamptz NOT NULL,      -- when the last firing ended
    value         double precision,
    told          boolean NOT NULL,          -- its notification was put into the outbox
    notification  jsonb,                     -- ingest.ports.Notification: what was told
    PRIMARY KEY (app_id, rule, grouping)
);

-- What began to fire and ceased, and when.
CREATE TABLE alert_event (
    app_id      integer NOT NULL,
    event_id    bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    rule        text    NOT NULL,
    grouping    jsonb   NOT NULL,
    status      text    NOT NULL CHECK (status IN ('firing', 'resolved')),
    happened_at timestamptz NOT NULL,
    value       double precision,
    severity    text    NOT NULL,
    reason      text    NOT NULL,            -- of an end
    silenced    boolean NOT NULL,            -- nobody was told
    noted_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, event_id)
);
CREATE INDEX alert_event_noted ON alert_event (noted_at);

-- Notifications on their way, written in the transaction of the state that they tell of.
CREATE TABLE alert_outbox (
    app_id        integer NOT NULL,
    entry         bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    receiver      text    NOT NULL,
    notification  jsonb   NOT NULL,
    queued_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, entry)
);
CREATE INDEX alert_outbox_receiver ON alert_outbox (receiver, entry);

CREATE TABLE alert_silence (
    app_id      integer NOT NULL,
    silence_id  uuid    NOT NULL,
    rule        text    NOT NULL,            -- empty: every rule
    grouping    jsonb   NOT NULL,            -- groups with these values
    reason      text    NOT NULL,
    silenced_by text    NOT NULL,            -- the actor, as in audit
    created_at  timestamptz NOT NULL,
    until_at    timestamptz NOT NULL,
    PRIMARY KEY (app_id, silence_id)
);
CREATE INDEX alert_silence_until ON alert_silence (until_at);
