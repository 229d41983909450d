"""Webhooks of a Space: list, edit, try, and see what became of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flexid.base.text import Text
from flexid.domain import unanswered
from flexid.domain.errors import Invalid
from flexid.domain.webhooks import STATES, WebhookSettings
from flexid.http.answers import Answer
from flexid.http.api import webhooks as api
from flexid.http.api.webhooks import ReceiverUrl
from flexid.http.call import Call
from flexid.http.inputs import Flag, Input
from flexid.http.pages import go, page
from flexid.http.routes import ADMIN, Routes
from flexid.services.webhooks import MOST_SHOWN

routes = Routes("/admin/webhooks", title="Webhooks", portal=True)

HOME = "/admin/webhooks"
WORDS: Mapping[str, Text] = {
    "account.created": Text("An account was created"),
    "account.updated": Text("An account was changed"),
    "account.deleted": Text("An account was deleted"),
    "account.activated": Text("An account was activated"),
    "account.blocked": Text("An account was blocked"),
    "account.provisioned": Text("An app was set up with an account"),
    "message.state": Text("A SIP message was sent, delivered or not delivered"),
    "space.expiring": Text("The Space is about to expire"),
}
"""What each event says, for people."""
CHOICES = [(event.replace(".", "_"), event, words) for event, words in WORDS.items()]
STATE_WORDS = {"waiting": Text("Waiting"), "sent": Text("Delivered"), "dead": Text("Given up")}
NO_EVENT = Text("Choose one event at least")


class WebhookForm(Input):
    """Where to send which events; what is not ticked is not sent."""

    url: ReceiverUrl
    enabled: Flag = False
    account_created: Flag = False
    account_updated: Flag = False
    account_deleted: Flag = False
    account_activated: Flag = False
    account_blocked: Flag = False
    account_provisioned: Flag = False
    message_state: Flag = False
    space_expiring: Flag = False

    def settings(self) -> WebhookSettings:
        """Return it as the domain knows it.

        :raise Invalid: nothing is ticked.
        """
        ticked = tuple(event for name, event, _ in CHOICES if getattr(self, name))
        if not ticked:
            raise Invalid.field("events", NO_EVENT)
        return WebhookSettings(self.url, ticked, self.enabled)


async def faults_of_new(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, Sequence[Text]]:
    """Name what is wrong beside another field."""
    ticked = any(name in values for name, _, _ in CHOICES)
    return {**await api.faults_of_new(call, values), **({} if ticked else {"events": [NO_EVENT]})}


async def faults_of_changed(
    call: Call[Any], values: Mapping[str, Any], webhook_id: int
) -> Mapping[str, Sequence[Text]]:
    """Name what is wrong beside another field, with a webhook that is there."""
    await call.services.webhooks.show(call.actor, call.space, webhook_id)
    return await faults_of_new(call, values)


@routes.get(caller=ADMIN)
async def show_all(call: Call[Any]) -> Answer:
    """List the webhooks of the Space."""
    found = await call.services.webhooks.list_of(call.space)
    return page(call, "admin_webhooks/list.html", webhooks=found, reason_of=unanswered.read)


@routes.get("/create", caller=ADMIN)
async def ask_new(call: Call[Any]) -> Answer:
    """Ask where to send which events."""
    return page(call, "admin_webhooks/form.html", webhook=None, choices=CHOICES)


@routes.post(caller=ADMIN, input=WebhookForm, again=ask_new, refusals=faults_of_new)
async def create(call: Call[WebhookForm]) -> Answer:
    """Add a webhook, and show its secret this once."""
    webhook, secret = await call.services.webhooks.add(call.space, call.input.settings(), None)
    return await _page(call, webhook.id, secret)


@routes.get("/{webhook_id}", caller=ADMIN)
async def show(call: Call[Any], webhook_id: int) -> Answer:
    """Show a webhook, and what became of its events."""
    return await _page(call, webhook_id)


@routes.get("/{webhook_id}/edit", caller=ADMIN)
async def ask_change(call: Call[Any], webhook_id: int) -> Answer:
    """Show what a webhook is set to."""
    webhook = await call.services.webhooks.show(call.actor, call.space, webhook_id)
    return page(call, "admin_webhooks/form.html", webhook=webhook, choices=CHOICES)


@routes.put("/{webhook_id}", caller=ADMIN, input=WebhookForm, again=ask_change, refusals=faults_of_changed)
async def change(call: Call[WebhookForm], webhook_id: int) -> Answer:
    """Change a webhook."""
    await call.services.webhooks.change(call.actor, call.space, webhook_id, call.input.settings())
    return await go(call, f"{HOME}/{webhook_id}", Text("The webhook is changed."))


@routes.get("/{webhook_id}/delete", caller=ADMIN)
async def ask_deletion(call: Call[Any], webhook_id: int) -> Answer:
    """Ask whether a webhook is really to be deleted."""
    webhook = await call.services.webhooks.show(call.actor, call.space, webhook_id)
    return page(call, "admin_webhooks/delete.html", webhook=webhook)


@routes.delete("/{webhook_id}", caller=ADMIN)
async def delete(call: Call[Any], webhook_id: int) -> Answer:
    """Delete a webhook."""
    await call.services.webhooks.delete(call.actor, call.space, webhook_id)
    return await go(call, HOME, Text("The webhook is deleted."))


@routes.post("/{webhook_id}/test", caller=ADMIN)
async def test(call: Call[Any], webhook_id: int) -> Answer:
    """Send a test, and tell what came of it."""
    reason = (await call.services.webhooks.test(call.actor, call.space, webhook_id)).reason
    path = f"{HOME}/{webhook_id}"
    if reason is None:
        return await go(call, path, Text("The receiver has taken the test."))
    said = call.templates.languages.translate(reason, call.language)
    return await go(call, path, Text("The receiver has not taken the test. {reason}.", reason=said), "bad")


@routes.post("/{webhook_id}/secret", caller=ADMIN)
async def renew_secret(call: Call[Any], webhook_id: int) -> Answer:
    """Give a webhook a new secret, and show it this once."""
    secret = await call.services.webhooks.renew_secret(call.actor, call.space, webhook_id)
    return await _page(call, webhook_id, secret)


@routes.post("/{webhook_id}/deliveries/retry", caller=ADMIN)
async def retry_all(call: Call[Any], webhook_id: int) -> Answer:
    """Send everything once more that was given up."""
    count = await call.services.webhooks.retry(call.actor, call.space, webhook_id)
    return await go(call, f"{HOME}/{webhook_id}", Text("Events that are sent once more: {count}", count=count))


@routes.post("/{webhook_id}/deliveries/{delivery_id}/retry", caller=ADMIN)
async def retry(call: Call[Any], webhook_id: int, delivery_id: int) -> Answer:
    """Send an event once more."""
    count = await call.services.webhooks.retry(call.actor, call.space, webhook_id, delivery_id)
    path = f"{HOME}/{webhook_id}"
    if count:
        return await go(call, path, Text("The event is sent once more."))
    return await go(call, path, Text("The event was delivered already."), "info")


async def _page(call: Call[Any], webhook_id: int, secret: str | None = None) -> Answer:
    webhook = await call.services.webhooks.show(call.actor, call.space, webhook_id)
    state = call.query("state")
    return page(
        call,
        "admin_webhooks/webhook.html",
        webhook=webhook,
        secret=secret,
        words=WORDS,
        deliveries=await api.deliveries_asked_for(call, webhook_id),
        state=state if state in STATES else "",
        state_words=STATE_WORDS,
        most=MOST_SHOWN,
        reason_of=unanswered.read,
    )
