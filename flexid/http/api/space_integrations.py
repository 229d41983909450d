"""What a Space works together with: CardDAV servers, a mail server, an OpenID server."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict, cast

from pydantic import AfterValidator

from flexid.base.text import Text
from flexid.domain.carddav import CardDavSettings
from flexid.domain.mail_server import MailServer
from flexid.domain.oidc import OidcConfiguration, public_key_fault
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Flag, Input, Line64, Line255, WholeNumber, between, refuse
from flexid.http.routes import SUPER_ADMIN, Routes
from flexid.http.server_inputs import Email, ForeignPassword, Host, HttpUrl, Words

carddav_routes = Routes("/api/spaces/{domain}/carddavs", title="CardDAV servers of a Space")
email_routes = Routes("/api/spaces/{domain}/email", title="Mail server of a Space")
oidc_routes = Routes("/api/spaces/{domain}/oidc", title="OpenID Connect of a Space")

MOST = (1 << 31) - 1
NEVER_IN_REALMS = frozenset('"\\/?#')
"""A realm stands in a URL, and quoted in a challenge."""


def _realm(value: str) -> str:
    if NEVER_IN_REALMS & set(value):
        raise refuse(Text("It contains characters that are not allowed"))
    return value


def _server_url(value: str) -> str:
    if "?" in value or "#" in value:
        raise refuse(Text("It contains characters that are not allowed"))
    return f"{value.rstrip('/')}/"


def _public_key(value: str) -> str:
    if fault := public_key_fault(value):
        raise refuse(fault)
    return value


class CardDavServerInput(Input):
    """A CardDAV server; what is absent takes its default. `timeout` in seconds, `delay` in milliseconds."""

    uri: HttpUrl
    enabled: Flag = False
    min_characters: Annotated[WholeNumber, between(1, MOST)] = 3
    results_limit: Annotated[WholeNumber, between(0, MOST)] = 0
    timeout: Annotated[WholeNumber, between(1, MOST)] = 5
    delay: Annotated[WholeNumber, between(100, MOST)] = 500
    use_exact_match_policy: Flag = False
    fields_for_user_input: Words | None = None
    fields_for_domain: Words | None = None

    def settings(self) -> CardDavSettings:
        """Return the value that it stands for."""
        return CardDavSettings(**self.model_dump())


class MailServerInput(Input):
    """A mail server; what is absent is null, the password too."""

    host: Host
    port: Annotated[WholeNumber, between(1, 65_535)]
    username: Line255 | None = None
    password: ForeignPassword | None = None
    from_address: Email | None = None
    from_name: Line255 | None = None
    signature: AnyText | None = None

    def server(self) -> MailServer:
        """Return the value that it stands for."""
        return MailServer(**self.model_dump())


class OidcInput(Input):
    """An OpenID server; what is absent is null or its default. `public_key` is for one that publishes no keys."""

    server_url: Annotated[HttpUrl, AfterValidator(_server_url)]
    realm: Annotated[Line64, AfterValidator(_realm)]
    sip_identifier: Line64 = "sip_identity"
    client_id: Line255 | None = None
    client_secret: Line255 | None = None
    public_key: Annotated[AnyText, AfterValidator(_public_key)] | None = None
    role_provisioning: Line255 | None = None
    auto_provisioning: Flag = False

    def configuration(self) -> OidcConfiguration:
        """Return the value that it stands for."""
        return OidcConfiguration(**self.model_dump())


class CardDavServerAnswer(TypedDict):
    """A CardDAV server."""

    id: int
    enabled: bool
    uri: str
    min_characters: int
    results_limit: int
    timeout: int
    delay: int
    fields_for_user_input: str | None
    fields_for_domain: str | None
    use_exact_match_policy: bool
    created_at: str
    updated_at: str


class MailServerAnswer(TypedDict):
    """A mail server; never its password."""

    id: int
    host: str
    port: int
    username: str | None
    from_address: str | None
    from_name: str | None
    signature: str | None
    created_at: str
    updated_at: str


class OidcAnswer(TypedDict):
    """An OpenID configuration; never the client's secret."""

    server_url: str
    realm: str
    sip_identifier: str
    client_id: str | None
    role_provisioning: str | None
    auto_provisioning: bool
    public_key: str | None


@carddav_routes.get(caller=SUPER_ADMIN)
async def carddav_servers(call: Call[Any], domain: str) -> list[CardDavServerAnswer]:
    """List the CardDAV servers of a Space."""
    servers = await call.services.integrations.carddav_servers(domain)
    return cast("list[CardDavServerAnswer]", list(servers))


@carddav_routes.post(caller=SUPER_ADMIN, input=CardDavServerInput)
async def add_carddav_server(call: Call[CardDavServerInput], domain: str) -> CardDavServerAnswer:
    """Give a Space one more CardDAV server; applications learn of it with their next provisioning."""
    server = await call.services.integrations.add_carddav_server(domain, call.input.settings())
    return cast("CardDavServerAnswer", server)


@carddav_routes.get("/{carddav_id}", caller=SUPER_ADMIN)
async def carddav_server(call: Call[Any], domain: str, carddav_id: int) -> CardDavServerAnswer:
    """Show a CardDAV server."""
    return cast("CardDavServerAnswer", await call.services.integrations.carddav_server(domain, carddav_id))


@carddav_routes.put("/{carddav_id}", caller=SUPER_ADMIN, input=CardDavServerInput)
async def change_carddav_server(call: Call[CardDavServerInput], domain: str, carddav_id: int) -> CardDavServerAnswer:
    """Replace a CardDAV server."""
    server = await call.services.integrations.change_carddav_server(domain, carddav_id, call.input.settings())
    return cast("CardDavServerAnswer", server)


@carddav_routes.delete("/{carddav_id}", caller=SUPER_ADMIN)
async def delete_carddav_server(call: Call[Any], domain: str, carddav_id: int) -> int:
    """Delete a CardDAV server, and what accounts sign in there with; the answer is how many there were."""
    return await call.services.integrations.delete_carddav_server(domain, carddav_id)


@email_routes.get(caller=SUPER_ADMIN)
async def mail_server(call: Call[Any], domain: str) -> MailServerAnswer:
    """Show the mail server of a Space."""
    return cast("MailServerAnswer", await call.services.integrations.mail_server(domain))


@email_routes.post(caller=SUPER_ADMIN, input=MailServerInput, answers={200: MailServerAnswer, 201: MailServerAnswer})
async def set_mail_server(call: Call[MailServerInput], domain: str) -> Answer:
    """Give a Space its own mail server, 201 at first, or another one, 200 then."""
    server, is_new = await call.services.integrations.set_mail_server(domain, call.input.server())
    return answers.json(server, 201 if is_new else 200)


@email_routes.delete(caller=SUPER_ADMIN)
async def delete_mail_server(call: Call[Any], domain: str) -> int:
    """Take its mail server away from a Space; the answer is how many there were."""
    return await call.services.integrations.delete_mail_server(domain)


@oidc_routes.get(caller=SUPER_ADMIN)
async def oidc(call: Call[Any], domain: str) -> OidcAnswer:
    """Show the OpenID configuration of a Space."""
    return cast("OidcAnswer", await call.services.integrations.oidc(domain))


@oidc_routes.put(caller=SUPER_ADMIN, input=OidcInput)
async def set_oidc(call: Call[OidcInput], domain: str) -> OidcAnswer:
    """Give a Space its OpenID configuration, or replace the whole one, its secret included."""
    configuration = await call.services.integrations.set_oidc(domain, call.input.configuration())
    return cast("OidcAnswer", configuration)


@oidc_routes.delete(caller=SUPER_ADMIN)
async def delete_oidc(call: Call[Any], domain: str) -> int:
    """Take its OpenID configuration away from a Space; the answer is how many there were."""
    return await call.services.integrations.delete_oidc(domain)
