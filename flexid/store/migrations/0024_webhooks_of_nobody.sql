-- Where no Space has a webhook, nothing is looked at but that: creating and changing accounts is done often.

CREATE OR REPLACE FUNCTION tell_webhooks_of_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE enabled) THEN
        INSERT INTO outbox (domain, channel, webhook_id, payload)
        SELECT s.domain, 'webhook', w.id, webhook_event('account.created', account_told(a))
        FROM webhooks w JOIN spaces s ON s.id = w.space_id JOIN created a ON a.domain = s.domain
        WHERE w.enabled AND 'account.created' = ANY (w.events)
        FOR KEY SHARE OF w;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_webhooks_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE enabled) THEN
        INSERT INTO outbox (domain, channel, webhook_id, payload)
        SELECT s.domain, 'webhook', w.id, webhook_event('account.deleted', account_told(a))
        FROM webhooks w JOIN spaces s ON s.id = w.space_id JOIN deleted a ON a.domain = s.domain
        WHERE w.enabled AND 'account.deleted' = ANY (w.events)
        FOR KEY SHARE OF w;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_webhooks_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE enabled) THEN
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
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_webhooks_of_provisioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE enabled) THEN
        INSERT INTO outbox (domain, channel, webhook_id, payload)
        SELECT s.domain, 'webhook', w.id, webhook_event('account.provisioned', account_told(a))
        FROM accounts a JOIN spaces s ON s.domain = a.domain JOIN webhooks w ON w.space_id = s.id
        WHERE a.id = NEW.account_id AND w.enabled AND 'account.provisioned' = ANY (w.events)
        FOR KEY SHARE OF w;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_webhooks_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE enabled) THEN
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
    END IF;
    RETURN NULL;
END $$;
