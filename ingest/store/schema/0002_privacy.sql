-- Privacy policies as they were applied; spans name the version. The newest of an app is in force, else that of app 0,
-- else the built-in one (version 0). History stays: it says what was promised when.
CREATE SEQUENCE policy_version AS integer;
CREATE TABLE policy (
    app_id      integer NOT NULL,            -- 0: every app that has none of its own
    version     integer NOT NULL DEFAULT nextval('policy_version'),
    text        text    NOT NULL,            -- TOML; empty takes the app's own policy away again
    applied_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, version)
);

-- What was scrubbed, by rule; partials add up. Never what stood there.
CREATE TABLE scrub_count (
    app_id      integer NOT NULL,
    hour_at     timestamptz NOT NULL,
    rule        text    NOT NULL,
    part        bigint  NOT NULL,
    finds       bigint  NOT NULL,
    PRIMARY KEY (app_id, hour_at, rule, part)
);

-- Distinct sessions of a series and window: a mergeable sketch; NULL when no span had one.
ALTER TABLE rollup_10s ADD COLUMN sessions bytea;
ALTER TABLE rollup_1m ADD COLUMN sessions bytea;
ALTER TABLE rollup_1h ADD COLUMN sessions bytea;

-- Whose spans were erased: spans of theirs that arrive late are not stored either, for as long as clients may retry.
CREATE TABLE erasure (
    app_id       integer NOT NULL,
    erasure_id   uuid    NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    receipt      jsonb   NOT NULL,           -- counts by table; names nobody
    PRIMARY KEY (app_id, erasure_id)
);
CREATE TABLE erased (
    app_id      integer NOT NULL,
    pseudonym   text    NOT NULL,
    erasure_id  uuid    NOT NULL,
    until       timestamptz NOT NULL,
    PRIMARY KEY (app_id, pseudonym)
);
CREATE INDEX span_session ON span (app_id, session);

-- A key that may erase what a user asks to have erased.
ALTER TABLE app_key DROP CONSTRAINT app_key_role_check;
ALTER TABLE app_key ADD CONSTRAINT app_key_role_check
    CHECK (role IN ('client', 'server', 'token', 'operator', 'privacy'));
