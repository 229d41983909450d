"""The accounts of a list, as a file."""

from __future__ import annotations

from typing import Any

from flexid.domain.account_exports import CONTENT_TYPES
from flexid.domain.account_search import AccountSearchWish
from flexid.http import streaming
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import PROTECTION
from flexid.http.portal.accounts import PARAMETERS
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/export", title="Export of accounts", portal=True)


@routes.get(caller=ADMIN)
async def export(call: Call[Any]) -> Answer:
    """Write the accounts that the list's search and filters leave, by id, as CSV that can be imported again."""
    wish = AccountSearchWish.read({name: value for name in PARAMETERS if (value := call.query(name))})
    exports = call.services.account_exports
    domain = exports.whose(call.actor, call.space, wish)
    headers = {**PROTECTION, "Content-Disposition": f'attachment; filename="accounts-{domain}.csv"'}
    return await streaming.answer(exports.pieces(domain, wish, "csv"), CONTENT_TYPES["csv"], headers)
