-- The portal's list of accounts: searched, filtered, sorted and paged (docs/adr/0009).

-- Both are trusted: whoever may create in the database may create them, where PostgreSQL's contrib files are installed.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE EXTENSION IF NOT EXISTS btree_gin;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE feature_not_supported USING CONSTRAINT = 'extensions_missing', MESSAGE = SQLERRM;
END $$;

-- One for each order of the list. Those on expressions carry the columns too, or skipping would visit the table.
CREATE INDEX accounts_by_username ON accounts (domain, username) INCLUDE (id);
CREATE INDEX accounts_by_email_in_domain ON accounts (domain, lower(email), id) INCLUDE (email);
CREATE INDEX accounts_by_phone_in_domain ON accounts (domain, phone, id);
CREATE INDEX accounts_by_status ON accounts
    (domain, (CASE WHEN blocked THEN 2 WHEN activated THEN 0 ELSE 1 END), id) INCLUDE (blocked, activated);
CREATE INDEX accounts_by_change ON accounts (domain, updated_at, id);
CREATE INDEX accounts_of_administrators ON accounts (domain, id) WHERE admin;

-- All that is searched is one text in which every word begins after a space, so that one index finds any part of any
-- field. What divides words becomes a space too: pg_trgm sees letters and digits only, and accounts that it takes for
-- found must not be so many more than are.
CREATE FUNCTION account_words(username text, email text, phone text, display_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate(
        lower(' ' || username || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') || ' ' || coalesce(display_name, '')),
        '@.-_+', '     '
    )
$$;

-- Changes wait in a list that every search reads through: it is kept short.
CREATE INDEX accounts_by_words ON accounts
    USING gin (domain, account_words(username, email, phone, display_name) gin_trgm_ops)
    WITH (gin_pending_list_limit = 256);

-- Accounts are counted for each domain, and for all of them together under the domain ''.
CREATE OR REPLACE FUNCTION count_created_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_counts (domain, id_range, accounts)
    SELECT coalesce(domain, ''), id / 4096, count(*)
    FROM created GROUP BY GROUPING SETS ((domain, id / 4096), (id / 4096));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION count_deleted_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_counts (domain, id_range, accounts)
    SELECT coalesce(domain, ''), id / 4096, -count(*)
    FROM deleted GROUP BY GROUPING SETS ((domain, id / 4096), (id / 4096));
    RETURN NULL;
END $$;

INSERT INTO account_counts (domain, id_range, accounts)
SELECT '', id_range, sum(accounts) FROM account_counts GROUP BY id_range;

-- The expressions need figures of their own before anybody searches.
ANALYZE accounts;
