"""Accounts, one slice after the other, for as long as somebody takes them."""

from __future__ import annotations

from flexid.domain.account_exports import ExportedAccount
from flexid.domain.account_search import AccountSearchWish
from flexid.store.account_criteria import criteria, parameters
from flexid.store.query import Query, Runner

SLICE = 1000
"""Accounts that are looked at in one statement: whatever the filters leave of them, it is soon over."""
_COLUMNS = """
    a.id, a.username, a.domain, a.admin, a.activated, a.blocked, a.phone, a.email, a.display_name, a.dtmf_protocol,
    a.created_at, a.updated_at, x.username AS external_username, x.domain AS external_domain,
    x.realm AS external_realm, x.registrar AS external_registrar, x.outbound_proxy AS external_outbound_proxy,
    x.protocol AS external_protocol
"""


def slicing(wish: AccountSearchWish) -> Query:
    """Return the statement for a slice behind an id; `last` is where it ends, null where nothing is left."""
    conditions = " AND ".join(criteria(wish).values()) or "true"
    sql = f"""
        WITH part AS MATERIALIZED (
            SELECT a.id FROM accounts a
            WHERE (a.domain, a.id) > (%(domain)s, %(after)s) AND a.domain <= %(domain)s
            ORDER BY a.domain, a.id LIMIT {SLICE}
        ), last AS (SELECT max(id) AS id FROM part)
        SELECT last.id AS last, {_COLUMNS}
        FROM last LEFT JOIN (
            accounts a LEFT JOIN external_accounts x ON x.account_id = a.id
        ) ON a.id = ANY (ARRAY(SELECT id FROM part)) AND {conditions}
        ORDER BY a.id
    """
    return Query("slice of accounts", sql, prepare=False)


async def read(
    runner: Runner, domain: str, wish: AccountSearchWish, after: int
) -> tuple[int | None, list[ExportedAccount]]:
    """Return those of the accounts behind an id that a wish is true of, and where to go on; None at the end.

    Of what the wish says about order and pages nothing is heeded.
    """
    rows = await runner.run(slicing(wish), **parameters(wish, domain), after=after)
    last = rows[0]["last"]
    found = [{name: row[name] for name in row if name != "last"} for row in rows if row["id"] is not None]
    return last, [ExportedAccount(**row) for row in found]
