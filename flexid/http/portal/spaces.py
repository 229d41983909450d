"""Spaces: their list, a new one, and what each looks like from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexid.base.text import Text
from flexid.domain import names
from flexid.domain.errors import Invalid
from flexid.domain.space import Space
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.portal.spaces_forms import DeletionForm, NewSpaceForm, tidy_name
from flexid.http.routes import ADMIN, SUPER_ADMIN, Routes
from flexid.services.space_pages import ADMINISTRATORS_SHOWN, why_it_stays

routes = Routes("/admin/spaces", title="Spaces", portal=True)

HOME = "/admin/spaces"
_ANY_SPACE = frozenset({"sip", "voip", "www"})
"""First labels of domains that tell nothing of the Space."""


@routes.get(caller=SUPER_ADMIN)
async def every(call: Call[Any]) -> Answer:
    """List all Spaces."""
    now = call.services.clock.now()
    listed = [(space, count, space.days_left(now)) for space, count in await call.services.space_pages.every()]
    return page(call, "admin_spaces/page.html", spaces=listed)


@routes.get("/me", caller=ADMIN)
async def own(call: Call[Any]) -> Answer:
    """Send an administrator to the page of its own Space."""
    return answers.see_other(f"{HOME}/{call.actor.domain}")


@routes.get("/create", caller=SUPER_ADMIN)
async def form(call: Call[Any]) -> Answer:
    """Ask what a new Space is to be."""
    root_host = call.settings.root_host
    return page(
        call, "admin_spaces/create.html", root_host=root_host, suggestion=_host_for(call.typed.get("domain"), root_host)
    )


async def faults_of_new(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields of a new Space."""
    return await call.services.spaces.faults(
        {
            **{field: tidy_name(values[field]) for field in ("domain", "host") if field in values},
            "name": values.get("name"),
        }
    )


@routes.post("/create", caller=SUPER_ADMIN, input=NewSpaceForm, refusals=faults_of_new, again=form)
async def create(call: Call[NewSpaceForm]) -> Answer:
    """Create a Space."""
    space = await call.services.spaces.create(call.input.model_dump())
    said = Text("The Space {name} is created. Now make its first administrator.", name=space.name)
    return await go(call, f"{HOME}/{space.domain}", said)


@routes.get("/{domain}", caller=ADMIN)
async def information(call: Call[Any], domain: str) -> Answer:
    """Show how a Space stands, and who administers it."""
    space = await call.services.space_pages.show(call.actor, domain)
    figures = await call.services.space_pages.figures(call.actor, domain)
    return page_of(call, space, "information", figures=figures, most=ADMINISTRATORS_SHOWN)


@routes.get("/{domain}/delete", caller=SUPER_ADMIN)
async def ask(call: Call[Any], domain: str) -> Answer:
    """Ask whether a Space is really to be deleted, or say why it cannot be."""
    space = await call.services.space_pages.show(call.actor, domain)
    figures = await call.services.space_pages.figures(call.actor, domain)
    reason = why_it_stays(call.actor, call.space.domain, space.domain)
    return page_of(call, space, "delete", figures=figures, reason=reason)


@routes.delete("/{domain}/delete", caller=SUPER_ADMIN, input=DeletionForm, again=ask)
async def delete(call: Call[DeletionForm], domain: str) -> Answer:
    """Delete a Space and all that belongs to it."""
    space = await call.services.space_pages.show(call.actor, domain)
    confirm(call.input.identifier, space.domain)
    await call.services.space_pages.delete(call.actor, call.space.domain, space.domain)
    return await go(call, HOME, Text("The Space {name} is deleted, and its accounts with it.", name=space.name))


def page_of(call: Call[Any], space: Space, part: str, **values: Any) -> Answer:
    """Return a page about a Space; templates know it as `shown`, since `space` is the one of the host."""
    days_left = space.days_left(call.services.clock.now())
    return page(call, f"admin_spaces/{part}.html", shown=space, days_left=days_left, **values)


def confirm(typed: str, domain: str) -> None:
    """Refuse unless just this domain was typed.

    :raise Invalid: another one was.
    """
    if tidy_name(typed) != domain:
        raise Invalid.field("identifier", Text("This is not {identifier}", identifier=domain))


def _host_for(domain: str | None, root_host: str) -> str:
    """Return a host that a Space could be served under: made of its domain, as far as that is typed."""
    domain = tidy_name(domain or "")
    if not names.is_domain(domain):
        return f"acme.{root_host}"
    if names.is_below(domain, root_host):
        return domain
    label = next((label for label in domain.split(".") if label not in _ANY_SPACE), "acme")
    return f"{label}.{root_host}"
