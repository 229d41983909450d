"""Wizards: links that set an account up in Linphone, or let it do something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from pydantic import AfterValidator

from flexid.base.text import Text
from flexid.domain.sip_address import parse
from flexid.domain.wizard import ACTIONS, Intent
from flexid.http.answers import moment_or_none
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Flag, Input, Line255, WholeNumber, one_of, refuse
from flexid.http.portal.provisioning_link import base_url_of
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/wizard", title="Wizards")


def _sip(value: str) -> str:
    if parse(value) is None:
        raise refuse(Text("It must be a SIP address such as alice@sip.example.org"))
    return value


class WizardInput(Input):
    """What the link is for: an account to set up, something to do, or both."""

    provisioning_account_id: WholeNumber | None = None
    sip: Annotated[Line255, AfterValidator(_sip)] | None = None
    linphone_action: Annotated[AnyText, one_of(*ACTIONS)] | None = None
    linphone_use_sips: Flag | None = None


class WizardAnswer(TypedDict):
    """A link, and where it leads."""

    token: str
    provisioning_account_id: int | None
    sip: str | None
    linphone_action: str | None
    linphone_use_sips: bool | None
    used_at: str | None
    url: str


async def faults_of(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, list[Text]]:
    """Return what is missing beside what is wrong."""
    return await call.services.wizards.faults(values)


@routes.post(caller=ADMIN, input=WizardInput, refusals=faults_of, created=True)
async def create(call: Call[WizardInput]) -> WizardAnswer:
    """Make a link that works once: until its account is set up or, without an account, until its button is pressed."""
    given = call.input
    intent = Intent(given.sip, given.linphone_action, given.linphone_use_sips)
    wizard, domain = await call.services.wizards.create(call.actor, given.provisioning_account_id, intent)
    base_url = await base_url_of(call, domain) if domain else call.peer.base_url
    return WizardAnswer(
        token=wizard.token,
        provisioning_account_id=wizard.provisioning_account_id,
        sip=intent.sip,
        linphone_action=intent.action,
        linphone_use_sips=intent.use_sips,
        used_at=moment_or_none(wizard.used_at),
        url=f"{base_url}/wizard/{wizard.token}",
    )
