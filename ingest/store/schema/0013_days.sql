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
CREATE FUNCTION pg_temp.piece(strung bytea, ends integer[], place integer, each integer, size integer) RETURNS bytea
LANGUAGE sql IMMUTABLE
RETURN nullif(substr(strung, size * coalesce(ends[place - each], 0) + 1,
                     size * (ends[place] - coalesce(ends[place - each], 0))), '');
INSERT INTO rollup_1h (app_id, series_id, window_at, part, spans, errors, reused, unknown,
                       duration, redirect, blocked, dns, tcp, tls, request, ttfb, download, sessions)
    SELECT app_id, series_id, stretch_at + windows[w] * interval '1 hour', -1 - row_number() OVER () / 50000,
           spans[w], errors[w], reused[8 * w - 7 : 8 * w], unknown[8 * w - 7 : 8 * w],
           pg_temp.piece(duration, bin_ends, 9 * w - 8, 9, 6), pg_temp.piece(redirect, bin_ends, 9 * w - 7, 9, 6),
           pg_temp.piece(blocked, bin_ends, 9 * w - 6, 9, 6), pg_temp.piece(dns, bin_ends, 9 * w - 5, 9, 6),
           pg_temp.piece(tcp, bin_ends, 9 * w - 4, 9, 6), pg_temp.piece(tls, bin_ends, 9 * w - 3, 9, 6),
           pg_temp.piece(request, bin_ends, 9 * w - 2, 9, 6), pg_temp.piece(ttfb, bin_ends, 9 * w - 1, 9, 6),
           pg_temp.piece(download, bin_ends, 9 * w, 9, 6),
           pg_temp.piece(sessions, session_ends, w, 1, 1)
    FROM rollup_1h_packed, generate_subscripts(windows, 1) AS w;
TRUNCATE rollup_1h_packed;
DROP FUNCTION pg_temp.piece;
