-- Signing in to the portal at the OpenID server of a Space. What a browser has begun there waits here for its return.
CREATE TABLE oidc_attempts (
    state_hash bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    domain text NOT NULL REFERENCES spaces (domain) ON DELETE CASCADE,
    issuer text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    wanted text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN oidc_attempts.state_hash IS 'SHA-256 of the state that goes to the server and comes back';
COMMENT ON COLUMN oidc_attempts.browser_hash IS 'SHA-256 of what the browser holds that began';
COMMENT ON COLUMN oidc_attempts.wanted IS 'the page to go to afterwards';
CREATE INDEX oidc_attempts_by_age ON oidc_attempts (created_at);
CREATE INDEX oidc_attempts_of_space ON oidc_attempts (domain);

ALTER TABLE sessions ADD id_token text;
COMMENT ON COLUMN sessions.id_token IS 'what the OpenID server said where somebody signed in there: to sign out there needs it';

-- Which accounts were deactivated because the server named a role no more: once it does again, they are activated. What
-- an administrator has deactivated is not among them.
CREATE TABLE oidc_deactivations (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION forget_oidc_deactivation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM oidc_deactivations WHERE account_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_oidc_deactivation AFTER UPDATE OF activated ON accounts
    FOR EACH ROW WHEN (NEW.activated AND NOT OLD.activated) EXECUTE FUNCTION forget_oidc_deactivation();
