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
