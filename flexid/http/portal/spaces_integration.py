"""What a Space works together with, as super administrators set it up: its mail server."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from flexid.base.text import Text
from flexid.domain import names
from flexid.domain.mail_server import MailServer
from flexid.http.answers import Answer
from flexid.http.api.space_integrations import MailServerInput
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, refuse
from flexid.http.pages import go
from flexid.http.portal.spaces import HOME, page_of
from flexid.http.portal.spaces_forms import Lines
from flexid.http.routes import SUPER_ADMIN, Routes
from flexid.services.mail_trials import Trial

routes = Routes(HOME, title="Integration of a Space", portal=True)


def _email(value: str) -> str:
    if names.email_fault(value):
        raise refuse(Text("This is not an email address. Write one such as news@example.org"))
    return value


class MailServerForm(MailServerInput):
    """A mail server; a password that is not typed again stays."""

    signature: Lines | None = None


class TrialForm(Input):
    """To whom a test mail goes."""

    to: Annotated[AnyText, AfterValidator(str.strip), AfterValidator(_email)]


@routes.get("/{domain}/integration", caller=SUPER_ADMIN)
async def integration(call: Call[Any], domain: str) -> Answer:
    """Show the mail server of a Space, to be changed."""
    space = await call.services.space_pages.show(call.actor, domain)
    account = await call.services.accounts.show(call.actor, call.actor.account_id)
    trials = call.services.mail_trials
    return page_of(call, space, "integration", server=space.email_server, shared=trials.shared(), to=account.email)


@routes.post("/{domain}/integration/mail", caller=SUPER_ADMIN, input=MailServerForm, again=integration)
async def set_server(call: Call[MailServerForm], domain: str) -> Answer:
    """Give a Space its own mail server, or another one."""
    space = await call.services.space_pages.show(call.actor, domain)
    server: MailServer = await call.services.mail_trials.with_known_password(space.domain, call.input.server())
    await call.services.integrations.set_mail_server(space.domain, server)
    said = Text("Saved. Send a test mail to see whether {server} takes it.", server=f"{server.host}:{server.port}")
    return await go(call, f"{HOME}/{space.domain}/integration", said)


@routes.delete("/{domain}/integration/mail", caller=SUPER_ADMIN)
async def drop_server(call: Call[Any], domain: str) -> Answer:
    """Let a Space have no mail server of its own any more."""
    space = await call.services.space_pages.show(call.actor, domain)
    await call.services.integrations.delete_mail_server(space.domain)
    return await go(call, f"{HOME}/{space.domain}/integration", Text("Its mails go the way of all others again."))


@routes.post("/{domain}/integration/test", caller=SUPER_ADMIN, input=TrialForm, again=integration)
async def send_test_mail(call: Call[TrialForm], domain: str) -> Answer:
    """Send a test mail, and say what the server said."""
    space = await call.services.space_pages.show(call.actor, domain)
    trial = await call.services.mail_trials.send(call.actor, space.domain, call.input.to, call.language)
    kind = "good" if trial.is_taken and trial.server else "warn" if trial.is_taken else "bad"
    return await go(call, f"{HOME}/{space.domain}/integration", _said(trial), kind)


def _said(trial: Trial) -> Text:
    if not trial.is_taken:
        return Text("The mail was not taken: {words}", words=trial.words)
    if trial.server is None:
        return Text("There is no mail server. The mail was written to {path}", path=trial.words)
    return Text("{server} has taken the mail: {words}", server=trial.server, words=trial.words)
