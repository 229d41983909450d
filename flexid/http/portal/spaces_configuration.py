"""What the administrators of a Space change of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexid.base.text import Text
from flexid.domain import ini
from flexid.domain.errors import Invalid
from flexid.domain.space import Space
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go
from flexid.http.portal.logos import picture
from flexid.http.portal.spaces import HOME, page_of
from flexid.http.portal.spaces_forms import AppForm, ConfigurationForm
from flexid.http.routes import ADMIN, Routes

routes = Routes(HOME, title="Configuration of a Space", portal=True)


@routes.get("/{domain}/configuration", caller=ADMIN)
async def configuration(call: Call[Any], domain: str) -> Answer:
    """Show look, registration and provisioning entries of a Space, to be changed."""
    space = await call.services.space_pages.show(call.actor, domain)
    wrong_lines = {reason.values.get("line") for reason in call.errors.get(ini.FIELD, ())}
    return page_of(call, space, "configuration", wrong_lines=wrong_lines)


async def faults_of_configuration(call: Call[Any], values: Mapping[str, Any], domain: str) -> Mapping[str, list[Text]]:
    """Return what is wrong with the provisioning entries."""
    await call.services.space_pages.show(call.actor, domain)
    return await call.services.spaces.faults({ini.FIELD: values.get(ini.FIELD)})


@routes.post(
    "/{domain}/configuration",
    caller=ADMIN,
    input=ConfigurationForm,
    refusals=faults_of_configuration,
    again=configuration,
)
async def configure(call: Call[ConfigurationForm], domain: str) -> Answer:
    """Change look, registration and provisioning entries of a Space."""
    given = call.input
    space = await call.services.space_pages.configure(
        call.actor, domain, given.columns(), given.logo, drop_logo=given.remove_logo
    )
    return await go(call, f"{HOME}/{space.domain}/configuration", Text("Saved. Apps fetch it at their next start."))


@routes.get("/{domain}/logo", caller=ADMIN)
async def logo(call: Call[Any], domain: str) -> Answer:
    """Return the logo of a Space, on whatever host somebody administers it."""
    space = await call.services.space_pages.show(call.actor, domain)
    return picture(await call.services.logos.show(space, space.logo), {"Cache-Control": "no-store"})


@routes.get("/{domain}/app", caller=ADMIN)
async def app(call: Call[Any], domain: str) -> Answer:
    """Show what Linphone shows to the users of a Space, to be changed."""
    space = await call.services.space_pages.show(call.actor, domain)
    return page_of(call, space, "app", has_own_section=_has_own_section(space))


@routes.post("/{domain}/app", caller=ADMIN, input=AppForm, again=app)
async def change_app(call: Call[AppForm], domain: str) -> Answer:
    """Change what Linphone shows to the users of a Space."""
    space = await call.services.space_pages.configure(call.actor, domain, call.input.model_dump())
    return await go(call, f"{HOME}/{space.domain}/app", Text("Saved. Apps fetch it at their next start."))


def _has_own_section(space: Space) -> bool:
    """Say whether the Space's entries have a section `ui`, which then stands for all that this page sets."""
    try:
        return any(section.name == "ui" for section in ini.parse(space.custom_provisioning_entries or ""))
    except Invalid:
        return False
