"""Spaces, as super administrators manage them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from flexid.base.text import Text
from flexid.domain.errors import NotFound
from flexid.domain.passwords import ALGORITHMS
from flexid.domain.space import DigestConfiguration
from flexid.http.api.space_answer import DigestAnswer, SpaceAnswer, show, show_digest
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Day, Flag, Input, Line64, Line255, Text64, Text255, WholeNumber, between, one_of
from flexid.http.routes import SUPER_ADMIN, Routes

routes = Routes("/api/spaces", title="Spaces")

DEFAULT_HUE = 22
Count = Annotated[WholeNumber, between(0, (1 << 31) - 1)]
Hue = Annotated[WholeNumber, between(0, 360)]


class SpaceTexts(Input):
    """What a Space may have or not: absent is null."""

    expire_at: Day | None = None
    account_proxy_registrar_address: Text255 | None = None
    copyright_text: AnyText | None = None
    intro_registration_text: AnyText | None = None
    newsletter_registration_address: Text255 | None = None
    custom_provisioning_entries: AnyText | None = None
    theme_hue: Hue = DEFAULT_HUE


class NewSpaceInput(SpaceTexts):
    """A new Space; what is absent takes its default."""

    name: Line255
    domain: Text64
    host: Text255
    super: Flag = False
    web_panel: Flag = True
    public_registration: Flag = True
    phone_registration: Flag = True
    intercom_features: Flag = False
    unique_email: Flag = True
    carddav_user_credentials: Flag = False
    client_certificate_authentication: Flag = False
    custom_provisioning_overwrite_all: Flag = False
    assistant_disable_qr_code: Flag = False
    assistant_hide_create_account: Flag = False
    assistant_hide_third_party_account: Flag = False
    disable_broadcast_feature: Flag = True
    disable_call_recordings_feature: Flag = False
    disable_chat_feature: Flag = False
    disable_meetings_feature: Flag = False
    hide_account_settings: Flag = False
    hide_settings: Flag = False
    only_display_sip_uri_username: Flag = False
    max_account: Count = 0
    max_accounts: Count = 0


class SpaceInput(SpaceTexts):
    """A whole Space; a whole answer may be put back."""

    name: Line255
    host: Text255
    max_account: Count
    max_accounts: Count
    super: Flag
    web_panel: Flag
    public_registration: Flag
    phone_registration: Flag
    intercom_features: Flag
    carddav_user_credentials: Flag
    custom_provisioning_overwrite_all: Flag
    assistant_disable_qr_code: Flag
    assistant_hide_create_account: Flag
    assistant_hide_third_party_account: Flag
    disable_broadcast_feature: Flag
    disable_call_recordings_feature: Flag
    disable_chat_feature: Flag
    disable_meetings_feature: Flag
    hide_account_settings: Flag
    hide_settings: Flag
    only_display_sip_uri_username: Flag
    unique_email: Flag | None = None
    client_certificate_authentication: Flag | None = None


class DigestInput(Input):
    """How passwords are hashed; another realm makes the stored ones worthless, so they must be dropped for it."""

    realm: Line64
    default_password_algorithm: Annotated[AnyText, one_of(*ALGORITHMS)] = "SHA-256"  # noqa: S105  # a hash
    drop_passwords: Flag = False


async def faults_of_new(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields of a new Space."""
    return await call.services.spaces.faults(_names_in_lower_case(values, "domain", "host", "name"))


async def faults_of_change(call: Call[Any], values: Mapping[str, Any], domain: str) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields of a changed Space."""
    space = await call.services.spaces.show(domain)
    return await call.services.spaces.faults(_names_in_lower_case(values, "host", "name"), space)


@routes.get(caller=SUPER_ADMIN)
async def every(call: Call[Any]) -> list[SpaceAnswer]:
    """List all Spaces."""
    return [show(space) for space in await call.services.spaces.every()]


@routes.get("/{domain}", caller=SUPER_ADMIN)
async def show_one(call: Call[Any], domain: str) -> SpaceAnswer:
    """Show a Space."""
    return show(await call.services.spaces.show(domain))


@routes.post(caller=SUPER_ADMIN, input=NewSpaceInput, refusals=faults_of_new, created=True)
async def create(call: Call[NewSpaceInput]) -> SpaceAnswer:
    """Create a Space; its passwords are hashed by SHA-256 with its domain as realm."""
    return show(await call.services.spaces.create(_names_in_lower_case(call.input.model_dump())))


@routes.put("/{domain}", caller=SUPER_ADMIN, input=SpaceInput, refusals=faults_of_change)
async def change(call: Call[SpaceInput], domain: str) -> SpaceAnswer:
    """Replace a Space."""
    given = call.input.model_dump()
    kept_if_absent = ("unique_email", "client_certificate_authentication")
    values = {name: value for name, value in given.items() if value is not None or name not in kept_if_absent}
    return show(await call.services.spaces.change(domain, _names_in_lower_case(values)))


@routes.delete("/{domain}", caller=SUPER_ADMIN)
async def delete(call: Call[Any], domain: str) -> int:
    """Delete a Space and all that belongs to it; the answer is how many there were."""
    return await call.services.spaces.delete(domain)


@routes.get("/{domain}/digest", caller=SUPER_ADMIN)
async def digest(call: Call[Any], domain: str) -> DigestAnswer:
    """Show how passwords of a Space are hashed."""
    space = await call.services.spaces.show(domain)
    if space.digest is None:
        raise NotFound
    return show_digest(space.digest)


@routes.put("/{domain}/digest", caller=SUPER_ADMIN, input=DigestInput)
async def set_digest(call: Call[DigestInput], domain: str) -> DigestAnswer:
    """Set how passwords of a Space are hashed; the algorithm counts for new ones."""
    given = call.input
    configuration = DigestConfiguration(given.realm, given.default_password_algorithm)
    await call.services.spaces.set_digest(domain, configuration, drop_passwords=given.drop_passwords)
    return show_digest(configuration)


@routes.delete("/{domain}/digest", caller=SUPER_ADMIN)
async def drop_digest(call: Call[Any], domain: str) -> int:
    """Take digest authentication from a Space, and its passwords with it; the answer is how many there were."""
    return await call.services.spaces.drop_digest(domain)


def _names_in_lower_case(values: Mapping[str, Any], *only: str) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if not only or name in only}
    return {name: value.lower() if name in {"domain", "host"} else value for name, value in kept.items()}
