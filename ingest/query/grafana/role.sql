-- A role that may call what ingest/query/grafana/README.md describes, and see nothing else. Run it once as the owner of the
-- database, then give it a password: ALTER ROLE firsthop_grafana LOGIN PASSWORD '…';
DO $create$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'firsthop_grafana') THEN
        CREATE ROLE firsthop_grafana NOINHERIT;
    END IF;
END
$create$;
ALTER ROLE firsthop_grafana SET default_transaction_read_only = on;
ALTER ROLE firsthop_grafana SET statement_timeout = '15s';
ALTER ROLE firsthop_grafana SET jit = off;
GRANT EXECUTE ON FUNCTION firsthop_apps, firsthop_rollup TO firsthop_grafana;
