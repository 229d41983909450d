"""Accounts, as they are read."""

from __future__ import annotations

from flexid.domain.account import FIELDS, Account
from flexid.domain.carddav import CardDavCredentials
from flexid.domain.passwords import StoredPassword
from flexid.store.carddav_servers import as_json
from flexid.store.query import ISO_TIME, Query, Row, Runner

COLUMNS = f"""
    a.id, {", ".join(f"a.{name}" for name in FIELDS)}, a.blocked,
    a.ip_address, a.user_agent, a.created_at, a.updated_at,
    t.token AS provisioning_token, t.created_at AS provisioning_token_made_at,
    (SELECT json_agg(json_build_array(p.algorithm, p.password) ORDER BY p.algorithm DESC)
     FROM passwords p WHERE p.account_id = a.id) AS passwords,
    (SELECT json_object_agg(d.key, d.value ORDER BY d.id)
     FROM account_dictionary_entries d WHERE d.account_id = a.id) AS dictionary,
    (SELECT json_agg(json_build_object('id', y.id, 'key', y.key) ORDER BY y.id)
     FROM account_account_type x JOIN account_types y ON y.id = x.account_type_id
     WHERE x.account_id = a.id) AS types,
    CASE WHEN a.dtmf_protocol IS NOT NULL THEN (
        SELECT json_agg(json_build_object('id', n.id, 'key', n.key, 'code', n.code) ORDER BY n.id)
        FROM account_actions n WHERE n.account_id = a.id) END AS actions,
    (SELECT json_agg(json_build_array(
        {as_json("s")}, json_build_array(c.username, c.realm, c.algorithm, c.password)) ORDER BY s.id)
     FROM account_carddav_credentials c JOIN space_carddav_servers s ON s.id = c.space_carddav_server_id
     WHERE c.account_id = a.id) AS carddavs,
    (SELECT json_build_object('code', c.code, 'email', c.email, 'created_at', to_char(c.created_at, {ISO_TIME}),
        'updated_at', to_char(c.updated_at, {ISO_TIME}), 'ip', c.ip, 'user_agent', c.user_agent)
     FROM email_change_codes c WHERE c.account_id = a.id AND c.code IS NOT NULL) AS email_change_code,
    (SELECT json_build_object('code', c.code, 'phone', c.phone, 'created_at', to_char(c.created_at, {ISO_TIME}),
        'updated_at', to_char(c.updated_at, {ISO_TIME}), 'ip', c.ip, 'user_agent', c.user_agent)
     FROM phone_change_codes c WHERE c.account_id = a.id AND c.code IS NOT NULL) AS phone_change_code
"""
"""Everything of an account in one statement; `a` is the table of accounts, with `JOINS` behind it."""

JOINS = "LEFT JOIN provisioning_tokens t ON t.account_id = a.id AND t.used_at IS NULL"
"""The one current provisioning token of `a`, if there is one."""

FORWARDINGS = f"""
    (SELECT json_agg(json_build_object(
        'id', f.id, 'type', f.type, 'forward_to', f.forward_to, 'sip_uri', f.sip_uri, 'enabled', f.enabled,
        'contact_id', f.contact_id, 'created_at', to_char(f.created_at, {ISO_TIME}),
        'updated_at', to_char(f.updated_at, {ISO_TIME}),
        'contact_sip_uri', 'sip:' || b.username || '@' || b.domain) ORDER BY f.id DESC)
     FROM call_forwardings f LEFT JOIN accounts b ON b.id = f.contact_id WHERE f.account_id = a.id) AS call_forwardings
"""

FIND = Query(
    "find an account",
    f"""
    SELECT {COLUMNS} FROM accounts a {JOINS}
    WHERE a.id = %(id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
    """,
)
FIND_BY_ADDRESS = Query(
    "find an account by address",
    f"""
    SELECT {COLUMNS}, {FORWARDINGS} FROM accounts a {JOINS}
    WHERE a.username = %(username)s AND a.domain = %(domain)s
    """,
)
FIND_BY_EMAIL = Query(
    "find an account by email",
    f"""
    SELECT {COLUMNS}, {FORWARDINGS} FROM accounts a {JOINS}
    WHERE lower(a.email) = lower(%(email)s) AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
    ORDER BY a.id LIMIT 1
    """,
)
# Two steps: the sums of ranges tell in which range the page starts, and only that range is walked. Compared and sorted
# so that only the index of (domain, id) will do: by ids alone, a small Space among large ones would be searched long.
PAGE = Query(
    "page of accounts",
    f"""
    WITH ranges AS (
        SELECT id_range, sum(accounts)::bigint AS accounts FROM account_counts
        WHERE domain = %(domain)s GROUP BY id_range
    ), running AS (
        SELECT id_range, (sum(accounts) OVER (ORDER BY id_range))::bigint AS up_to, accounts FROM ranges
    ), start AS (
        SELECT id_range, up_to - accounts AS skipped FROM running
        WHERE up_to > %(offset)s AND accounts > 0 ORDER BY id_range LIMIT 1
    )
    SELECT coalesce((SELECT max(up_to) FROM running), 0) AS total, {COLUMNS}
    FROM (SELECT) AS always LEFT JOIN accounts a ON a.id = ANY (ARRAY(
        SELECT id FROM accounts
        WHERE (domain, id) >= (%(domain)s, (SELECT id_range * 4096 FROM start)) AND domain <= %(domain)s
        ORDER BY domain, id OFFSET %(offset)s - (SELECT skipped FROM start) LIMIT %(per_page)s
    )) {JOINS}
    ORDER BY a.id
    """,
)
COUNT = Query(
    "count accounts",
    "SELECT coalesce(sum(accounts), 0)::bigint AS total FROM account_counts WHERE domain = %(domain)s",
)
# Written as the index of states has it, which is all that is read then.
COUNT_ACTIVE = Query(
    "count active accounts",
    """
    SELECT count(*) AS total FROM accounts
    WHERE domain = %(domain)s AND (CASE WHEN blocked THEN 2 WHEN activated THEN 0 ELSE 1 END) = 0
    """,
)
MERGE_COUNTS = Query(
    "merge account counts",
    """
    WITH crowded AS (
        SELECT domain, id_range FROM account_counts GROUP BY domain, id_range
        HAVING count(*) > 1 OR sum(accounts) = 0 LIMIT 1000
    ), gone AS (
        DELETE FROM account_counts c USING crowded
        WHERE c.domain = crowded.domain AND c.id_range = crowded.id_range RETURNING c.*
    )
    INSERT INTO account_counts (domain, id_range, accounts)
    SELECT domain, id_range, sum(accounts) FROM gone GROUP BY domain, id_range HAVING sum(accounts) <> 0
    """,
)
TAKEN = Query(
    "which names are taken",
    """
    SELECT
        EXISTS (SELECT FROM account_names WHERE domain = %(domain)s AND name = %(username)s
                AND account_id IS DISTINCT FROM %(but)s) AS username,
        EXISTS (SELECT FROM account_names WHERE domain = %(domain)s AND name = %(phone)s
                AND account_id IS DISTINCT FROM %(but)s) AS phone,
        EXISTS (SELECT FROM account_emails WHERE domain = %(domain)s AND email = lower(%(email)s)
                AND account_id IS DISTINCT FROM %(but)s) AS email
    """,
)


def from_row(row: Row) -> Account:
    """Return the account that a row of `COLUMNS` describes."""
    carddavs = row.pop("carddavs") or ()
    return Account(
        passwords=tuple(StoredPassword(*password) for password in row.pop("passwords") or ()),
        dictionary=row.pop("dictionary") or {},
        types=row.pop("types") or (),
        actions=row.pop("actions") or (),
        carddav_servers=tuple(server for server, _ in carddavs),
        carddav_credentials=tuple(CardDavCredentials(*credentials) for _, credentials in carddavs),
        call_forwardings=row.pop("call_forwardings", None) or (),
        **row,
    )


async def find(runner: Runner, account_id: int, domain: str | None = None) -> Account | None:
    """Return an account, if it is in `domain` (None: in any)."""
    rows = await runner.run(FIND, id=account_id, domain=domain)
    return from_row(rows[0]) if rows else None


async def find_by_address(runner: Runner, username: str, domain: str) -> Account | None:
    """Return the account of a SIP address, with its call forwardings."""
    rows = await runner.run(FIND_BY_ADDRESS, username=username, domain=domain)
    return from_row(rows[0]) if rows else None


async def find_by_email(runner: Runner, email: str, domain: str | None) -> Account | None:
    """Return the oldest account with an email address, with its call forwardings."""
    rows = await runner.run(FIND_BY_EMAIL, email=email, domain=domain)
    return from_row(rows[0]) if rows else None


async def page(runner: Runner, domain: str, offset: int, per_page: int) -> tuple[int, list[Account]]:
    """Return how many accounts a domain has, and `per_page` of them from `offset`, in the order of their ids."""
    rows = await runner.run(PAGE, domain=domain, offset=offset, per_page=per_page)
    total = rows[0]["total"]
    return total, [from_row(_without(row, "total")) for row in rows if row["id"] is not None]


async def count(runner: Runner, domain: str) -> int:
    """Return how many accounts a domain has."""
    return int((await runner.run(COUNT, domain=domain))[0]["total"])


async def count_active(runner: Runner, domain: str) -> int:
    """Return how many accounts of a domain are activated and not blocked; all of them are looked at."""
    return int((await runner.run(COUNT_ACTIVE, domain=domain))[0]["total"])


async def merge_counts(runner: Runner) -> None:
    """Fold the rows that creations and deletions left into one for each range of ids."""
    await runner.run(MERGE_COUNTS)


async def taken(
    runner: Runner, domain: str, *, username: str | None, phone: str | None, email: str | None, but: int | None = None
) -> set[str]:
    """Return which of these fields somebody else holds in a domain; `but` is the account that may hold them."""
    rows = await runner.run(TAKEN, domain=domain, username=username, phone=phone, email=email, but=but)
    return {field for field, is_taken in rows[0].items() if is_taken}


def _without(row: Row, column: str) -> Row:
    del row[column]
    return row
