-- Whoever changes an external account, the B2BUA hears of it: accounts and Spaces take theirs with them when they are
-- deleted, and an import writes many at once. A notice belongs to no Space, since it has to outlive it.

CREATE FUNCTION tell_b2bua() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed external_accounts%ROWTYPE;
BEGIN
    changed := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    INSERT INTO outbox (channel, payload) VALUES ('b2bua', jsonb_build_object(
        'username', changed.username, 'domain', changed.domain, 'identifier', changed.id::text));
    RETURN NULL;
END $$;

CREATE TRIGGER tell_b2bua AFTER INSERT OR UPDATE OR DELETE ON external_accounts
    FOR EACH ROW EXECUTE FUNCTION tell_b2bua();

-- A provisioning token that is renewed keeps its row: only its text tells which one a wizard handed out.
ALTER TABLE wizards DROP COLUMN provisioning_token_id, ADD COLUMN provisioning_token text;
COMMENT ON COLUMN wizards.provisioning_token IS 'what visitors were given, null before the first visit';
