"""Pages of accounts as the API lists them: whole, by id, and narrowed where it is wished."""

from __future__ import annotations

from flexid.domain.account import Account
from flexid.domain.account_search import AccountSearchWish
from flexid.store import account_search, accounts
from flexid.store.account_criteria import criteria, parameters
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Query, Runner


async def page(runner: Runner, domain: str, wish: AccountSearchWish) -> tuple[int, list[Account]]:
    """Return how many accounts of a domain a wish is true of, and those of a page, in at most two statements.

    Of what the wish says about order nothing is heeded.
    """
    offset = (wish.page - 1) * wish.per_page
    if not wish.narrowed:
        return await accounts.page(runner, domain, offset, wish.per_page)
    if wish.text:
        return await account_search.whole_page(runner, domain, wish)
    bound = parameters(wish, domain) | {"offset": offset, "per_page": wish.per_page}
    rows = await runner.run(filtering(wish), **bound)
    total = int(rows[0]["total"])
    found = [{name: row[name] for name in row if name != "total"} for row in rows if row["id"] is not None]
    return total, [from_row(row) for row in found]


def filtering(wish: AccountSearchWish) -> Query:
    """Return the statement for the accounts that filters leave; all of those are counted, so that none is missed."""
    # Gathered before they are sorted: looking for the first ones by id, PostgreSQL could walk far until it meets any.
    conditions = " AND ".join(["a.domain = %(domain)s", *criteria(wish).values()])
    sql = f"""
        WITH matching AS MATERIALIZED (SELECT a.id FROM accounts a WHERE {conditions})
        SELECT (SELECT count(*) FROM matching) AS total, {COLUMNS}
        FROM (SELECT) AS always LEFT JOIN accounts a ON a.id = ANY (ARRAY(
            SELECT id FROM matching ORDER BY id OFFSET %(offset)s LIMIT %(per_page)s
        )) {JOINS}
        ORDER BY a.id
    """
    return Query("page of accounts, filtered", sql, prepare=False)
