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

-- Rights: what was erased, not for whom; the pseudonyms stand in `erased` and go when late data has had
-- its time. One that is not completed is taken up again by the aggregator's process.
CREATE TABLE erasure (
    app_id        integer NOT NULL,
    erasure_id    uuid    NOT NULL DEFAULT gen_random_uuid(),
    identifier    text    NOT NULL CHECK (identifier IN ('session', 'user', 'installation', 'pseudonym')),
    software      text    NOT NULL,          -- version
    requested_at  timestamptz NOT NULL DEFAULT now(),
    refused_until timestamptz NOT NULL,      -- late spans are not stored before this
    deleted_at    timestamptz,               -- no query finds anything of theirs
    completed_at  timestamptz,               -- nor is it in the files
    reopened      integer NOT NULL DEFAULT 0, -- how often late data named another session of theirs
    counts        jsonb   NOT NULL DEFAULT '{}', -- rows or spans erased, by table; names nobody
    rewrite       text[]  NOT NULL DEFAULT '{}', -- tables whose files still hold what was deleted from them
    PRIMARY KEY (app_id, erasure_id)
);
CREATE INDEX erasure_unfinished ON erasure (requested_at) WHERE completed_at IS NULL;
CREATE TABLE erased (
    app_id      integer NOT NULL,
    pseudonym   text    NOT NULL,
    asked       boolean NOT NULL,            -- asked for; else a session in which one of those was seen
    erasure_id  uuid    NOT NULL,
    until       timestamptz NOT NULL,
    PRIMARY KEY (app_id, pseudonym)
);
CREATE INDEX erased_by ON erased (erasure_id);
CREATE INDEX span_session ON span (app_id, session);
-- The planner's statistics hold values, and pseudonyms would outlive their rows there.
ALTER TABLE erased ALTER COLUMN pseudonym SET STATISTICS 0;
ALTER TABLE span
    ALTER COLUMN session SET STATISTICS 0, ALTER COLUMN name SET STATISTICS 0, ALTER COLUMN url SET STATISTICS 0,
    ALTER COLUMN screen SET STATISTICS 0, ALTER COLUMN error_type SET STATISTICS 0,
    ALTER COLUMN protocol SET STATISTICS 0, ALTER COLUMN resource SET STATISTICS 0,
    ALTER COLUMN attributes SET STATISTICS 0, ALTER COLUMN events SET STATISTICS 0;

-- A key that may erase what a user asks to have erased.
ALTER TABLE app_key DROP CONSTRAINT app_key_role_check;
ALTER TABLE app_key ADD CONSTRAINT app_key_role_check
    CHECK (role IN ('client', 'server', 'token', 'operator', 'privacy'));
