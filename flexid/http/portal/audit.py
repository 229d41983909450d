"""The audit log: who did what to which account, when, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from flexid.base.text import Text
from flexid.domain.audit import MOST_COUNTED, AuditEntry, AuditWish
from flexid.domain.pages import envelope, page_number
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/audit", title="Audit log", portal=True)

PER_PAGE = 30
LONGEST = 255
PARAMETERS = ("space", "account", "actor", "action", "since", "until")

THINGS: Mapping[str, Text] = {
    "account": Text("Account"),
    "account_action": Text("Action of an account"),
    "account_type": Text("Account type"),
    "api_key": Text("API key"),
    "call_forwarding": Text("Call forwarding"),
    "carddav_credentials": Text("CardDAV credentials"),
    "carddav_server": Text("CardDAV server"),
    "contact": Text("Contact"),
    "contacts_list": Text("Contacts list"),
    "contacts_list_member": Text("Member of a contacts list"),
    "contacts_list_of_account": Text("Contacts list of an account"),
    "dictionary_entry": Text("Dictionary entry"),
    "digest_settings": Text("Password sign-in"),
    "external_account": Text("External account"),
    "logo": Text("Logo"),
    "mail_server": Text("Mail server"),
    "oidc_settings": Text("OpenID Connect"),
    "password": Text("Password"),
    "phone_country": Text("Phone country"),
    "session": Text("Sign-in of an administrator"),
    "space": Text("Space"),
    "type_of_account": Text("Type of an account"),
    "webhook": Text("Webhook"),
}
"""What something was done to, by the first half of the action."""
DONE: Mapping[str, Text] = {
    "activated": Text("Activated"),
    "blocked": Text("Blocked"),
    "created": Text("Added"),
    "deactivated": Text("Deactivated"),
    "deleted": Text("Deleted"),
    "set": Text("Replaced"),
    "unblocked": Text("Unblocked"),
    "updated": Text("Changed"),
}
"""What was done, by the second half."""
MEANS: Mapping[str, Text] = {
    "api_key": Text("API key"),
    "bearer": Text("OpenID Connect"),
    "certificate": Text("Certificate"),
    "command": Text("Command line"),
    "database": Text("Directly in the database"),
    "digest": Text("SIP password"),
    "none": Text("Not signed in"),
    "session": Text("Portal"),
    "timer": Text("By itself"),
}


@routes.get(caller=ADMIN)
async def show(call: Call[Any]) -> Answer:
    """List what was done, the latest first, as far as the filters leave it."""
    asked = {name: value for name in PARAMETERS if (value := _typed(call, name))}
    if not call.actor.super_admin:
        asked.pop("space", None)
    number = page_number(call.query("page"))
    total, entries = await call.services.audit.page(call.actor, _wish(asked), number, PER_PAGE)
    first = (number - 1) * PER_PAGE + 1
    return page(
        call,
        "admin_audit/page.html",
        lines=[_line(entry) for entry in entries],
        asked=asked,
        typed={name: asked.get(name, "") for name in PARAMETERS},
        total=total,
        most=MOST_COUNTED,
        things=sorted(THINGS.items()),
        domains=await call.services.account_filters.domains() if call.actor.super_admin else (),
        first=first,
        last=first + len(entries) - 1,
        links=envelope(entries, total, number, PER_PAGE, routes.prefix, asked)["links"],
    )


def _typed(call: Call[Any], name: str) -> str:
    value = (call.query(name) or "").strip()[:LONGEST]
    return value if value.isprintable() else ""


def _wish(asked: Mapping[str, str]) -> AuditWish:
    return AuditWish(
        asked.get("space"),
        asked.get("account"),
        asked.get("actor"),
        asked.get("action"),
        _day(asked.get("since")),
        _day(asked.get("until"), days=1),
    )


def _day(text: str | None, *, days: int = 0) -> datetime | None:
    """Return the begin of a day, or of one so many days later, in UTC; None where no day is meant."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=days) if text else None
    except (ValueError, OverflowError):
        return None


def _line(entry: AuditEntry) -> dict[str, object]:
    thing, _, done = entry.action.partition(".")
    values = {name: value for name, value in entry.details.items() if name != "changed"}
    changed = [name for name in entry.details.get("changed", []) if name not in values]
    return {
        "entry": entry,
        "thing": THINGS.get(thing, Text("Something else")),
        "done": None if thing == "session" else DONE.get(done, Text("Changed")),
        "means": MEANS.get(entry.means, Text("Directly in the database")),
        "noted": ", ".join([*(f"{name}: {_word(value)}" for name, value in values.items()), *changed]),
        "account_query": urlencode({"account": entry.account_id}) if entry.account_id else "",
    }


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
