-- Examples of rare durations, the slowest above all, are looked up here; the frequent ones are met on the way.
CREATE INDEX span_duration ON span (app_id, signal, duration_us);

-- What was counted of every route since counting began, for counters that are scraped. The compactor adds what it folds,
-- first to the `new_` columns; from there it goes over once it is of enough sessions, so that the difference of two
-- scrapes is never about a few.
CREATE TABLE route_total (
    app_id       integer NOT NULL,
    signal       text    NOT NULL,
    route        text    NOT NULL,           -- {other}: those that have no row of their own
    spans        bigint  NOT NULL,
    errors       bigint  NOT NULL,
    sum_us       double precision NOT NULL,
    buckets      bigint[] NOT NULL,          -- of durations, by `ingest.ports.totals.BOUNDS_US`
    new_spans    bigint  NOT NULL,
    new_errors   bigint  NOT NULL,
    new_sum_us   double precision NOT NULL,
    new_buckets  bigint[] NOT NULL,
    new_sessions bytea,                      -- sketch of those in the `new_` columns
    new_since    timestamptz NOT NULL,       -- when the first of them came
    gained_at    timestamptz NOT NULL,
    PRIMARY KEY (app_id, signal, route)
);

-- For SQL clients: the sketches of a rollup read in the database (ingest/query/grafana/README.md). Sketches that are strung
-- together, as string_agg(duration, '') does, are merged.
CREATE FUNCTION firsthop_bins(sketches bytea) RETURNS TABLE (bucket integer, spans bigint)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 300
BEGIN ATOMIC
    SELECT bins.bucket, sum(bins.spans)::bigint FROM (
        SELECT ((get_byte(sketches, at) | (get_byte(sketches, at + 1) << 8)) # 32768) - 32768 AS bucket,
               get_byte(sketches, at + 2) + (get_byte(sketches, at + 3) << 8) + (get_byte(sketches, at + 4) << 16)
               + (get_byte(sketches, at + 5)::bigint << 24) AS spans
        FROM generate_series(0, octet_length(sketches) - 6, 6) AS at
    ) AS bins GROUP BY bins.bucket;
END;

-- What a bucket stands for, as `ingest.sketch.value`: µs; gamma = 1.01 / 0.99.
CREATE FUNCTION firsthop_value(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE bucket WHEN -3 THEN 0 ELSE 2 * power(1.01::float8 / 0.99, bucket) / (1 + 1.01::float8 / 0.99) END;

-- The value at each probability, by the lower rank as `ingest.sketch.quantiles`: µs; NULL of an empty sketch.
CREATE FUNCTION firsthop_quantiles(sketches bytea, q double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    WITH ranked AS MATERIALIZED (
        SELECT bins.bucket, sum(bins.spans) OVER (ORDER BY bins.bucket) AS upto, sum(bins.spans) OVER () AS total
        FROM firsthop_bins(sketches) AS bins
    )
    SELECT array_agg((SELECT firsthop_value(min(ranked.bucket)) FROM ranked
                      WHERE ranked.upto > floor(asked.q * (ranked.total - 1)::float8)) ORDER BY asked.place)
    FROM unnest(q) WITH ORDINALITY AS asked (q, place);
END;

CREATE FUNCTION firsthop_quantile(sketches bytea, q double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (firsthop_quantiles(sketches, ARRAY[q]))[1];

-- Whether sketches of distinct sessions (`ingest.sessions`) hold so many between them. Of each its first coupons are enough.
CREATE FUNCTION firsthop_enough(sessions bytea[], wanted integer) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT wanted <= 1 OR coalesce(bool_or(get_byte(sketch, 0) NOT IN (2, 3)), false) OR (
        SELECT count(DISTINCT substr(few.sketch, at, 4)) FROM unnest(sessions) AS few (sketch),
            generate_series(CASE get_byte(few.sketch, 0) WHEN 2 THEN 9 ELSE 13 END, octet_length(few.sketch) - 3, 4) AS at
        WHERE get_byte(few.sketch, 0) IN (2, 3)
    ) >= wanted
    FROM unnest(sessions) AS seen (sketch);
END;

CREATE FUNCTION firsthop_metric(
    metric text, duration bytea, redirect bytea, blocked bytea, dns bytea, tcp bytea, tls bytea, request bytea,
    ttfb bytea, download bytea
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE metric WHEN 'duration' THEN duration WHEN 'redirect' THEN redirect WHEN 'blocked' THEN blocked
    WHEN 'dns' THEN dns WHEN 'tcp' THEN tcp WHEN 'tls' THEN tls WHEN 'request' THEN request WHEN 'ttfb' THEN ttfb
    WHEN 'download' THEN download END;

-- The two functions that see tables. Those who may call them see nothing else of the database.
CREATE FUNCTION firsthop_apps() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    SELECT app.name FROM app ORDER BY app.name;
END;

-- Rollups of an app in steps (NULL: the range is one), whatever tier they lie in: one row per step and series of a view,
-- without those of fewer sessions than the app's policy wants.
CREATE FUNCTION firsthop_rollup(
    app text, signal text, view text, from_at timestamptz, to_at timestamptz, step interval, metric text DEFAULT 'duration'
) RETURNS TABLE (
    at timestamptz, route text, version text, country text, device_class text, network text, os text,
    spans bigint, errors bigint, sketches bytea
)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000
BEGIN ATOMIC
    WITH mine AS (
        SELECT app.app_id, coalesce(
            (SELECT replace((regexp_match(policy.text, '^[^#\n]*\mleast_sessions["'']?\s*=\s*\+?([0-9_]+)', 'n'))[1], '_', '')
             FROM policy WHERE policy.app_id IN (0, app.app_id) AND policy.text <> ''
             AND NOT EXISTS (SELECT FROM policy AS newer WHERE newer.app_id = policy.app_id
                             AND newer.version > policy.version)
             ORDER BY policy.app_id DESC LIMIT 1)::integer, 5) AS wanted,
            -- Hours, where a step is as long and the range too long for minutes.
            by_hours, date_trunc(CASE WHEN by_hours THEN 'hour' ELSE 'minute' END, from_at) AS since,
            array_position('{duration,redirect,blocked,dns,tcp,tls,request,ttfb,download}', metric) AS place
        FROM app, LATERAL (
            SELECT coalesce(firsthop_rollup.step >= interval '1 hour', true) AND to_at - from_at > interval '12 hours'
            AS by_hours
        ) AS tier WHERE app.name = firsthop_rollup.app
    ), chosen AS (
        SELECT series.* FROM series, mine WHERE series.app_id = mine.app_id
        AND series.view = firsthop_rollup.view AND series.signal = firsthop_rollup.signal
    ), partials AS (
        SELECT series_id, window_at, hours.spans, hours.errors,
               firsthop_metric(metric, duration, redirect, blocked, dns, tcp, tls, request, ttfb, download) AS sketch, sessions
        FROM mine, chosen JOIN rollup_1h AS hours USING (app_id, series_id)
        WHERE by_hours AND window_at >= since AND window_at < to_at
        UNION ALL
        SELECT series_id, window_at, packed.spans[w], packed.errors[w],
               substr(firsthop_metric(metric, duration, redirect, blocked, dns, tcp, tls, request, ttfb, download),
                      6 * coalesce(bin_ends[9 * w + place - 18], 0) + 1,
                      6 * (bin_ends[9 * w + place - 9] - coalesce(bin_ends[9 * w + place - 18], 0))),
               nullif(substr(sessions, coalesce(session_ends[w - 1], 0) + 1,
                             session_ends[w] - coalesce(session_ends[w - 1], 0)), '')
        FROM mine, chosen JOIN rollup_1h_packed AS packed USING (app_id, series_id), generate_subscripts(windows, 1) AS w,
             LATERAL (SELECT stretch_at + windows[w] * interval '1 hour' AS window_at) AS at
        WHERE by_hours AND stretch_at > since - interval '1 day' AND stretch_at < to_at
        AND window_at >= since AND window_at < to_at
        UNION ALL
        SELECT series_id, window_at, minutes.spans, minutes.errors,
               firsthop_metric(metric, duration, redirect, blocked, dns, tcp, tls, request, ttfb, download) AS sketch, sessions
        FROM mine, chosen JOIN rollup_1m AS minutes USING (app_id, series_id)
        WHERE window_at >= since AND window_at < to_at
        AND (NOT by_hours OR part > (SELECT part FROM compaction WHERE tier = 'rollup_1m'))
        UNION ALL
        SELECT series_id, window_at, packed.spans[w], packed.errors[w],
               substr(firsthop_metric(metric, duration, redirect, blocked, dns, tcp, tls, request, ttfb, download),
                      6 * coalesce(bin_ends[9 * w + place - 18], 0) + 1,
                      6 * (bin_ends[9 * w + place - 9] - coalesce(bin_ends[9 * w + place - 18], 0))),
               nullif(substr(sessions, coalesce(session_ends[w - 1], 0) + 1,
                             session_ends[w] - coalesce(session_ends[w - 1], 0)), '')
        FROM mine, chosen JOIN rollup_1m_packed AS packed USING (app_id, series_id), generate_subscripts(windows, 1) AS w,
             LATERAL (SELECT stretch_at + windows[w] * interval '1 minute' AS window_at) AS at
        WHERE NOT by_hours AND stretch_at > since - interval '1 hour' AND stretch_at < to_at
        AND window_at >= since AND window_at < to_at
        UNION ALL
        SELECT series_id, window_at, young.spans, young.errors,
               firsthop_metric(metric, duration, redirect, blocked, dns, tcp, tls, request, ttfb, download) AS sketch, sessions
        FROM mine, chosen JOIN rollup_10s AS young USING (app_id, series_id)
        WHERE window_at >= since AND window_at < to_at
        AND part > (SELECT part FROM compaction WHERE tier = 'rollup_10s')
    ), steps AS (
        SELECT series_id, coalesce(date_bin(firsthop_rollup.step, window_at, 'epoch'), from_at) AS at,
               sum(partials.spans)::bigint AS spans, sum(partials.errors)::bigint AS errors,
               string_agg(sketch, ''::bytea) AS sketches,
               array_agg(substr(sessions, 1, 12 + 4 * wanted)) FILTER (WHERE sessions IS NOT NULL) AS seen
        FROM partials, mine GROUP BY 1, 2
    )
    SELECT steps.at, chosen.route, chosen.version, chosen.country, chosen.device_class, chosen.network, chosen.os,
           steps.spans, steps.errors, steps.sketches
    FROM steps JOIN chosen USING (series_id), mine WHERE firsthop_enough(coalesce(steps.seen, '{}'), mine.wanted)
    ORDER BY steps.at;
END;
REVOKE EXECUTE ON FUNCTION firsthop_apps, firsthop_rollup FROM PUBLIC;
