"""The external account of an account, as administrators manage it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from flexid.base.text import Text
from flexid.domain.external_account import PROTOCOLS, ExternalAccount, ExternalSettings
from flexid.http import answers
from flexid.http.answers import Answer, moment
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Line64, Line255, one_of
from flexid.http.routes import ADMIN, Routes
from flexid.http.server_inputs import ForeignPassword, HostOrIp

routes = Routes("/api/accounts/{account_id}/external", title="External account")


class ExternalAccountInput(Input):
    """How to register with another operator; the password is needed at first, and again for another name or realm."""

    username: Line64
    domain: HostOrIp
    protocol: Annotated[AnyText, one_of(*PROTOCOLS)]
    realm: Line255 | None = None
    registrar: Line255 | None = None
    outbound_proxy: Line255 | None = None
    password: ForeignPassword | None = None


class ExternalAccountAnswer(TypedDict):
    """An external account; its password is never shown, in no form."""

    id: int
    account_id: int
    username: str
    domain: str
    realm: str | None
    registrar: str | None
    outbound_proxy: str | None
    protocol: str
    algorithm: str
    created_at: str
    updated_at: str


async def faults_of(call: Call[Any], values: Mapping[str, Any], account_id: int) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields."""
    readable = {**values, "domain": values["domain"].lower()} if "domain" in values else values
    return await call.services.external_accounts.faults(call.actor, account_id, readable)


@routes.get(caller=ADMIN)
async def show(call: Call[Any], account_id: int) -> ExternalAccountAnswer:
    """Show the external account of an account."""
    return _shown(await call.services.external_accounts.show(call.actor, account_id))


@routes.post(
    caller=ADMIN,
    input=ExternalAccountInput,
    refusals=faults_of,
    answers={200: ExternalAccountAnswer, 201: ExternalAccountAnswer},
)
async def save(call: Call[ExternalAccountInput], account_id: int) -> Answer:
    """Give an account its external account, 201 at first, or another one, 200 then."""
    given = call.input
    settings = ExternalSettings(
        given.username, given.domain, given.realm, given.registrar, given.outbound_proxy, given.protocol
    )
    saved, is_new = await call.services.external_accounts.set(call.actor, account_id, settings, given.password)
    return answers.json(_shown(saved), 201 if is_new else 200)


@routes.delete(caller=ADMIN, answers={200: None})
async def delete(call: Call[Any], account_id: int) -> int | None:
    """Delete the external account; the answer is how many there were, or nothing if there was none."""
    return await call.services.external_accounts.delete(call.actor, account_id) or None


def _shown(external: ExternalAccount) -> ExternalAccountAnswer:
    return ExternalAccountAnswer(
        id=external.id,
        account_id=external.account_id,
        username=external.username,
        domain=external.domain,
        realm=external.realm,
        registrar=external.registrar,
        outbound_proxy=external.outbound_proxy,
        protocol=external.protocol,
        algorithm=external.algorithm,
        created_at=moment(external.created_at),
        updated_at=moment(external.updated_at),
    )
