"""What administrators do with their own Space on its pages, and super administrators with any: the actor decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.errors import Forbidden, Invalid, NotFound
from flexid.domain.logos import Logo
from flexid.domain.space import Space, SpaceFigures
from flexid.services.spaces import Spaces
from flexid.store import accounts, logos, space_figures, spaces
from flexid.store.database import Database
from flexid.store.query import Runner

CONFIGURABLE = frozenset({
    "theme_hue", "copyright_text", "newsletter_registration_address", "intro_registration_text", "public_registration",
    "phone_registration", "custom_provisioning_entries", "custom_provisioning_overwrite_all",
    "assistant_disable_qr_code", "assistant_hide_create_account", "assistant_hide_third_party_account",
    "disable_broadcast_feature", "disable_call_recordings_feature", "disable_chat_feature", "disable_meetings_feature",
    "hide_account_settings", "hide_settings", "only_display_sip_uri_username", "max_account",
})  # fmt: skip
"""What an administrator may change of its own Space; anything else is for super administrators."""
ADMINISTRATORS_SHOWN = 50
LAST_SUPER = Text("This is the last super Space: without it, nobody could manage Spaces any more.")


@frozen
class SpacePages:
    """The use cases; `here` is the domain of the Space on whose host somebody is at work."""

    database: Database
    spaces: Spaces
    clock: Clock

    async def every(self) -> list[tuple[Space, int]]:
        """Return all Spaces, each with the number of its accounts."""
        counts = await space_figures.counts(self.database)
        return [(space, counts.get(space.domain, 0)) for space in await self.spaces.every()]

    async def show(self, actor: Actor, domain: str) -> Space:
        """Return a Space.

        :raise NotFound: none within the actor's reach.
        """
        if not actor.reaches(domain.lower()):
            raise NotFound
        return await self.spaces.show(domain)

    async def figures(self, actor: Actor, domain: str) -> SpaceFigures:
        """Return who is in a Space.

        :raise NotFound: none within the actor's reach.
        """
        space = await self.show(actor, domain)
        count = await accounts.count(self.database, space.domain)
        found = await space_figures.administrators(self.database, space.domain, ADMINISTRATORS_SHOWN)
        return SpaceFigures(count, found)

    async def configure(
        self, actor: Actor, domain: str, values: Mapping[str, Any], logo: Logo | None = None, *, drop_logo: bool = False
    ) -> Space:
        """Change the `CONFIGURABLE` columns of a Space that are named, and its logo.

        :raise NotFound: no such Space within the actor's reach.
        :raise Forbidden: a column is not for administrators.
        :raise Invalid: fields are wrong.
        """
        space = await self.show(actor, domain)
        if not values.keys() <= CONFIGURABLE:
            raise Forbidden(Text("This action is unauthorized."))
        if logo is None and not drop_logo:
            return await self.spaces.change(space.domain, values)

        async def replace_logo(transaction: Runner) -> None:
            # Of two that bring a logo at once, one waits here: what is stored stays what the Space names.
            await spaces.lock(transaction, space.domain)
            await logos.replace(transaction, space.id, logo)

        named = {**values, "logo": logo.name if logo else None}
        return await self.spaces.change(space.domain, named, replace_logo)

    async def administer(self, actor: Actor, here: str, domain: str, values: Mapping[str, Any]) -> Space:
        """Change any columns of a Space, but nothing that would lock the actor or everybody out.

        :raise NotFound: no such Space, or the actor is no super administrator.
        :raise Invalid: fields are wrong.
        """
        if not actor.super_admin:
            raise NotFound
        before = await self.spaces.show(domain)
        values = _without_known_day(values, before)
        if lockouts := self._lockouts(actor, here, before, values):
            raise Invalid({**await self.spaces.faults(values, before), **lockouts})

        async def keep_one_super(transaction: Runner) -> None:
            if values.get("super") is False and await spaces.lock_super(transaction) == {before.domain}:
                raise Invalid.field("super", LAST_SUPER)

        return await self.spaces.change(before.domain, values, keep_one_super)

    async def delete(self, actor: Actor, here: str, domain: str) -> None:
        """Delete a Space and all that belongs to it, unless that would lock the actor or everybody out.

        :raise NotFound: no such Space, or the actor is no super administrator.
        :raise Invalid: for the field `identifier`: it must stay.
        """
        if not actor.super_admin:
            raise NotFound
        space = await self.spaces.show(domain)
        if reason := why_it_stays(actor, here, space.domain):
            raise Invalid.field("identifier", reason)

        async def keep_one_super(transaction: Runner) -> None:
            if await spaces.lock_super(transaction) == {space.domain}:
                raise Invalid.field("identifier", LAST_SUPER)

        await self.spaces.delete(space.domain, keep_one_super)

    def _lockouts(
        self, actor: Actor, here: str, before: Space, values: Mapping[str, Any]
    ) -> dict[str, tuple[Text, ...]]:
        domain, expire_at = before.domain, values.get("expire_at")
        found = {}
        if before.super and values.get("super") is False and domain == actor.domain:
            found["super"] = Text("You would lose your own rights. Let an administrator of another super Space do it.")
        if before.web_panel and values.get("web_panel") is False and domain == here:
            found["web_panel"] = Text("You are using this portal. Turn it off from the portal of another Space.")
        if expire_at and expire_at <= self.clock.now() and domain in {here, actor.domain}:
            found["expire_at"] = Text("This would close the Space that you are using at once. Choose a later day.")
        return {field: (reason,) for field, reason in found.items()}


def why_it_stays(actor: Actor, here: str, domain: str) -> Text | None:
    """Return why somebody cannot delete a Space from where it is; None if it can."""
    if domain == actor.domain:
        return Text("Your own account is in this Space. Let an administrator of another super Space delete it.")
    if domain == here:
        return Text("You are using the portal of this Space. Delete it from the portal of another one.")
    return None


def _without_known_day(values: Mapping[str, Any], before: Space) -> dict[str, Any]:
    """Return the changes without the day that the form has shown: a Space that has expired may be changed as well."""
    given = values.get("expire_at")
    if given and before.expire_at and given.date() == before.expire_at.date():
        return {name: value for name, value in values.items() if name != "expire_at"}
    return dict(values)
