-- When a span began, and how far that can be trusted.
ALTER TABLE span
    ADD COLUMN clock_skew_ms   bigint,                     -- device's wall clock minus server time
    ADD COLUMN clock_steps     integer,                    -- how often that clock was seen to step
    ADD COLUMN clock_conflict  boolean NOT NULL DEFAULT false,
    ADD COLUMN upload_delay_ms bigint,
    ADD COLUMN clock_segment   bigint NOT NULL DEFAULT 0,  -- stretch of one device's clock; 0: none is named
    ADD COLUMN clock_offset_us bigint NOT NULL DEFAULT 0,  -- comparable within the segment only

-- Who measured it, why it is in the sample, and how long the server says it took.
    ADD COLUMN origin          text   NOT NULL DEFAULT 'client',
    ADD COLUMN randomness      bigint NOT NULL DEFAULT 0,  -- W3C R, 56 bits: what decided
    ADD COLUMN server_us       bigint;

-- Which spans point here: links are read both ways.
CREATE INDEX span_links ON span USING gin (links jsonb_path_ops) WHERE links <> '[]';
