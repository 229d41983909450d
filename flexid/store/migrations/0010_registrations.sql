-- What ends on SIP at once: registrations of accounts that may no longer register, whoever decided that. A notice belongs
-- to no Space, since it has to outlive it. A new account has no registration, so creating or importing some writes none.

CREATE FUNCTION tell_registrar_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (channel, payload) VALUES ('registrar', jsonb_build_object(
        'addresses', jsonb_build_array(OLD.username || '@' || OLD.domain)));
    RETURN NULL;
END $$;

CREATE TRIGGER tell_registrar_of_changed AFTER UPDATE OF username, activated, blocked ON accounts
    FOR EACH ROW
    WHEN (OLD.username <> NEW.username OR OLD.activated AND NOT NEW.activated OR NEW.blocked AND NOT OLD.blocked)
    EXECUTE FUNCTION tell_registrar_of_changed();

-- A Space takes all its accounts with it: one notice for some hundred of them.
CREATE FUNCTION tell_registrar_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (channel, payload)
    SELECT 'registrar', jsonb_build_object('addresses', jsonb_agg(address))
    FROM (SELECT username || '@' || domain AS address, (row_number() OVER () - 1) / 500 AS batch FROM deleted) gone
    GROUP BY batch;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_registrar_of_deleted AFTER DELETE ON accounts
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION tell_registrar_of_deleted();

-- A new password ends what was registered before it. `before` keeps what an application that knows the new one registers
-- in the meantime. Passwords that go with their account are told of above: there is no account any more.
CREATE FUNCTION tell_registrar_of_password() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (channel, payload)
    SELECT 'registrar', jsonb_build_object(
        'addresses', jsonb_agg(address), 'before', floor(extract(epoch FROM clock_timestamp()))::bigint)
    FROM (
        SELECT username || '@' || domain AS address, (row_number() OVER () - 1) / 500 AS batch
        FROM accounts WHERE id IN (SELECT account_id FROM replaced)
    ) changed
    GROUP BY batch;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_registrar_of_dropped AFTER DELETE ON passwords
    REFERENCING OLD TABLE AS replaced FOR EACH STATEMENT EXECUTE FUNCTION tell_registrar_of_password();

-- The same password once more changes nothing: others' tools write what they know every night.
CREATE FUNCTION tell_registrar_of_new_password() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (channel, payload)
    SELECT 'registrar', jsonb_build_object(
        'addresses', jsonb_build_array(username || '@' || domain),
        'before', floor(extract(epoch FROM clock_timestamp()))::bigint)
    FROM accounts WHERE id = NEW.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_registrar_of_new AFTER UPDATE OF password, algorithm ON passwords
    FOR EACH ROW WHEN ((OLD.password, OLD.algorithm) <> (NEW.password, NEW.algorithm))
    EXECUTE FUNCTION tell_registrar_of_new_password();

-- The B2BUA finds an account by its address, and drops it when its identifier leads to none: one that got another address
-- has to be dropped under the one before. No account ever has the identifier 0.
CREATE OR REPLACE FUNCTION tell_b2bua() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed external_accounts%ROWTYPE;
BEGIN
    changed := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    IF TG_OP = 'UPDATE' AND (OLD.username, OLD.domain) <> (NEW.username, NEW.domain) THEN
        INSERT INTO outbox (channel, payload) VALUES ('b2bua', jsonb_build_object(
            'username', OLD.username, 'domain', OLD.domain, 'identifier', '0'));
    END IF;
    INSERT INTO outbox (channel, payload) VALUES ('b2bua', jsonb_build_object(
        'username', changed.username, 'domain', changed.domain, 'identifier', changed.id::text));
    RETURN NULL;
END $$;

-- It serves accounts that may register, under their own names.
CREATE FUNCTION tell_b2bua_of_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (channel, payload)
    SELECT 'b2bua', jsonb_build_object('username', username, 'domain', domain, 'identifier', id::text)
    FROM external_accounts WHERE account_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_b2bua AFTER UPDATE OF username, activated, blocked ON accounts
    FOR EACH ROW
    WHEN ((OLD.username, OLD.activated, OLD.blocked) <> (NEW.username, NEW.activated, NEW.blocked))
    EXECUTE FUNCTION tell_b2bua_of_owner();
