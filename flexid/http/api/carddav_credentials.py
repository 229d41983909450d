"""What an account signs in to its Space's CardDAV servers with, as administrators manage it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from flexid.base.text import Text
from flexid.domain.carddav import CardDavCredentials
from flexid.domain.passwords import ALGORITHMS
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Line64, Line255, one_of
from flexid.http.routes import ADMIN, Routes
from flexid.http.server_inputs import ForeignPassword

routes = Routes("/api/accounts/{account_id}/carddavs", title="CardDAV credentials")


class CardDavCredentialsInput(Input):
    """A name and a password on a CardDAV server, with the realm by which that one hashes passwords."""

    username: Line64
    password: ForeignPassword
    realm: Line255
    algorithm: Annotated[AnyText, one_of(*ALGORITHMS)] = "MD5"


class CardDavCredentialsAnswer(TypedDict):
    """Credentials for a CardDAV server; the password is the HA1 (RFC 7616), as applications get it."""

    carddav_id: int
    username: str
    realm: str
    algorithm: str
    password: str


async def refuse_unless_on(
    call: Call[Any],
    values: Mapping[str, Any],  # noqa: ARG001  # nothing depends on them
    account_id: int,
    carddav_id: int,  # noqa: ARG001  # the account comes first
) -> Mapping[str, list[Text]]:
    """Refuse what may not be asked for at all before saying what is wrong with it."""
    await call.services.carddav_credentials.every(call.actor, account_id)
    return {}


@routes.get(caller=ADMIN)
async def every(call: Call[Any], account_id: int) -> dict[str, CardDavCredentialsAnswer]:
    """Show the CardDAV credentials of an account by the id of their server."""
    credentials = await call.services.carddav_credentials.every(call.actor, account_id)
    return {str(carddav_id): _shown(carddav_id, each) for carddav_id, each in credentials.items()}


@routes.get("/{carddav_id}", caller=ADMIN)
async def show(call: Call[Any], account_id: int, carddav_id: int) -> CardDavCredentialsAnswer:
    """Show the credentials of an account for a CardDAV server."""
    return _shown(carddav_id, await call.services.carddav_credentials.show(call.actor, account_id, carddav_id))


@routes.put("/{carddav_id}", caller=ADMIN, input=CardDavCredentialsInput, refusals=refuse_unless_on)
async def save(call: Call[CardDavCredentialsInput], account_id: int, carddav_id: int) -> int:
    """Give an account credentials for a CardDAV server of its Space; the answer is how many were set."""
    given = call.input
    return await call.services.carddav_credentials.set(
        call.actor, account_id, carddav_id, given.username, given.realm, given.algorithm, given.password
    )


@routes.delete("/{carddav_id}", caller=ADMIN)
async def delete(call: Call[Any], account_id: int, carddav_id: int) -> int:
    """Delete the credentials of an account for a CardDAV server, which stays; the answer is how many there were."""
    return await call.services.carddav_credentials.delete(call.actor, account_id, carddav_id)


def _shown(carddav_id: int, credentials: CardDavCredentials) -> CardDavCredentialsAnswer:
    return CardDavCredentialsAnswer(
        carddav_id=carddav_id,
        username=credentials.username,
        realm=credentials.realm,
        algorithm=credentials.algorithm,
        password=credentials.ha1,
    )
