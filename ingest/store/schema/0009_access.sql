-- Owners change what an app is set to, admins every app. Keys can be named without being shown, and end.
ALTER TABLE app_key
    ADD COLUMN key_id       text NOT NULL DEFAULT left(replace(gen_random_uuid()::text, '-', ''), 12),
    ADD COLUMN label        text NOT NULL DEFAULT '',
    ADD COLUMN last_used_on date,            -- to read or change; keys that send are used all the time
    ADD COLUMN revoked_at   timestamptz;     -- opens nothing since then
CREATE UNIQUE INDEX app_key_id ON app_key (app_id, key_id);
ALTER TABLE app_key DROP CONSTRAINT app_key_role_check;
ALTER TABLE app_key ADD CONSTRAINT app_key_role_check
    CHECK (role IN ('client', 'server', 'token', 'owner', 'operator', 'admin', 'privacy'));

-- What was changed by whom, written in the transaction of the change.
CREATE TABLE audit (
    app_id      integer NOT NULL,            -- 0: of no app, such as an admin's token
    audit_id    bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    actor       text    NOT NULL,            -- `key:<id>`, `user:<name at the proxy>` or `command line`
    role        text    NOT NULL,            -- by which they were allowed to
    action      text    NOT NULL,            -- such as key.create
    subject     text    NOT NULL,            -- what was changed
    before      jsonb,                       -- never a secret; NULL: there was none
    after       jsonb,                       -- the same; NULL: there is none any more
    PRIMARY KEY (app_id, audit_id)
);
CREATE INDEX audit_changed ON audit (changed_at);
