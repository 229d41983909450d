-- Webhooks hear of what happens to accounts, whoever does it: triggers note it for those that listen, in the transaction
-- that causes it. Passwords, codes, keys and tokens are in none of it.

ALTER TABLE webhooks
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN disabled_because text,
    ADD CHECK (cardinality(events) > 0);
COMMENT ON COLUMN webhooks.disabled_because IS 'why it was switched off by itself, null where a person did that';

ALTER TABLE outbox
    ADD COLUMN webhook_id bigint REFERENCES webhooks ON DELETE CASCADE,
    ADD CHECK (channel <> 'webhook' OR webhook_id IS NOT NULL);
CREATE INDEX outbox_of_webhook ON outbox (webhook_id, id) WHERE webhook_id IS NOT NULL;
CREATE INDEX outbox_due_for_webhook ON outbox (webhook_id, next_attempt_at)
    WHERE state = 'waiting' AND webhook_id IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (created_at) WHERE state = 'dead';
-- However much waits for a receiver that is away, mails and notices do not look at it.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state = 'waiting' AND webhook_id IS NULL;

CREATE FUNCTION webhook_event(type text, data jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'type', type, 'timestamp', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', data)
$$;

CREATE FUNCTION account_told(account accounts) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', account.id,
        'username', account.username,
        'domain', account.domain,
        'sip_uri', 'sip:' || account.username || '@' || account.domain,
        'email', account.email,
        'phone', account.phone,
        'display_name', account.display_name,
        'activated', account.activated,
        'admin', account.admin,
        'blocked', account.blocked,
        'dtmf_protocol', account.dtmf_protocol,
        'created_at', to_char(account.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'updated_at', to_char(account.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
$$;

CREATE FUNCTION account_fields_changed(before accounts, after accounts) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(now.key ORDER BY now.key), '[]')
    FROM jsonb_each(account_told(after)) now JOIN jsonb_each(account_told(before)) old USING (key)
    WHERE now.value <> old.value AND now.key NOT IN ('sip_uri', 'updated_at')
$$;

-- The lock lets nobody delete a webhook before what is put there for it can be seen, and stops nothing else.
CREATE FUNCTION tell_webhooks_of_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (domain, channel, webhook_id, payload)
    SELECT s.domain, 'webhook', w.id, webhook_event('account.created', account_told(a))
    FROM webhooks w JOIN spaces s ON s.id = w.space_id JOIN created a ON a.domain = s.domain
    WHERE w.enabled AND 'account.created' = ANY (w.events)
    FOR KEY SHARE OF w;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_webhooks_of_created AFTER INSERT ON accounts
    REFERENCING NEW TABLE AS created FOR EACH STATEMENT EXECUTE FUNCTION tell_webhooks_of_created();

-- A Space that is deleted takes its webhooks with it: nobody hears of its accounts.
CREATE FUNCTION tell_webhooks_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (domain, channel, webhook_id, payload)
    SELECT s.domain, 'webhook', w.id, webhook_event('account.deleted', account_told(a))
    FROM webhooks w JOIN spaces s ON s.id = w.space_id JOIN deleted a ON a.domain = s.domain
    WHERE w.enabled AND 'account.deleted' = ANY (w.events)
    FOR KEY SHARE OF w;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_webhooks_of_deleted AFTER DELETE ON accounts
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION tell_webhooks_of_deleted();

CREATE FUNCTION tell_webhooks_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (domain, channel, webhook_id, payload)
    SELECT s.domain, 'webhook', w.id, webhook_event(event, CASE event
        WHEN 'account.updated'
        THEN account_told(NEW) || jsonb_build_object('changed', account_fields_changed(OLD, NEW))
        ELSE account_told(NEW)
    END)
    FROM spaces s JOIN webhooks w ON w.space_id = s.id CROSS JOIN unnest(w.events) event
    WHERE s.domain = NEW.domain AND w.enabled AND (event = 'account.updated'
        OR event = 'account.activated' AND NEW.activated AND NOT OLD.activated
        OR event = 'account.blocked' AND NEW.blocked AND NOT OLD.blocked)
    FOR KEY SHARE OF w;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_webhooks_of_changed
    AFTER UPDATE OF username, email, phone, display_name, activated, admin, blocked, dtmf_protocol ON accounts
    FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.phone, OLD.display_name, OLD.activated, OLD.admin, OLD.blocked,
            OLD.dtmf_protocol)
        IS DISTINCT FROM (NEW.username, NEW.email, NEW.phone, NEW.display_name, NEW.activated, NEW.admin, NEW.blocked,
            NEW.dtmf_protocol))
    EXECUTE FUNCTION tell_webhooks_of_changed();

CREATE FUNCTION tell_webhooks_of_provisioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (domain, channel, webhook_id, payload)
    SELECT s.domain, 'webhook', w.id, webhook_event('account.provisioned', account_told(a))
    FROM accounts a JOIN spaces s ON s.domain = a.domain JOIN webhooks w ON w.space_id = s.id
    WHERE a.id = NEW.account_id AND w.enabled AND 'account.provisioned' = ANY (w.events)
    FOR KEY SHARE OF w;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_webhooks_of_provisioned AFTER UPDATE OF used_at ON provisioning_tokens
    FOR EACH ROW WHEN (OLD.used_at IS NULL AND NEW.used_at IS NOT NULL)
    EXECUTE FUNCTION tell_webhooks_of_provisioned();

-- A message that is claimed may be put back; it is on its way once the daemon has given it its Call-ID.
CREATE FUNCTION tell_webhooks_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (domain, channel, webhook_id, payload)
    SELECT s.domain, 'webhook', w.id, webhook_event('message.state', jsonb_build_object(
        'id', NEW.id,
        'call_id', NEW.call_id,
        'to', NEW.recipient,
        'state', NEW.state,
        'error', NEW.error,
        'created_at', to_char(NEW.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'sent_at', to_char(NEW.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'delivered_at', to_char(NEW.delivered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
    FROM spaces s JOIN webhooks w ON w.space_id = s.id
    WHERE s.domain = NEW.domain AND w.enabled AND 'message.state' = ANY (w.events)
    FOR KEY SHARE OF w;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_webhooks_of_message AFTER UPDATE OF state, call_id ON messages
    FOR EACH ROW
    WHEN (OLD.call_id IS NULL AND NEW.call_id IS NOT NULL
        OR OLD.state <> NEW.state AND NEW.state NOT IN ('queued', 'in_progress'))
    EXECUTE FUNCTION tell_webhooks_of_message();
