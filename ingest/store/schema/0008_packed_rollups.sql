-- A tier of days, folded from the hours: what a month holds is read from thirty windows of a series. Nothing has been
-- folded into it yet.
CREATE TABLE rollup_1d (LIKE rollup_1h INCLUDING ALL);
INSERT INTO compaction VALUES ('rollup_1h', 0);

-- Rollups at rest: one row per series and stretch of time (of minutes an hour, of hours a day, of days 32), the windows that
-- hold something inside it. Windows that are young, or late, have a row each in the table of the tier; the compactor moves them
-- here when it has folded them on. So both tables together are the tier, and what stands here has been folded on.
CREATE TABLE rollup_1m_packed (
    app_id       integer NOT NULL,
    series_id    bigint  NOT NULL,
    stretch_at   timestamptz NOT NULL,
    windows      smallint[] NOT NULL,        -- n windows, counted from the start of the stretch, ascending
    spans        bigint[] NOT NULL,          -- by window
    errors       bigint[] NOT NULL,
    reused       bigint[] NOT NULL,          -- by window and phase
    unknown      bigint[] NOT NULL,
    bin_ends     integer[] NOT NULL,         -- by window and metric: where its bins end in the metric's column, in bins
    duration     bytea,                      -- the windows' sketches strung together
    redirect     bytea,
    blocked      bytea,
    dns          bytea,
    tcp          bytea,
    tls          bytea,
    request      bytea,
    ttfb         bytea,
    download     bytea,
    session_ends integer[] NOT NULL,         -- by window: where its sketch ends in the next column, in bytes
    sessions     bytea,
    session_heads bytea STORAGE PLAIN,       -- of each, so much as tells five sessions from each other: whether a figure
                                             -- may be shown needs no more
    PRIMARY KEY (app_id, series_id, stretch_at)
);
-- A question reads one metric: what it does not read stays out of its way, and what it reads need not be decompressed.
ALTER TABLE rollup_1m_packed
    ALTER COLUMN duration SET STORAGE EXTERNAL, ALTER COLUMN redirect SET STORAGE EXTERNAL,
    ALTER COLUMN blocked SET STORAGE EXTERNAL, ALTER COLUMN dns SET STORAGE EXTERNAL,
    ALTER COLUMN tcp SET STORAGE EXTERNAL, ALTER COLUMN tls SET STORAGE EXTERNAL,
    ALTER COLUMN request SET STORAGE EXTERNAL, ALTER COLUMN ttfb SET STORAGE EXTERNAL,
    ALTER COLUMN download SET STORAGE EXTERNAL, ALTER COLUMN sessions SET STORAGE EXTERNAL;
CREATE TABLE rollup_1h_packed (LIKE rollup_1m_packed INCLUDING ALL);
CREATE TABLE rollup_1d_packed (LIKE rollup_1m_packed INCLUDING ALL);
CREATE INDEX rollup_1m_packed_stretch ON rollup_1m_packed USING brin (stretch_at) WITH (autosummarize = on);
CREATE INDEX rollup_1h_packed_stretch ON rollup_1h_packed USING brin (stretch_at) WITH (autosummarize = on);
CREATE INDEX rollup_1d_packed_stretch ON rollup_1d_packed USING brin (stretch_at) WITH (autosummarize = on);

-- A tier as if every window had a row: what a query in SQL reads. Planned as part of that query, so that only the columns
-- it names are read.
DO $create$
DECLARE
    tier record;
    metrics text[] := '{duration,redirect,blocked,dns,tcp,tls,request,ttfb,download}';
BEGIN
    FOR tier IN SELECT * FROM (VALUES ('rollup_1m', '1 minute', '1 hour'), ('rollup_1h', '1 hour', '1 day'),
                                      ('rollup_1d', '1 day', '32 days')) AS tiers (name, width, stretch)
    LOOP
        EXECUTE format(
            'CREATE FUNCTION %1$I (app integer, from_at timestamptz, to_at timestamptz) RETURNS TABLE ('
            ' app_id integer, series_id bigint, window_at timestamptz, spans bigint, errors bigint,'
            ' reused bigint[], unknown bigint[], %5$s, sessions bytea) LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000'
            ' BEGIN ATOMIC'
            ' SELECT app_id, series_id, window_at, spans, errors, reused, unknown, %6$s, sessions FROM %2$I'
            ' WHERE app_id = app AND window_at >= from_at AND window_at < to_at'
            ' UNION ALL SELECT app_id, series_id, stretch_at + windows[w] * interval %3$L, spans[w], errors[w],'
            ' reused[8 * w - 7 : 8 * w], unknown[8 * w - 7 : 8 * w], %7$s,'
            ' nullif(substr(sessions, coalesce(session_ends[w - 1], 0) + 1,'
            '               session_ends[w] - coalesce(session_ends[w - 1], 0)), '''')'
            ' FROM %8$I, generate_subscripts(windows, 1) AS w'
            ' WHERE app_id = app AND stretch_at > from_at - interval %4$L AND stretch_at < to_at'
            ' AND stretch_at + windows[w] * interval %3$L >= from_at'
            ' AND stretch_at + windows[w] * interval %3$L < to_at;'
            ' END',
            tier.name || '_windows', tier.name, tier.width, tier.stretch,
            (SELECT string_agg(metric || ' bytea', ', ' ORDER BY place)
             FROM unnest(metrics) WITH ORDINALITY AS listed (metric, place)),
            array_to_string(metrics, ', '),
            (SELECT string_agg(format(
                'nullif(substr(%1$I, 6 * coalesce(bin_ends[9 * w + %2$s], 0) + 1,'
                ' 6 * (bin_ends[9 * w + %3$s] - coalesce(bin_ends[9 * w + %2$s], 0))), '''')',
                metric, place - 18, place - 9), ', ' ORDER BY place)
             FROM unnest(metrics) WITH ORDINALITY AS listed (metric, place)),
            tier.name || '_packed'
        );
    END LOOP;
END
$create$;

-- Views that were not kept from the beginning: what began before is answered by others.
CREATE TABLE view_since (
    view  text PRIMARY KEY,
    since timestamptz NOT NULL
);
INSERT INTO view_since SELECT 'version', now() WHERE EXISTS (SELECT FROM series);
