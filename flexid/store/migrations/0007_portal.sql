-- Sessions of the portal hold nothing but who is signed in: forms are protected by a secret of all nodes, and what a
-- visitor is told after a form travels in a cookie.

ALTER TABLE sessions DROP COLUMN csrf_token, DROP COLUMN data, ALTER COLUMN account_id SET NOT NULL;
COMMENT ON COLUMN sessions.id_hash IS 'SHA-256 of the id; the id itself is known to the browser only';
COMMENT ON COLUMN sessions.domain IS 'the Space on whose host somebody signed in';

INSERT INTO server_keys (purpose, key)
VALUES ('portal', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- A password that is replaced, or rights that change, end what was opened with the old ones, whoever changed them.
CREATE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'accounts' THEN
        DELETE FROM sessions WHERE account_id = OLD.id;
    ELSE
        DELETE FROM sessions WHERE account_id = OLD.account_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER end_sessions AFTER UPDATE OR DELETE ON passwords
    FOR EACH ROW EXECUTE FUNCTION end_sessions();
CREATE TRIGGER end_sessions AFTER UPDATE OF username, admin ON accounts
    FOR EACH ROW WHEN ((OLD.username, OLD.admin) IS DISTINCT FROM (NEW.username, NEW.admin))
    EXECUTE FUNCTION end_sessions();

-- A trigger before updates makes them lock out every row that refers to an account; after them it refuses as well.
DROP TRIGGER refuse_move ON accounts;
CREATE TRIGGER refuse_move AFTER UPDATE OF id, domain ON accounts
    FOR EACH ROW WHEN ((OLD.id, OLD.domain) IS DISTINCT FROM (NEW.id, NEW.domain)) EXECUTE FUNCTION refuse_move();

CREATE TABLE space_logos (
    space_id bigint PRIMARY KEY REFERENCES spaces ON DELETE CASCADE,
    name text NOT NULL,
    content_type text NOT NULL CHECK (content_type IN ('image/png', 'image/svg+xml')),
    content bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 1048576),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN space_logos.name IS 'made of the content, so that a browser may keep it for ever; spaces.logo repeats it';
