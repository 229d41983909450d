"""Voicemails and call forwardings: one's own, and those of accounts that one administers."""

from __future__ import annotations

from itertools import islice
from typing import Any

from flexid.base.text import Text
from flexid.domain.account import Account
from flexid.domain.call_forwardings import TYPES, CallForwarding
from flexid.domain.errors import NotFound
from flexid.http.answers import Answer
from flexid.http.api.call_forwardings import ForwardingInput
from flexid.http.api.whose import OWN, account_of
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.portal.account_page import list_of, path_of
from flexid.http.routes import ADMIN, USER, Routes

own_routes = Routes("/telephony", title="Own telephony", portal=True)
account_routes = Routes("/admin/accounts/{account_id}/telephony", title="Telephony of an account", portal=True)

MOST_CONTACTS = 500
"""Of more, the rest is chosen by its SIP address."""


@own_routes.get(caller=USER)
@account_routes.get(caller=ADMIN)
async def show(call: Call[Any], account_id: int = OWN) -> Answer:
    """Show the voicemails and call forwardings of an account."""
    account = await _account(call, account_id)
    known = await call.services.voicemails.list_of(call.actor, account.id)
    return _page(
        call,
        "page",
        account_id,
        account,
        voicemails=[voicemail for voicemail in known if voicemail.path],
        forwardings=await call.services.call_forwardings.list_of(call.actor, account.id),
    )


@own_routes.get("/voicemails/{uuid}/delete", caller=USER)
@account_routes.get("/voicemails/{uuid}/delete", caller=ADMIN)
async def ask(call: Call[Any], uuid: str, account_id: int = OWN) -> Answer:
    """Ask whether a voicemail is really to be deleted."""
    account = await _account(call, account_id)
    voicemail = await call.services.voicemails.show(call.actor, account.id, uuid)
    return _page(call, "delete", account_id, account, voicemail=voicemail)


@own_routes.delete("/voicemails/{uuid}", caller=USER)
@account_routes.delete("/voicemails/{uuid}", caller=ADMIN)
async def delete(call: Call[Any], uuid: str, account_id: int = OWN) -> Answer:
    """Delete a voicemail."""
    deleted = await call.services.voicemails.delete(call.actor, account_of(call, account_id), uuid)
    if not deleted:
        return await go(call, _path(account_id), Text("This voicemail was gone already."), "info")
    return await go(call, _path(account_id), Text("The voicemail is deleted."))


@own_routes.get("/forwardings/{kind}", caller=USER)
@account_routes.get("/forwardings/{kind}", caller=ADMIN)
async def edit(call: Call[Any], kind: str, account_id: int = OWN) -> Answer:
    """Show the call forwarding of a kind, to be changed."""
    account, now = await _account(call, account_id), await _forwarding(call, account_id, kind)
    contacts = list(islice(await call.services.contacts.known_to(account), MOST_CONTACTS))
    return _page(call, "forwarding", account_id, account, kind=kind, forwarding=now, contacts=contacts)


@own_routes.post("/forwardings/{kind}", caller=USER, input=ForwardingInput, again=edit)
@account_routes.post("/forwardings/{kind}", caller=ADMIN, input=ForwardingInput, again=edit)
async def save(call: Call[ForwardingInput], kind: str, account_id: int = OWN) -> Answer:
    """Set the call forwarding of a kind."""
    wanted, now = call.input.value(), await _forwarding(call, account_id, kind)
    if wanted.type != kind:
        raise NotFound
    number, services = account_of(call, account_id), call.services.call_forwardings
    if now:
        await services.change(call.actor, number, now.id, wanted)
    else:
        await services.add(call.actor, number, wanted)
    return await go(call, _path(account_id), Text("Call forwarding saved."))


@own_routes.delete("/forwardings/{kind}", caller=USER)
@account_routes.delete("/forwardings/{kind}", caller=ADMIN)
async def remove(call: Call[Any], kind: str, account_id: int = OWN) -> Answer:
    """Remove the call forwarding of a kind."""
    if now := await _forwarding(call, account_id, kind):
        await call.services.call_forwardings.delete(call.actor, account_of(call, account_id), now.id)
    return await go(call, _path(account_id), Text("Call forwarding removed."))


async def _account(call: Call[Any], account_id: int) -> Account:
    if account_id == OWN:
        return await call.services.own_account.show(call.actor)
    return await call.services.accounts.show(call.actor, account_id)


async def _forwarding(call: Call[Any], account_id: int, kind: str) -> CallForwarding | None:
    known = await call.services.call_forwardings.list_of(call.actor, account_of(call, account_id))
    if kind not in TYPES:
        raise NotFound
    return next((each for each in known if each.type == kind), None)


def _path(account_id: int) -> str:
    return own_routes.prefix if account_id == OWN else f"{path_of(account_id)}/telephony"


def _page(call: Call[Any], name: str, account_id: int, account: Account, **values: Any) -> Answer:
    return page(
        call,
        f"telephony/{name}.html",
        account=account,
        is_own=account_id == OWN,
        path=_path(account_id),
        account_path=path_of(account.id),
        list_path=list_of(call, account),
        **values,
    )
