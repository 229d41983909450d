"""What rows show to be wrong beside each other, or beside what we have: mended in the staging tables, or refused.

Each statement returns the ids of the rows that it found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from flexid.store.upstream.findings import NAMED, Fate, Findings
from flexid.store.upstream.tables import TABLES


@frozen
class Mend:
    """A statement that returns `id`, what it tells of the rows that it returns, and what becomes of them."""

    table: str
    reason: str
    fate: Fate
    sql: str

    def run(self, cursor: Any, findings: Findings, values: Mapping[str, object]) -> None:
        """Run it, and note what it found."""
        cursor.execute(
            f"WITH found AS ({self.sql}) SELECT id::text, count(*) OVER () FROM found "
            f"ORDER BY length(id::text), id::text LIMIT {NAMED}",
            values,
        )
        if rows := cursor.fetchall():
            findings.add(self.table, self.reason, self.fate, [row[0] for row in rows], rows[0][1])


def _key(table: str) -> str:
    columns = next(each.key for each in TABLES if each.name == table)
    return f"concat_ws(' ', {', '.join(f'u.{column}' for column in columns)})"


def _orphans() -> Iterator[Mend]:
    spaces = "space_digest_authentication_configurations space_oidc_authentication_configurations space_email_servers"
    for table, column, target in (
        *((table, "space_id", "spaces") for table in (*spaces.split(), "space_carddav_servers")),
        *((table.name, "account_id", "accounts") for table in TABLES if "account_id" in table.columns),
        ("account_account_type", "account_type_id", "account_types"),
        ("account_carddav_credentials", "space_carddav_server_id", "space_carddav_servers"),
        ("contacts", "contact_id", "accounts"),
        ("contacts_list_contact", "contact_id", "accounts"),
        ("contacts_list_contact", "contacts_list_id", "contacts_lists"),
        ("account_contacts_list", "contacts_list_id", "contacts_lists"),
        ("call_forwardings", "contact_id", "accounts"),
        ("wizards", "provisioning_account_id", "accounts"),
        ("statistics_call_devices", "call_id", "statistics_calls"),
        ("statistics_message_devices", "message_id", "statistics_messages"),
    ):
        yield Mend(
            table,
            f"its {column} leads nowhere",
            "left out",
            f"DELETE FROM up_{table} u WHERE {column} IS NOT NULL AND NOT EXISTS "
            f"(SELECT FROM up_{target} t WHERE t.id = u.{column}) RETURNING {_key(table)} AS id",
        )


def _doubles() -> Iterator[Mend]:
    for table, columns, order in (
        ("space_digest_authentication_configurations", "space_id", "id"),
        ("space_oidc_authentication_configurations", "space_id", "id"),
        ("space_email_servers", "space_id", "id"),
        ("passwords", "account_id, algorithm", "id"),
        ("accounts_tombstones", "username, domain", "created_at"),
        ("account_dictionary_entries", "account_id, key", "id"),
        ("account_account_type", "account_id, account_type_id", "created_at"),
        ("account_carddav_credentials", "account_id, space_carddav_server_id", "created_at"),
        ("contacts", "account_id, contact_id", "created_at"),
        ("contacts_list_contact", "contacts_list_id, contact_id", "created_at"),
        ("account_contacts_list", "account_id, contacts_list_id", "created_at"),
        ("vcards_storage", "account_id, uuid", "id"),
        ("call_forwardings", "account_id, type", "id"),
        ("external_accounts", "account_id", "id"),
        ("external_accounts", "username, domain", "id"),
        ("phone_countries", "code", "updated_at"),
        ("statistics_call_devices", "call_id, device_id", "id"),
        ("statistics_message_devices", "message_id, to_username, to_domain, device_id", "id"),
    ):
        yield Mend(
            table,
            f"another row has the same {columns}, and is the later one",
            "left out",
            f"DELETE FROM up_{table} u USING (SELECT ctid AS place, row_number() OVER "
            f"(PARTITION BY {columns} ORDER BY {order} DESC NULLS LAST) AS number FROM up_{table}) d "
            f"WHERE u.ctid = d.place AND d.number > 1 RETURNING {_key(table)} AS id",
        )


SPACES: tuple[Mend | str, ...] = (
    Mend(
        "spaces",
        "accounts have this domain, and no Space has it: one is made",
        "told",
        """
        INSERT INTO up_spaces (domain, host, name) SELECT DISTINCT a.domain, a.domain, a.domain FROM up_accounts a
        WHERE NOT EXISTS (SELECT FROM up_spaces s WHERE s.domain = a.domain) RETURNING domain AS id
        """,
    ),
    *(
        Mend(
            "spaces",
            f"two Spaces have its {column}",
            "refused",
            f"SELECT domain AS id FROM up_spaces WHERE {column} IN "
            f"(SELECT {column} FROM up_spaces GROUP BY {column} HAVING count(*) > 1)",
        )
        for column in ("domain", "host", "name")
    ),
    *(
        Mend(
            "spaces",
            f"another Space has its {column} here",
            "refused",
            f"SELECT u.domain AS id FROM up_spaces u JOIN spaces s ON s.{column} = u.{column} AND s.domain <> u.domain",
        )
        for column in ("host", "name")
    ),
    Mend(
        "spaces",
        "its host is neither root_host nor below it: no Space could be made like that here",
        "told",
        """
        SELECT domain AS id FROM up_spaces
        WHERE host <> %(root_host)s AND right(host, length(%(root_host)s) + 1) <> '.' || %(root_host)s
        """,
    ),
)
# Accounts that were moved before, and deleted there since then.
GONE_UPSTREAM = """
    CREATE TEMPORARY TABLE gone_upstream ON COMMIT DROP AS
    SELECT a.id FROM accounts a JOIN upstream_accounts k ON k.account_id = a.id
    JOIN up_accounts_tombstones t ON t.username = a.username AND t.domain = a.domain
    WHERE NOT EXISTS (SELECT FROM up_accounts u WHERE u.id = a.id)
"""
SHARED_EMAILS = """
    CREATE TEMPORARY TABLE shared_emails ON COMMIT DROP AS
    SELECT domain, array_agg(id) AS ids FROM (
        SELECT u.id, u.domain, lower(u.email) AS email FROM up_accounts u
        UNION ALL
        SELECT a.id, a.domain, lower(a.email) FROM accounts a
        WHERE NOT EXISTS (SELECT FROM up_accounts u WHERE u.id = a.id)
            AND NOT EXISTS (SELECT FROM gone_upstream g WHERE g.id = a.id)
    ) every
    WHERE email IS NOT NULL AND domain IN (SELECT domain FROM up_spaces WHERE coalesce(unique_email, true))
    GROUP BY domain, email HAVING count(*) > 1
"""
# Lists of older versions belong to no Space, and types to none at all: each Space that uses one gets a copy.
LIST_SPACES = """
    CREATE TEMPORARY TABLE list_spaces ON COMMIT DROP AS
    SELECT id, domain, row_number() OVER (PARTITION BY id ORDER BY domain) AS number FROM (
        SELECT l.id, s.domain FROM up_contacts_lists l JOIN up_spaces s ON s.id = l.space_id
        UNION
        SELECT l.id, a.domain FROM up_contacts_lists l JOIN up_account_contacts_list x ON x.contacts_list_id = l.id
        JOIN up_accounts a ON a.id = x.account_id WHERE l.space_id IS NULL
        UNION
        SELECT l.id, s.domain FROM up_contacts_lists l, up_spaces s
        WHERE l.space_id IS NULL AND (SELECT count(*) FROM up_spaces) = 1
    ) placed
"""
TYPE_SPACES = """
    CREATE TEMPORARY TABLE type_spaces ON COMMIT DROP AS
    SELECT t.id, a.domain FROM up_account_types t JOIN up_account_account_type x ON x.account_type_id = t.id
    JOIN up_accounts a ON a.id = x.account_id
    UNION
    SELECT t.id, s.domain FROM up_account_types t, up_spaces s WHERE (SELECT count(*) FROM up_spaces) = 1
"""
ACCOUNTS: tuple[Mend | str, ...] = (
    GONE_UPSTREAM,
    Mend(
        "accounts",
        "it was named in the table admins, and is an administrator of its Space",
        "told",
        """
        UPDATE up_accounts SET admin = true WHERE id IN (SELECT account_id FROM up_admins) AND admin IS NOT true
        RETURNING id
        """,
    ),
    Mend(
        "accounts",
        "another account has its username and domain, but for capital letters",
        "refused",
        """
        SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY username, domain) AS number FROM up_accounts) n
        WHERE number > 1
        """,
    ),
    Mend(
        "accounts",
        "an account that was made here has its id, and another name or domain",
        "refused",
        """
        SELECT u.id FROM up_accounts u JOIN accounts a USING (id)
        WHERE a.domain <> u.domain OR (a.username <> u.username
            AND NOT EXISTS (SELECT FROM upstream_accounts k WHERE k.account_id = a.id))
        """,
    ),
    Mend(
        "accounts",
        "an account that was made here has its username, or has it for a phone number",
        "refused",
        """
        SELECT u.id FROM up_accounts u
        JOIN account_names n ON n.domain = u.domain AND n.name = u.username AND n.account_id <> u.id
        WHERE NOT EXISTS (SELECT FROM up_accounts o WHERE o.id = n.account_id)
            AND NOT EXISTS (SELECT FROM gone_upstream g WHERE g.id = n.account_id)
        """,
    ),
    Mend(
        "accounts",
        "it was deleted here after it had been moved, and comes back",
        "told",
        """
        SELECT u.id FROM up_accounts u
        JOIN account_names n ON n.domain = u.domain AND n.name = u.username AND n.kind = 'tombstone'
        """,
    ),
    Mend(
        "accounts",
        "it was deleted there after it had been moved, and is deleted here",
        "told",
        "SELECT id FROM gone_upstream",
    ),
    Mend(
        "accounts",
        "its phone number is the username or the number of another account in its domain, and was left out of it",
        "mended",
        """
        UPDATE up_accounts u SET phone = NULL FROM (
            SELECT p.id FROM up_accounts p
            WHERE p.phone IS NOT NULL AND (
                EXISTS (SELECT FROM up_accounts o
                    WHERE o.domain = p.domain AND o.username = p.phone AND o.id <> p.id)
                OR EXISTS (SELECT FROM account_names n
                    WHERE n.domain = p.domain AND n.name = p.phone AND n.account_id <> p.id
                    AND NOT EXISTS (SELECT FROM up_accounts o WHERE o.id = n.account_id)
                    AND NOT EXISTS (SELECT FROM gone_upstream g WHERE g.id = n.account_id)))
            UNION
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY domain, phone ORDER BY id) AS number
                FROM up_accounts WHERE phone IS NOT NULL
            ) n WHERE number > 1
        ) c WHERE c.id = u.id RETURNING u.id
        """,
    ),
    SHARED_EMAILS,
    # Nothing is lost by that, and it can be turned on again.
    Mend(
        "spaces",
        "accounts share an email address: unique_email is turned off",
        "mended",
        """
        UPDATE up_spaces s SET unique_email = false
        WHERE coalesce(s.unique_email, true) AND s.domain IN (SELECT domain FROM shared_emails) RETURNING s.domain AS id
        """,
    ),
    Mend(
        "accounts",
        "it shares its email address with another account of its Space, which had to be unique",
        "told",
        "SELECT unnest(ids) AS id FROM shared_emails",
    ),
    Mend(
        "spaces",
        "it has more accounts than max_accounts allows: the limit is raised",
        "mended",
        """
        UPDATE up_spaces s SET max_accounts = c.number FROM (
            SELECT domain, count(*) AS number FROM (
                SELECT domain FROM up_accounts UNION ALL
                SELECT domain FROM accounts a WHERE NOT EXISTS (SELECT FROM up_accounts u WHERE u.id = a.id)
                    AND NOT EXISTS (SELECT FROM gone_upstream g WHERE g.id = a.id)
            ) every GROUP BY domain
        ) c WHERE c.domain = s.domain AND s.max_accounts > 0 AND s.max_accounts < c.number RETURNING s.domain AS id
        """,
    ),
    Mend(
        "accounts_tombstones",
        "there is no Space of its domain, or an account has its name",
        "left out",
        """
        DELETE FROM up_accounts_tombstones u
        WHERE NOT EXISTS (SELECT FROM up_spaces s WHERE s.domain = u.domain)
            OR EXISTS (SELECT FROM up_accounts a WHERE a.domain = u.domain AND u.username IN (a.username, a.phone))
            OR EXISTS (SELECT FROM account_names n WHERE n.domain = u.domain AND n.name = u.username
                AND n.kind <> 'tombstone' AND NOT EXISTS (SELECT FROM up_accounts a WHERE a.id = n.account_id)
                AND NOT EXISTS (SELECT FROM gone_upstream g WHERE g.id = n.account_id))
        RETURNING id
        """,
    ),
)
BELONGINGS: tuple[Mend | str, ...] = (
    *_orphans(),
    *_doubles(),
    Mend(
        "api_keys",
        "its user has another key that was used later",
        "left out",
        """
        DELETE FROM up_api_keys u USING (
            SELECT k.id, row_number() OVER (PARTITION BY k.account_id ORDER BY k.last_used_at DESC, k.id DESC) AS number
            FROM up_api_keys k JOIN up_accounts a ON a.id = k.account_id WHERE a.admin IS NOT true
        ) d WHERE d.id = u.id AND d.number > 1 RETURNING u.id
        """,
    ),
    TYPE_SPACES,
    Mend(
        "account_types",
        "no account has it",
        "left out",
        "DELETE FROM up_account_types u WHERE NOT EXISTS (SELECT FROM type_spaces p WHERE p.id = u.id) RETURNING id",
    ),
    LIST_SPACES,
    Mend(
        "contacts_lists",
        "it belongs to no Space that could be told",
        "left out",
        "DELETE FROM up_contacts_lists u WHERE NOT EXISTS (SELECT FROM list_spaces p WHERE p.id = u.id) RETURNING id",
    ),
    Mend(
        "call_forwardings",
        "it is turned off, since all calls of its account are forwarded anyway",
        "mended",
        """
        UPDATE up_call_forwardings u SET enabled = false WHERE enabled AND type <> 'always' AND EXISTS (
            SELECT FROM up_call_forwardings a WHERE a.account_id = u.account_id AND a.type = 'always' AND a.enabled
        ) RETURNING id
        """,
    ),
    Mend(
        "external_accounts",
        "another account here has an external account of its username and domain",
        "refused",
        """
        SELECT u.id FROM up_external_accounts u
        JOIN external_accounts x ON x.username = u.username AND x.domain = u.domain AND x.account_id <> u.account_id
        WHERE NOT EXISTS (SELECT FROM up_external_accounts o WHERE o.account_id = x.account_id)
        """,
    ),
    Mend(
        "phone_countries",
        "libphonenumber knows no such country",
        "left out",
        """
        DELETE FROM up_phone_countries u WHERE NOT EXISTS (SELECT FROM phone_countries c WHERE c.code = u.code)
        RETURNING code AS id
        """,
    ),
)
