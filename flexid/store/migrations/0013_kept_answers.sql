-- What a request with an `Idempotency-Key` was answered is kept as it was, encrypted, and committed with what the request
-- did: a row that can be seen always has its answer (docs/adr/0012).
ALTER TABLE idempotency_keys DROP COLUMN status;
DELETE FROM idempotency_keys;
ALTER TABLE idempotency_keys ALTER COLUMN answer SET NOT NULL;
COMMENT ON COLUMN idempotency_keys.caller IS 'an account, or the address of somebody who is not signed in';
COMMENT ON COLUMN idempotency_keys.answer IS 'encrypted; empty while the transaction of its request runs';

-- Some of what a request does stands by itself before that commit: a message that a daemon has taken cannot be rolled back.
-- It is marked first, and the mark goes with the commit; one that stays behind tells of a request that broke off.
CREATE TABLE idempotency_marks (
    identity text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN idempotency_marks.identity IS 'a hash of caller, route and key';
CREATE INDEX idempotency_marks_by_age ON idempotency_marks (created_at);

INSERT INTO server_keys (purpose, key)
VALUES ('kept answers', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
