-- What each process of the cluster says of itself every few seconds, for the page that shows how all of it is. Unlogged:
-- after a crash they say it again.
CREATE UNLOGGED TABLE processes (
    id text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    report jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- Lengths of queues are counted up to a bound, from this index alone.
CREATE INDEX outbox_by_state ON outbox (channel, state);
