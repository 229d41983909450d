-- Of an SMS that may have been taken there is one more, and no third one: see docs/mail-and-sms.md.
ALTER TABLE outbox ADD COLUMN unsure smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN outbox.unsure IS 'attempts of which nobody knows how they ended, the one that is made now included';

-- Mails are taken from here Space by Space, so that those of one wait for no other's.
CREATE INDEX outbox_mails_due ON outbox (domain, next_attempt_at) WHERE state = 'waiting' AND channel = 'mail';

-- Of which Spaces it was told that they expire, and how many days before; a Space that is prolonged begins anew.
CREATE TABLE space_expiration_notices (
    space_id bigint NOT NULL REFERENCES spaces ON DELETE CASCADE,
    expire_at timestamptz NOT NULL,
    days integer NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (space_id, expire_at, days)
);
