-- What the overview reads of the sample: the spans that failed, and of requests, when they are many, a sixteenth by the
-- hash of what decided over them, so that spans that came together stay together.
CREATE INDEX span_failed ON span (app_id, signal, start_at)
    WHERE status = 2 OR coalesce(http_status >= 400 OR http_status = 0, false);
CREATE INDEX span_sixteenth ON span (app_id, signal, start_at) WHERE (hashint8(randomness) & 15) = 0;
