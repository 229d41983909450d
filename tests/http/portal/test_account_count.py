from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application

from flexid.services.account_count import SECONDS, AccountCount


def _count(app: Application, *, is_wanted: bool = True) -> AccountCount:
    return AccountCount(app.database, app.services.clock, is_wanted)


@ensureDeferred
async def test_active_accounts_are_counted_now_and_then(app: Application) -> None:
    tenant = await app.services.directory.by_domain(TENANT)
    assert tenant
    counting = _count(app)
    assert await counting.shown(tenant.space) == 1
    await app.has_account("alice")
    await app.has_account("bob", activated=False)
    assert await counting.shown(tenant.space) == 1
    app.ahead.seconds += SECONDS + 1
    assert await counting.shown(tenant.space) == 2


@ensureDeferred
async def test_the_count_is_shown_only_where_that_is_wanted(app: Application) -> None:
    tenant = await app.services.directory.by_domain(TENANT)
    assert tenant
    assert await _count(app, is_wanted=False).shown(tenant.space) is None
    assert "account" not in (await app.visitor().open("/login")).text.partition("<main")[0]
