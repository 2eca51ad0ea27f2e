-- From which duration on requests of a route are slow, and therefore kept: learned from the route's own sketches of the
-- last hour, all rows anew each time.
CREATE TABLE slow_route (
    app_id      integer NOT NULL,
    route       text    NOT NULL,
    slow_us     bigint  NOT NULL,
    sessions    integer NOT NULL,            -- distinct ones it was learned from
    learned_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, route)
);
