-- What a series and a span are about (`ingest.model.Signal`). Series of before mixed requests with an app's own operations;
-- they keep the name under which they were asked for.
ALTER TABLE series ADD COLUMN signal text NOT NULL DEFAULT 'request';
ALTER TABLE span ADD COLUMN signal text NOT NULL DEFAULT 'request';
UPDATE span SET signal = 'operation'
    WHERE url IS NULL AND method IS NULL AND http_status IS NULL AND -2 = ALL (phases_us);
