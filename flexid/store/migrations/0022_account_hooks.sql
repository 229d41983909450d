-- Operators' own functions hear of what happens to accounts, whoever does it. Connections of a flexid that has such
-- functions say so (`flexid.hooks`); where nobody has any, nothing is noted.

ALTER TABLE outbox
    DROP CONSTRAINT outbox_channel_check,
    ADD CONSTRAINT outbox_channel_check
        CHECK (channel IN ('mail', 'sms', 'webhook', 'registrar', 'b2bua', 'hook'));

CREATE FUNCTION are_hooks_there() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('flexid.hooks', true), '') = 'on'
$$;

CREATE FUNCTION hook_call(function text, account accounts) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('function', function, 'account', account_told(account),
        'doer', nullif(current_setting('flexid.doer', true), '')::jsonb)
$$;

CREATE FUNCTION call_hooks_of_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF are_hooks_there() THEN
        INSERT INTO outbox (channel, payload) SELECT 'hook', hook_call('account_created', a) FROM changed a;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER call_hooks_of_created AFTER INSERT ON accounts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION call_hooks_of_created();

CREATE FUNCTION call_hooks_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF are_hooks_there() THEN
        INSERT INTO outbox (channel, payload) SELECT 'hook', hook_call('account_deleted', a) FROM changed a;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER call_hooks_of_deleted AFTER DELETE ON accounts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION call_hooks_of_deleted();

CREATE FUNCTION call_hooks_of_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF are_hooks_there() THEN
        INSERT INTO outbox (channel, payload) VALUES ('hook', hook_call('account_edited', NEW));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER call_hooks_of_edited
    AFTER UPDATE OF username, email, phone, display_name, activated, admin, blocked, dtmf_protocol ON accounts
    FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.phone, OLD.display_name, OLD.activated, OLD.admin, OLD.blocked,
            OLD.dtmf_protocol)
        IS DISTINCT FROM (NEW.username, NEW.email, NEW.phone, NEW.display_name, NEW.activated, NEW.admin, NEW.blocked,
            NEW.dtmf_protocol))
    EXECUTE FUNCTION call_hooks_of_edited();
