"""One account, as its administrators see it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flexid.base.text import Text
from flexid.domain.account import Account
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.portal.account_forms import refuse_oneself
from flexid.http.portal.provisioning_link import link_of, qr_of
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/{account_id}", title="Account", portal=True)


@routes.get(caller=ADMIN)
async def show(call: Call[Any], account_id: int) -> Answer:
    """Show an account with its provisioning code, devices and dictionary, and what can be done with it."""
    account = await call.services.accounts.show(call.actor, account_id)
    provisioning = await link_of(call, account)
    devices = await call.services.devices.on_page(account)
    return page_of(call, "account", account, provisioning=provisioning, devices=devices)


@routes.get("/qrcode", caller=ADMIN)
async def picture(call: Call[Any], account_id: int) -> Answer:
    """Return the provisioning code as a picture."""
    return await qr_of(call, await call.services.accounts.show(call.actor, account_id))


@routes.post("/provisioning", caller=ADMIN)
async def renew(call: Call[Any], account_id: int) -> Answer:
    """Make a new provisioning code; the one before is void."""
    await call.services.accounts.renew_provisioning_token(call.actor, account_id, call.origin)
    return await go(call, path_of(account_id), Text("Here is the new code. The one before no longer works."))


@routes.post("/activate", caller=ADMIN)
async def activate(call: Call[Any], account_id: int) -> Answer:
    """Let the account call and be called."""
    account = await call.services.accounts.set_activated(call.actor, account_id, value=True)
    return await go(call, path_of(account_id), Text("Account {username} is active.", username=account.username))


@routes.post("/deactivate", caller=ADMIN)
async def deactivate(call: Call[Any], account_id: int) -> Answer:
    """Let the account neither call nor be called."""
    refuse_oneself(call.actor, account_id)
    account = await call.services.accounts.set_activated(call.actor, account_id, value=False)
    return await go(call, path_of(account_id), Text("Account {username} is inactive.", username=account.username))


@routes.post("/block", caller=ADMIN)
async def block(call: Call[Any], account_id: int) -> Answer:
    """Shut the account out of the portal, of provisioning and of the API."""
    refuse_oneself(call.actor, account_id)
    account = await call.services.accounts.set_blocked(call.actor, account_id, value=True)
    return await go(call, path_of(account_id), Text("Account {username} is blocked.", username=account.username))


@routes.post("/unblock", caller=ADMIN)
async def unblock(call: Call[Any], account_id: int) -> Answer:
    """Let the account in again."""
    account = await call.services.accounts.set_blocked(call.actor, account_id, value=False)
    text = Text("Account {username} is no longer blocked.", username=account.username)
    return await go(call, path_of(account_id), text)


def path_of(account_id: int) -> str:
    """Return where an account is shown."""
    return f"/admin/accounts/{account_id}"


def list_of(call: Call[Any], account: Account) -> str:
    """Return the list that an account stands in."""
    is_here = account.domain == call.space.domain
    return "/admin/accounts" if is_here else f"/admin/accounts?domain={quote(account.domain)}"


def page_of(call: Call[Any], name: str, account: Account, **values: Any) -> Answer:
    """Return a page about an account."""
    return page(
        call,
        f"admin_accounts/{name}.html",
        account=account,
        is_own=account.id == call.actor.account_id,
        path=path_of(account.id),
        list_path=list_of(call, account),
        **values,
    )
