"""Account types of a Space, and which of them an account has."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.domain.account_types import AccountType
from flexid.http.api.keys import TypeKey
from flexid.http.call import Call
from flexid.http.inputs import Input
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/account_types", title="Account types")
account_routes = Routes("/api/accounts/{account_id}/types", title="Types of an account")


class TypeInput(Input):
    """The key of a type: letters a to z, digits, `_` and `-`; unique in its Space."""

    key: TypeKey


class TypeAnswer(TypedDict):
    """A type."""

    id: int
    key: str


@routes.get(caller=ADMIN)
async def show_all(call: Call[Any]) -> list[TypeAnswer]:
    """List the account types of the Space."""
    return [_show(each) for each in await call.services.account_types.list_of(call.space)]


@routes.post(caller=ADMIN, input=TypeInput, created=True)
async def add(call: Call[TypeInput]) -> TypeAnswer:
    """Add an account type to the Space."""
    return _show(await call.services.account_types.add(call.space, call.input.key))


@routes.get("/{type_id}", caller=ADMIN)
async def show(call: Call[Any], type_id: int) -> TypeAnswer:
    """Show an account type."""
    return _show(await call.services.account_types.show(call.actor, call.space, type_id))


@routes.put("/{type_id}", caller=ADMIN, input=TypeInput)
async def change(call: Call[TypeInput], type_id: int) -> TypeAnswer:
    """Give an account type another key."""
    return _show(await call.services.account_types.change(call.actor, call.space, type_id, call.input.key))


@routes.delete("/{type_id}", caller=ADMIN)
async def delete(call: Call[Any], type_id: int) -> int:
    """Delete an account type, also from the accounts that have it."""
    return await call.services.account_types.delete(call.actor, call.space, type_id)


@account_routes.post("/{type_id}", caller=ADMIN)
async def attach(call: Call[Any], account_id: int, type_id: int) -> None:
    """Give an account a type of its Space; 403 if it has it already."""
    await call.services.account_types.attach(call.actor, account_id, type_id)


@account_routes.delete("/{type_id}", caller=ADMIN)
async def detach(call: Call[Any], account_id: int, type_id: int) -> int:
    """Take a type from an account; 403 if it does not have it."""
    return await call.services.account_types.detach(call.actor, account_id, type_id)


def _show(account_type: AccountType) -> TypeAnswer:
    return TypeAnswer(id=account_type.id, key=account_type.key)
