-- Every process keeps Spaces and API keys in memory; whatever changes them tells all processes, whoever changed them.
-- The payload is the Space's domain, or the account's id.

CREATE FUNCTION tell_space_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'spaces' THEN
        PERFORM pg_notify('flexid_spaces', (CASE TG_OP WHEN 'DELETE' THEN OLD.domain ELSE NEW.domain END));
    ELSE
        PERFORM pg_notify('flexid_spaces', spaces.domain) FROM spaces
        WHERE id = (CASE TG_OP WHEN 'DELETE' THEN OLD.space_id ELSE NEW.space_id END);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON spaces
    FOR EACH ROW EXECUTE FUNCTION tell_space_changed();
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON space_digest_authentication_configurations
    FOR EACH ROW EXECUTE FUNCTION tell_space_changed();
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON space_oidc_authentication_configurations
    FOR EACH ROW EXECUTE FUNCTION tell_space_changed();
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON space_email_servers
    FOR EACH ROW EXECUTE FUNCTION tell_space_changed();
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON space_carddav_servers
    FOR EACH ROW EXECUTE FUNCTION tell_space_changed();

CREATE FUNCTION tell_key_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('flexid_api_keys', OLD.account_id::text);
    RETURN NULL;
END $$;

-- Counting uses (`requests`, `last_used_at`) changes nothing that is cached.
CREATE TRIGGER tell_changed AFTER UPDATE OF key_hash, ip, expires_after_last_used_minutes ON api_keys
    FOR EACH ROW EXECUTE FUNCTION tell_key_changed();
CREATE TRIGGER tell_deleted AFTER DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION tell_key_changed();

CREATE FUNCTION tell_caller_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM api_keys WHERE account_id = NEW.id) THEN
        PERFORM pg_notify('flexid_api_keys', NEW.id::text);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_changed AFTER UPDATE OF username, admin, blocked ON accounts
    FOR EACH ROW
    WHEN ((OLD.username, OLD.admin, OLD.blocked) IS DISTINCT FROM (NEW.username, NEW.admin, NEW.blocked))
    EXECUTE FUNCTION tell_caller_changed();
