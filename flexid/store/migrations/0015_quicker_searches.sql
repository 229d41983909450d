-- The list of accounts, searched in the time of a few pages (docs/adr/0009).

-- Kept, since whatever an index of texts names is looked at again, and putting the text together takes the longest.
DROP INDEX accounts_by_words;
ALTER TABLE accounts ADD COLUMN words text
    GENERATED ALWAYS AS (account_words(username, email, phone, display_name)) STORED;
CREATE INDEX accounts_by_words ON accounts USING gin (domain, words gin_trgm_ops) WITH (gin_pending_list_limit = 256);

-- One account in 64 tells whether a text is common: such an index names nobody before it has found everybody.
CREATE INDEX accounts_by_words_sampled ON accounts
    USING gin (domain, words gin_trgm_ops) WITH (gin_pending_list_limit = 256) WHERE (hashint8(id) & 63) = 0;

-- Numbers as they are written within a country are the ends of those that are stored.
CREATE INDEX accounts_by_phone_backwards ON accounts (reverse(phone) text_pattern_ops) WHERE phone IS NOT NULL;

-- Expressions have figures only after this.
ANALYZE accounts;
