"""What super administrators change of a Space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexid.base.text import Text
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go
from flexid.http.portal.spaces import HOME, page_of
from flexid.http.portal.spaces_forms import AdministrationForm, tidy_name
from flexid.http.routes import SUPER_ADMIN, Routes
from flexid.services.space_pages import why_it_stays

routes = Routes(HOME, title="Administration of a Space", portal=True)


@routes.get("/{domain}/administration", caller=SUPER_ADMIN)
async def administration(call: Call[Any], domain: str) -> Answer:
    """Show names, limits and rights of a Space, to be changed."""
    space = await call.services.space_pages.show(call.actor, domain)
    figures = await call.services.space_pages.figures(call.actor, domain)
    reason = why_it_stays(call.actor, call.space.domain, space.domain)
    root_host = call.settings.root_host
    return page_of(call, space, "administration", figures=figures, reason=reason, root_host=root_host)


async def faults_of_change(call: Call[Any], values: Mapping[str, Any], domain: str) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable names of a Space."""
    space = await call.services.space_pages.show(call.actor, domain)
    named = {"name": values.get("name"), "host": tidy_name(values.get("host", ""))}
    return await call.services.spaces.faults(named, space)


@routes.post(
    "/{domain}/administration",
    caller=SUPER_ADMIN,
    input=AdministrationForm,
    refusals=faults_of_change,
    again=administration,
)
async def administer(call: Call[AdministrationForm], domain: str) -> Answer:
    """Change names, limits and rights of a Space."""
    here = call.space
    space = await call.services.space_pages.administer(call.actor, here.domain, domain, call.input.model_dump())
    if space.domain == here.domain and space.host != here.host:
        return page_of(call, space, "moved", address=f"{call.peer.base_url_of(space.host)}/login")
    return await go(call, f"{HOME}/{space.domain}/administration", Text("Saved. It applies from now on."))
