-- Accounts that were moved here from Flexisip Account Manager: moved once more, they are replaced, while those that were
-- made here in the meantime are kept.
CREATE TABLE upstream_accounts (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE
);

-- Accounts that nobody confirmed are looked for by their age.
CREATE INDEX accounts_unconfirmed ON accounts (created_at) WHERE NOT activated AND NOT admin;
