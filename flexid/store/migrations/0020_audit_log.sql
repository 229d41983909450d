-- The audit log: who did what to which account, when, and from where. Triggers write it in the transaction of the change,
-- so that nobody can forget to (docs/adr/0013); flexid names whoever acts in the setting `flexid.doer`.

-- It outlives the Space that it speaks of. What concerns no Space, such as phone countries, has no domain.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_domain_fkey;
ALTER TABLE audit_log ALTER COLUMN domain DROP NOT NULL;
ALTER TABLE audit_log RENAME COLUMN event TO action;
ALTER TABLE audit_log
    ADD COLUMN account text,
    ADD COLUMN means text NOT NULL DEFAULT 'database',
    ADD COLUMN credential text,
    ADD COLUMN request_id text;
COMMENT ON COLUMN audit_log.account IS 'the address of the account that it was done to, as it was then';
COMMENT ON COLUMN audit_log.actor IS 'the address of whoever did it, or a command, a timer, a user of the database; empty for strangers';
COMMENT ON COLUMN audit_log.means IS 'how the actor showed who that is';
COMMENT ON COLUMN audit_log.credential IS 'the first characters of the API key';
CREATE INDEX audit_log_of_actor ON audit_log (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_log_of_action ON audit_log (domain, action, id);

CREATE FUNCTION note_in_audit_log(
    domain text, action text, account_id bigint, account text, details jsonb, signed_in boolean DEFAULT false
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    doer jsonb := nullif(current_setting('flexid.doer', true), '')::jsonb;
BEGIN
    INSERT INTO audit_log (
        domain, action, account_id, account, actor_id, actor, means, credential, ip, user_agent, request_id, details)
    VALUES (
        domain, action, account_id, account,
        CASE WHEN signed_in THEN account_id ELSE (doer ->> 'account_id')::bigint END,
        CASE WHEN signed_in THEN account ELSE coalesce(doer ->> 'name', session_user) END,
        CASE WHEN signed_in THEN 'session' ELSE coalesce(doer ->> 'means', 'database') END, doer ->> 'credential',
        CASE WHEN doer IS NULL THEN host(inet_client_addr()) ELSE doer ->> 'ip' END,
        doer ->> 'user_agent', doer ->> 'request_id', details);
END $$;

-- Arguments: what it is; whose it is; the columns that tell it from others; those whose new values are noted. All other
-- columns are noted by their names only: no secret, and nothing that a person wrote, comes in here by mistake.
CREATE FUNCTION write_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    thing text := TG_ARGV[0];
    subject jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    before jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END;
    done text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END;
    domain text;
    account_id bigint;
    account text;
    is_new boolean := false;
    changed text[];
    details jsonb;
BEGIN
    -- What goes because its owner goes, and what an owner comes with, is no news of its own; but for keys.
    CASE TG_ARGV[1]
    WHEN 'account' THEN
        SELECT a.domain, a.id, a.username || '@' || a.domain, a.created_at = now()
        INTO domain, account_id, account, is_new
        FROM accounts a WHERE a.id = (subject ->> 'account_id')::bigint;
    WHEN 'space' THEN
        SELECT s.domain, s.created_at = now() INTO domain, is_new
        FROM spaces s WHERE s.id = (subject ->> 'space_id')::bigint;
    WHEN 'contacts list' THEN
        SELECT s.domain INTO domain FROM contacts_lists l JOIN spaces s ON s.id = l.space_id
        WHERE l.id = (subject ->> 'contacts_list_id')::bigint;
    WHEN 'domain' THEN
        SELECT s.domain, (subject ->> 'id')::bigint, (subject ->> 'username') || '@' || s.domain
        INTO domain, account_id, account
        FROM spaces s WHERE s.domain = subject ->> 'domain';
    WHEN 'nobody' THEN
        domain := subject ->> 'domain';
    END CASE;
    IF domain IS NULL AND TG_ARGV[1] <> 'nobody' OR is_new AND TG_OP <> 'DELETE' AND thing <> 'api_key' THEN
        RETURN NULL;
    END IF;

    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(key ORDER BY key) INTO changed FROM jsonb_each(subject) AS now_has (key, value)
        WHERE value IS DISTINCT FROM before -> key AND key NOT IN ('created_at', 'updated_at', 'words');
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
        details := jsonb_build_object('changed', changed);
    END IF;
    SELECT coalesce(details, '{}') || coalesce(jsonb_object_agg(key, value), '{}') INTO details
    FROM jsonb_each(subject) AS noted (key, value)
    WHERE value <> 'null' AND (
        key = ANY (string_to_array(TG_ARGV[2], ','))
        OR key = ANY (string_to_array(TG_ARGV[3], ',')) AND (changed IS NULL OR key = ANY (changed)));

    -- The commonest changes have names of their own.
    IF thing = 'account' AND changed = '{activated}' THEN
        done := CASE WHEN (subject ->> 'activated')::boolean THEN 'activated' ELSE 'deactivated' END;
    ELSIF thing = 'account' AND changed = '{blocked}' THEN
        done := CASE WHEN (subject ->> 'blocked')::boolean THEN 'blocked' ELSE 'unblocked' END;
    END IF;
    PERFORM note_in_audit_log(domain, thing || '.' || done, account_id, account, details);
    RETURN NULL;
END $$;

CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('account', 'domain', '', 'activated,admin');
CREATE TRIGGER write_audit_log_of_change
    AFTER UPDATE OF username, email, phone, display_name, activated, admin, blocked, dtmf_protocol ON accounts
    FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.phone, OLD.display_name, OLD.activated, OLD.admin, OLD.blocked, OLD.dtmf_protocol)
        IS DISTINCT FROM
        (NEW.username, NEW.email, NEW.phone, NEW.display_name, NEW.activated, NEW.admin, NEW.blocked, NEW.dtmf_protocol))
    EXECUTE FUNCTION write_audit_log('account', 'domain', '', 'activated,admin,blocked,dtmf_protocol');

-- A password is replaced by deleting and inserting: one note, by whichever of the two comes to something.
CREATE FUNCTION write_audit_log_of_password() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner accounts%ROWTYPE;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM passwords p WHERE p.account_id = OLD.account_id) THEN
            RETURN NULL;
        END IF;
        SELECT * INTO owner FROM accounts a WHERE a.id = OLD.account_id;
    ELSE
        SELECT * INTO owner FROM accounts a WHERE a.id = NEW.account_id AND a.created_at <> now();
    END IF;
    IF owner.id IS NOT NULL THEN
        PERFORM note_in_audit_log(
            owner.domain, CASE TG_OP WHEN 'DELETE' THEN 'password.deleted' ELSE 'password.set' END,
            owner.id, owner.username || '@' || owner.domain, '{}');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON passwords
    FOR EACH ROW EXECUTE FUNCTION write_audit_log_of_password();

-- Counting uses of a key is no change, and what a timer deletes because nobody used it was no key any more.
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OF key_hash, name, ip, expires_after_last_used_minutes ON api_keys
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('api_key', 'account', 'id,kind,name,key_start', '');
CREATE TRIGGER write_audit_log_of_deletion AFTER DELETE ON api_keys
    FOR EACH ROW WHEN (OLD.kind = 'admin' OR current_setting('flexid.doer', true) NOT LIKE '%"means":"timer"%')
    EXECUTE FUNCTION write_audit_log('api_key', 'account', 'id,kind,name,key_start', '');

-- Who signs in is not known before; administrators only.
CREATE FUNCTION write_audit_log_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_in_audit_log(
        NEW.domain, 'session.created', a.id, a.username || '@' || a.domain, '{}', signed_in => true)
    FROM accounts a WHERE a.id = NEW.account_id AND a.admin;
    RETURN NULL;
END $$;

CREATE TRIGGER write_audit_log AFTER INSERT ON sessions
    FOR EACH ROW EXECUTE FUNCTION write_audit_log_of_session();

CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON spaces
    FOR EACH ROW EXECUTE FUNCTION write_audit_log(
        'space', 'nobody', '', 'host,name,super,max_accounts,expire_at,web_panel,public_registration,phone_registration');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON space_digest_authentication_configurations
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('digest_settings', 'space', '', 'realm,default_password_algorithm');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON space_oidc_authentication_configurations
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('oidc_settings', 'space', '', 'server_url,realm,auto_provisioning');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON space_email_servers
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('mail_server', 'space', '', 'host,port');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON space_carddav_servers
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('carddav_server', 'space', 'id', 'enabled');
CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE OR UPDATE OF name ON space_logos
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('logo', 'space', '', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE OR UPDATE OF url, events, secret, enabled ON webhooks
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('webhook', 'space', 'id', 'enabled');
CREATE TRIGGER write_audit_log AFTER UPDATE OF activated ON phone_countries
    FOR EACH ROW WHEN (OLD.activated <> NEW.activated)
    EXECUTE FUNCTION write_audit_log('phone_country', 'nobody', 'code', 'activated');

CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON account_dictionary_entries
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('dictionary_entry', 'account', 'key', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON account_types
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('account_type', 'space', 'id,key', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE ON account_account_type
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('type_of_account', 'account', 'account_type_id', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON account_actions
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('account_action', 'account', 'id,key', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON account_carddav_credentials
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('carddav_credentials', 'account', 'space_carddav_server_id', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE ON contacts
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('contact', 'account', 'contact_id', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON contacts_lists
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('contacts_list', 'space', 'id,title', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE ON contacts_list_contact
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('contacts_list_member', 'contacts list', 'contacts_list_id,contact_id', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR DELETE ON account_contacts_list
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('contacts_list_of_account', 'account', 'contacts_list_id', '');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON call_forwardings
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('call_forwarding', 'account', 'id,type', 'enabled');
CREATE TRIGGER write_audit_log AFTER INSERT OR UPDATE OR DELETE ON external_accounts
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('external_account', 'account', 'id', '');
