"""The actions of an account, as administrators manage them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from flexid.base.text import Text
from flexid.domain.account_actions import AccountAction
from flexid.http.api.keys import ActionCode, ActionKey
from flexid.http.call import Call
from flexid.http.inputs import Input
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/accounts/{account_id}/actions", title="Account actions")


class ActionInput(Input):
    """What is done (letters a to z, digits, `_` and `-`), and the code to dial for it (letters a to z, digits)."""

    key: ActionKey
    code: ActionCode


class ActionAnswer(TypedDict):
    """An action."""

    id: int
    key: str
    code: str


async def needs_account(
    call: Call[Any], _: Mapping[str, Any], account_id: int, action_id: int | None = None
) -> Mapping[str, Sequence[Text]]:
    """Refuse wrong input for an account or an action that is not there as if it were right."""
    if action_id is None:
        await call.services.account_actions.list_of(call.actor, account_id)
    else:
        await call.services.account_actions.show(call.actor, account_id, action_id)
    return {}


@routes.get(caller=ADMIN)
async def show_all(call: Call[Any], account_id: int) -> list[ActionAnswer]:
    """List the actions of an account; 403 while it has no DTMF protocol, here and below."""
    return [_show(each) for each in await call.services.account_actions.list_of(call.actor, account_id)]


@routes.post(caller=ADMIN, input=ActionInput, refusals=needs_account, created=True)
async def add(call: Call[ActionInput], account_id: int) -> ActionAnswer:
    """Add an action to an account."""
    given = call.input
    return _show(await call.services.account_actions.add(call.actor, account_id, given.key, given.code))


@routes.get("/{action_id}", caller=ADMIN)
async def show(call: Call[Any], account_id: int, action_id: int) -> ActionAnswer:
    """Show an action of an account."""
    return _show(await call.services.account_actions.show(call.actor, account_id, action_id))


@routes.put("/{action_id}", caller=ADMIN, input=ActionInput, refusals=needs_account)
async def change(call: Call[ActionInput], account_id: int, action_id: int) -> ActionAnswer:
    """Replace an action of an account."""
    action = AccountAction(action_id, call.input.key, call.input.code)
    return _show(await call.services.account_actions.change(call.actor, account_id, action))


@routes.delete("/{action_id}", caller=ADMIN)
async def delete(call: Call[Any], account_id: int, action_id: int) -> int:
    """Delete an action of an account."""
    return await call.services.account_actions.delete(call.actor, account_id, action_id)


def _show(action: AccountAction) -> ActionAnswer:
    return ActionAnswer(id=action.id, key=action.key, code=action.code)
