"""The audit log."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.domain.audit import AuditEntry, AuditWish
from flexid.domain.pages import envelope, page_number
from flexid.http.answers import moment
from flexid.http.api.page_answer import PageAnswer, of_pages
from flexid.http.call import Call
from flexid.http.inputs import Input, Line255, Moment, read
from flexid.http.routes import ADMIN, Parameter, Routes

routes = Routes("/api/events", title="Audit log")

PER_PAGE, MOST_PER_PAGE = 20, 100
FILTERS = (
    Parameter("space", "The domain of a Space, for super administrators; without it they read of all Spaces."),
    Parameter("account", "To whom it was done: an id, or an address such as `alice@sip.example.org`."),
    Parameter("actor", "Who did it: an id, an address, or the name of a command or timer."),
    Parameter("action", "What was done: one action, such as `account.created`, or all of a kind, such as `account`."),
    Parameter("since", "The earliest time, in ISO 8601."),
    Parameter("until", "The time before which it was done, in ISO 8601."),
)


class EventsQuery(Input):
    """What somebody wants to read."""

    space: Line255 | None = None
    account: Line255 | None = None
    actor: Line255 | None = None
    action: Line255 | None = None
    since: Moment | None = None
    until: Moment | None = None

    def wish(self) -> AuditWish:
        """Return it as services know it."""
        return AuditWish(self.space, self.account, self.actor, self.action, self.since, self.until)


class EventAnswer(TypedDict):
    """Something that was done."""

    id: int
    space: str | None
    action: str
    account_id: int | None
    account: str | None
    actor_id: int | None
    actor: str
    means: str
    credential: str | None
    ip: str | None
    user_agent: str | None
    request_id: str | None
    details: dict[str, str | int | bool | list[str]]
    created_at: str


@routes.get(
    caller=ADMIN,
    parameters=(*FILTERS, *of_pages(PER_PAGE, MOST_PER_PAGE)),
    answers={200: PageAnswer[EventAnswer]},
)
async def show(call: Call[Any]) -> dict[str, object]:
    """Return the audit log: who did what to which account, when and from where, the latest first.

    Administrators read of their own Space, super administrators of any. `means` says how the actor showed who that is,
    `details` which fields were changed; of secrets nothing is noted. Counted and paged are the latest 10,000 that
    match: narrow what is asked for to see earlier ones.
    """
    asked = dict(reversed(call.queries()))
    wish = read(EventsQuery, asked).wish()
    number = page_number(call.query("page"))
    per_page = min(page_number(call.query("per_page"), otherwise=PER_PAGE), MOST_PER_PAGE)
    total, entries = await call.services.audit.page(call.actor, wish, number, per_page)
    extra = {name: asked[name] for name in (*EventsQuery.model_fields, "per_page") if asked.get(name)}
    return envelope(
        [_shown(each) for each in entries], total, number, per_page, f"{call.peer.base_url}/api/events", extra
    )


def _shown(entry: AuditEntry) -> EventAnswer:
    return EventAnswer(
        id=entry.id,
        space=entry.domain,
        action=entry.action,
        account_id=entry.account_id,
        account=entry.account,
        actor_id=entry.actor_id,
        actor=entry.actor,
        means=entry.means,
        credential=entry.credential,
        ip=entry.ip,
        user_agent=entry.user_agent,
        request_id=entry.request_id,
        details=entry.details,
        created_at=moment(entry.created_at),
    )
