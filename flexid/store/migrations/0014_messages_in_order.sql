-- Messages are sent in the order in which they came, turn by turn for each Space; `socket` is the daemon that has one.

ALTER TABLE messages
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN socket text;

DROP INDEX messages_queue;
CREATE INDEX messages_queue ON messages (domain, number) WHERE state = 'queued';
CREATE INDEX messages_by_age ON messages (created_at);

-- How the process that owns a daemon's socket finds it, for all other processes.
CREATE TABLE message_daemons (
    socket text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('connecting', 'connected', 'busy', 'away')),
    error text,
    since timestamptz NOT NULL DEFAULT now()
);
