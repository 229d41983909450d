"""The OpenID server of a Space, as super administrators set it up."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.errors import Invalid, Unavailable
from flexid.domain.oidc import OidcConfiguration
from flexid.domain.unanswered import Unanswered
from flexid.http.answers import Answer
from flexid.http.api.space_integrations import OidcInput
from flexid.http.call import Call
from flexid.http.inputs import Flag
from flexid.http.pages import go
from flexid.http.portal.oidc import RETURN
from flexid.http.portal.spaces import HOME, page_of
from flexid.http.routes import SUPER_ADMIN, Routes

routes = Routes(HOME, title="OpenID Connect of a Space", portal=True)


class OidcForm(OidcInput):
    """An OpenID server; a secret that is not typed again stays, unless there is to be none."""

    without_secret: Flag = False

    def configuration(self) -> OidcConfiguration:
        """Return the value that it stands for."""
        return OidcConfiguration(**self.model_dump(exclude={"without_secret"}))


@routes.get("/{domain}/integration/openid", caller=SUPER_ADMIN)
async def openid(call: Call[Any], domain: str) -> Answer:
    """Show the OpenID server of a Space, to be changed."""
    space = await call.services.space_pages.show(call.actor, domain)
    site = call.peer.base_url_of(space.host)
    return page_of(call, space, "openid", redirect_uri=f"{site}{RETURN}", logout_uri=f"{site}/login")


@routes.post("/{domain}/integration/openid", caller=SUPER_ADMIN, input=OidcForm, again=openid)
async def set_server(call: Call[OidcForm], domain: str) -> Answer:
    """Give a Space its OpenID server, or another one."""
    given = call.input
    space = await call.services.space_pages.show(call.actor, domain)
    if given.auto_provisioning and not given.role_provisioning:
        raise Invalid.field("role_provisioning", Text("Without a role nobody could get an account"))
    configuration = given.configuration()
    if not given.without_secret:
        configuration = await call.services.oidc_upkeep.with_known_secret(space.domain, configuration)
    await call.services.integrations.set_oidc(space.domain, configuration)
    return await go(call, _path(space.domain), Text("Saved. Refresh the keys to see whether the server answers."))


@routes.delete("/{domain}/integration/openid", caller=SUPER_ADMIN)
async def drop_server(call: Call[Any], domain: str) -> Answer:
    """Let a Space have no OpenID server any more."""
    space = await call.services.space_pages.show(call.actor, domain)
    await call.services.integrations.delete_oidc(space.domain)
    return await go(call, f"{HOME}/{space.domain}/integration", Text("Nobody signs in by an OpenID server any more."))


@routes.post("/{domain}/integration/openid/keys", caller=SUPER_ADMIN)
async def refresh_keys(call: Call[Any], domain: str) -> Answer:
    """Ask the server anew for its addresses and keys, and say what came of it."""
    space = await call.services.space_pages.show(call.actor, domain)
    try:
        count = await call.services.oidc_upkeep.refresh(space.domain)
    except Unanswered as unanswered:
        reason = call.templates.languages.translate(unanswered.reason, call.language)
        said, kind = Text("The server will not do: {reason}", reason=reason), "bad"
    except Unavailable:
        said, kind = Text("The server answers, but its keys cannot be read."), "bad"
    else:
        said, kind = Text("The server answers. Keys that count: {count}", count=count), "good" if count else "bad"
    return await go(call, _path(space.domain), said, kind)


def _path(domain: str) -> str:
    return f"{HOME}/{domain}/integration/openid"
