-- Of each sketch of sessions so much as tells five of them from each other: whether a figure may be shown needs no more.
ALTER TABLE rollup_1m_packed ADD COLUMN session_heads bytea;
ALTER TABLE rollup_1h_packed ADD COLUMN session_heads bytea;
ALTER TABLE rollup_1m_packed ALTER COLUMN session_heads SET STORAGE PLAIN;
ALTER TABLE rollup_1h_packed ALTER COLUMN session_heads SET STORAGE PLAIN;
UPDATE rollup_1m_packed SET session_heads = (
    SELECT string_agg(substr(sessions, coalesce(session_ends[w - 1], 0) + 1,
                             least(32, session_ends[w] - coalesce(session_ends[w - 1], 0))), '' ORDER BY w)
    FROM generate_subscripts(session_ends, 1) AS w
);

-- A tier of days, folded from the hours: what a month holds is read from thirty windows of a series.
CREATE TABLE rollup_1d (LIKE rollup_1h INCLUDING ALL);
CREATE TABLE rollup_1d_packed (LIKE rollup_1h_packed INCLUDING ALL);
SET LOCAL intervalstyle = postgres;
DO $create$
BEGIN
    -- As that of the hours, but for the names, the stretch and the width.
    EXECUTE replace(replace(replace(pg_get_functiondef('rollup_1h_windows'::regproc),
        'rollup_1h', 'rollup_1d'), '''1 day''', '''32 days'''), '''01:00:00''', '''1 day''');
END
$create$;

-- Nothing has been folded yet. Hours that are packed have no part, and count as folded: they are unpacked once more, in
-- parts below all others that are small enough for a transaction of the compactor.
INSERT INTO compaction VALUES ('rollup_1h', -9223372036854775808);
INSERT INTO rollup_1h (app_id, series_id, window_at, part, spans, errors, reused, unknown,
                       duration, redirect, blocked, dns, tcp, tls, request, ttfb, download, sessions)
    SELECT app_id, series_id, window_at, -1 - row_number() OVER () / 50000, hours.spans, hours.errors, hours.reused,
           hours.unknown, duration, redirect, blocked, dns, tcp, tls, request, ttfb, download, sessions
    FROM (SELECT DISTINCT app_id AS packed FROM rollup_1h_packed) AS apps, rollup_1h_windows(packed, '-infinity', 'infinity') AS hours;
TRUNCATE rollup_1h_packed;
