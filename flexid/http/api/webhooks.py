"""Webhooks of a Space: who hears of what happens there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from pydantic import BeforeValidator, Field, WithJsonSchema

from flexid.base.text import Text
from flexid.domain import urls
from flexid.domain.webhooks import EVENTS, LENGTH_OF_URL, STATES, Delivery, Webhook, WebhookSettings, is_secret
from flexid.http.answers import moment, moment_or_none
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Flag, Input, Rule, longest, refuse
from flexid.http.routes import ADMIN, Parameter, Routes

routes = Routes("/api/webhooks", title="Webhooks")

PAGE = (
    Parameter("state", f"only deliveries that are {', '.join(STATES)}"),
    Parameter("before", "only deliveries before the one of this id", int),
)
LONGEST_ID = 18


def _url(value: str) -> str:
    if not urls.is_http(value):
        raise refuse(Text("It must be an address such as https://example.org/path"))
    return value


def _secret(value: str) -> str:
    if not is_secret(value):
        raise refuse(Text("It must be whsec_ and 24 to 64 bytes in base64"))
    return value


def _events(value: object) -> list[str]:
    # A form sends an object: the ticked ones.
    names = [*value] if isinstance(value, dict) else value
    if not isinstance(names, list) or not names:
        raise refuse(Text("Choose one event at least"))
    if any(name not in EVENTS for name in names):
        raise refuse(Text("Each event must be one of {allowed}", allowed=", ".join(EVENTS)))
    return [event for event in EVENTS if event in names]


ReceiverUrl = Annotated[
    AnyText,
    longest(LENGTH_OF_URL),
    Rule(_url, {"format": "uri", "examples": ["https://hooks.example.org/flexid"]}),
    Field(description="where events are sent, by POST: https, and on the public Internet"),
]
Events = Annotated[
    list[str],
    BeforeValidator(_events),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "enum": list(EVENTS)},
            "minItems": 1,
            "uniqueItems": True,
            "examples": [["account.created", "account.deleted"]],
        }
    ),
    Field(description="of what it hears"),
]
Secret = Annotated[
    AnyText,
    Rule(
        _secret,
        {"pattern": "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$", "examples": ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"]},
    ),
    Field(description="what events are signed with; without it a new one is made"),
]


class WebhookInput(Input):
    """Where to send which events."""

    url: ReceiverUrl
    events: Events
    secret: Secret | None = None
    enabled: Annotated[Flag, Field(description="whether anything is sent")] = True

    def settings(self) -> WebhookSettings:
        """Return it as the domain knows it."""
        return WebhookSettings(self.url, tuple(self.events), self.enabled)


class WebhookAnswer(TypedDict):
    """A webhook; `disabled_because` says why it was switched off by itself."""

    id: int
    url: str
    events: list[str]
    enabled: bool
    disabled_at: str | None
    disabled_because: str | None
    created_at: str
    updated_at: str


class NewWebhookAnswer(WebhookAnswer):
    """A new webhook with its secret, which is not shown again."""

    secret: str


class TestAnswer(TypedDict):
    """What came of a test; `error` says why it was not taken."""

    delivered: bool
    error: str | None


class DeliveryAnswer(TypedDict):
    """An event that was sent, waits to be sent once more, or was given up (`dead`)."""

    id: int
    event: str
    state: str
    attempts: int
    last_error: str | None
    created_at: str
    next_attempt_at: str | None
    sent_at: str | None


async def faults(
    call: Call[Any], values: Mapping[str, Any], webhook_id: int | None = None
) -> Mapping[str, Sequence[Text]]:
    """Refuse what cannot be found before looking at what is to become of it, and URLs that lead where none may."""
    if webhook_id is not None:
        await call.services.webhooks.show(call.actor, call.space, webhook_id)
    url = values.get("url")
    return await call.services.webhooks.faults(url if isinstance(url, str) and urls.is_http(url) else None)


async def faults_of_changed(
    call: Call[Any], values: Mapping[str, Any], webhook_id: int
) -> Mapping[str, Sequence[Text]]:
    """Refuse what is wrong with a webhook that is there."""
    return await faults(call, values, webhook_id)


async def faults_of_new(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, Sequence[Text]]:
    """Refuse what is wrong with a new webhook."""
    return await faults(call, values)


@routes.get(caller=ADMIN)
async def show_all(call: Call[Any]) -> list[WebhookAnswer]:
    """List the webhooks of the Space."""
    return [shown(each) for each in await call.services.webhooks.list_of(call.space)]


@routes.post(caller=ADMIN, input=WebhookInput, created=True, refusals=faults_of_new)
async def add(call: Call[WebhookInput]) -> NewWebhookAnswer:
    """Add a webhook to the Space; the answer shows its secret, and no other one does."""
    webhook, secret = await call.services.webhooks.add(call.space, call.input.settings(), call.input.secret)
    return NewWebhookAnswer(**shown(webhook), secret=secret)


@routes.get("/{webhook_id}", caller=ADMIN)
async def show(call: Call[Any], webhook_id: int) -> WebhookAnswer:
    """Show a webhook, without its secret."""
    return shown(await call.services.webhooks.show(call.actor, call.space, webhook_id))


@routes.put("/{webhook_id}", caller=ADMIN, input=WebhookInput, refusals=faults_of_changed)
async def change(call: Call[WebhookInput], webhook_id: int) -> WebhookAnswer:
    """Change a webhook, or switch it on again; its secret stays unless another one is given."""
    settings, secret = call.input.settings(), call.input.secret
    return shown(await call.services.webhooks.change(call.actor, call.space, webhook_id, settings, secret))


@routes.delete("/{webhook_id}", caller=ADMIN)
async def delete(call: Call[Any], webhook_id: int) -> None:
    """Delete a webhook with all that waits for it."""
    await call.services.webhooks.delete(call.actor, call.space, webhook_id)


@routes.post("/{webhook_id}/test", caller=ADMIN)
async def test(call: Call[Any], webhook_id: int) -> TestAnswer:
    """Send the event `webhook.test` at once, and tell what came of it."""
    reason = (await call.services.webhooks.test(call.actor, call.space, webhook_id)).reason
    error = call.templates.languages.translate(reason, call.language) if reason else None
    return TestAnswer(delivered=reason is None, error=error)


@routes.get("/{webhook_id}/deliveries", caller=ADMIN, parameters=PAGE)
async def deliveries(call: Call[Any], webhook_id: int) -> list[DeliveryAnswer]:
    """List deliveries of a webhook, the latest first, a hundred at once; they are kept for a week, dead ones longer."""
    return [delivery_shown(each) for each in await deliveries_asked_for(call, webhook_id)]


@routes.post("/{webhook_id}/deliveries/{delivery_id}/retry", caller=ADMIN)
async def retry(call: Call[Any], webhook_id: int, delivery_id: int) -> int:
    """Send an event now that waits or is dead; the answer is how many there were."""
    return await call.services.webhooks.retry(call.actor, call.space, webhook_id, delivery_id)


async def deliveries_asked_for(call: Call[Any], webhook_id: int) -> list[Delivery]:
    """Return what a list was asked for; nonsense asks for all."""
    state, before = call.query("state"), call.query("before") or ""
    return await call.services.webhooks.deliveries(
        call.actor,
        call.space,
        webhook_id,
        state if state in STATES else None,
        int(before) if before.isascii() and before.isdecimal() and len(before) <= LONGEST_ID else None,
    )


def shown(webhook: Webhook) -> WebhookAnswer:
    """Return what everybody may see who may see it at all."""
    return WebhookAnswer(
        id=webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        enabled=webhook.enabled,
        disabled_at=moment_or_none(webhook.disabled_at),
        disabled_because=webhook.disabled_because,
        created_at=moment(webhook.created_at),
        updated_at=moment(webhook.updated_at),
    )


def delivery_shown(delivery: Delivery) -> DeliveryAnswer:
    """Return what is shown of a delivery."""
    return DeliveryAnswer(
        id=delivery.id,
        event=delivery.event,
        state=delivery.state,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        created_at=moment(delivery.created_at),
        next_attempt_at=moment_or_none(delivery.next_attempt_at),
        sent_at=moment_or_none(delivery.sent_at),
    )
