"""Webhooks of Spaces; `space_id` is the one Space within reach, None for all."""

from __future__ import annotations

from flexid.domain.unanswered import SWITCHED_OFF
from flexid.domain.webhooks import Webhook, WebhookSettings
from flexid.store.query import Query, Row, Runner

_COLUMNS = """
    w.id, (SELECT domain FROM spaces s WHERE s.id = w.space_id) AS domain, w.url, w.events, w.enabled, w.disabled_at,
    w.disabled_because, w.created_at, w.updated_at
"""
_REACHED = "w.id = %(webhook_id)s AND (%(space_id)s::bigint IS NULL OR w.space_id = %(space_id)s)"

LIST = Query("list webhooks", f"SELECT {_COLUMNS} FROM webhooks w WHERE w.space_id = %(space_id)s ORDER BY w.id")
FIND = Query("find a webhook", f"SELECT {_COLUMNS} FROM webhooks w WHERE {_REACHED}")
SECRET = Query("read the secret of a webhook", f"SELECT w.secret FROM webhooks w WHERE {_REACHED}")
# Those who add at once come one after the other, so that each counts what the one before has added.
LOCK = Query("lock a Space for a new webhook", "SELECT id FROM spaces WHERE id = %(space_id)s FOR NO KEY UPDATE")
ADD = Query(
    "add a webhook",
    f"""
    WITH w AS (
        INSERT INTO webhooks (space_id, url, events, secret, enabled, disabled_at)
        SELECT %(space_id)s, %(url)s, %(events)s, %(secret)s, %(enabled)s::boolean,
            CASE WHEN NOT %(enabled)s::boolean THEN now() END
        WHERE (SELECT count(*) FROM webhooks WHERE space_id = %(space_id)s) < %(most)s
        RETURNING *
    )
    SELECT {_COLUMNS} FROM w
    """,
)
_GIVE_UP = """
    given_up AS (
        UPDATE outbox o SET state = 'dead', last_error = coalesce(o.last_error, %(switched_off)s)
        FROM w WHERE o.webhook_id = w.id AND o.state = 'waiting' AND NOT w.enabled
    )
"""
# Whatever has switched a webhook off is forgotten as soon as a person has decided about it.
CHANGE = Query(
    "change a webhook",
    f"""
    WITH w AS (
        UPDATE webhooks w SET url = %(url)s, events = %(events)s, secret = coalesce(%(secret)s::text, secret),
            disabled_at = CASE WHEN %(enabled)s::boolean THEN NULL ELSE coalesce(disabled_at, now()) END,
            disabled_because = CASE WHEN %(enabled)s::boolean OR w.enabled THEN NULL ELSE disabled_because END,
            enabled = %(enabled)s::boolean, updated_at = now()
        WHERE {_REACHED} RETURNING *
    ), {_GIVE_UP}
    SELECT {_COLUMNS} FROM w
    """,
)
SET_SECRET = Query(
    "give a webhook another secret",
    f"UPDATE webhooks w SET secret = %(secret)s, updated_at = now() WHERE {_REACHED} RETURNING w.id",
)
DELETE = Query("delete a webhook", f"DELETE FROM webhooks w WHERE {_REACHED} RETURNING w.id")
# A receiver that takes other events is there: then only what it does not take is given up.
SWITCH_OFF = Query(
    "switch a webhook off",
    f"""
    WITH w AS (
        UPDATE webhooks w SET enabled = false, disabled_at = now(), disabled_because = %(reason)s, updated_at = now()
        WHERE w.id = %(webhook_id)s AND w.enabled AND (%(at_once)s::boolean OR NOT EXISTS (
            SELECT FROM outbox WHERE webhook_id = w.id AND state = 'sent' AND sent_at > now() - interval '1 day'
        ))
        RETURNING *
    ), {_GIVE_UP}
    SELECT {_COLUMNS} FROM w
    """,
)
ADMINISTRATORS = Query(
    "whom to write to in a Space",
    """
    SELECT DISTINCT email FROM accounts
    WHERE domain = %(domain)s AND admin AND activated AND NOT blocked AND email IS NOT NULL ORDER BY email LIMIT 20
    """,
)


async def list_of(runner: Runner, space_id: int) -> list[Webhook]:
    """Return the webhooks of a Space, the oldest first."""
    return [_webhook(row) for row in await runner.run(LIST, space_id=space_id)]


async def find(runner: Runner, webhook_id: int, space_id: int | None) -> Webhook | None:
    """Return a webhook within reach."""
    return _first(await runner.run(FIND, webhook_id=webhook_id, space_id=space_id))


async def secret(runner: Runner, webhook_id: int, space_id: int | None) -> str | None:
    """Return what a webhook within reach is signed with."""
    rows = await runner.run(SECRET, webhook_id=webhook_id, space_id=space_id)
    return str(rows[0]["secret"]) if rows else None


async def add(
    transaction: Runner, space_id: int, settings: WebhookSettings, new_secret: str, most: int
) -> Webhook | None:
    """Add a webhook to a Space; None if it has `most` already."""
    await transaction.run(LOCK, space_id=space_id)
    return _first(
        await transaction.run(
            ADD,
            space_id=space_id,
            url=settings.url,
            events=list(settings.events),
            enabled=settings.enabled,
            secret=new_secret,
            most=most,
        )
    )


async def change(
    runner: Runner, webhook_id: int, space_id: int | None, settings: WebhookSettings, new_secret: str | None
) -> Webhook | None:
    """Change a webhook within reach, and return it; what waits for one that is switched off is given up."""
    rows = await runner.run(
        CHANGE,
        webhook_id=webhook_id,
        space_id=space_id,
        url=settings.url,
        events=list(settings.events),
        enabled=settings.enabled,
        secret=new_secret,
        switched_off=str(SWITCHED_OFF),
    )
    return _first(rows)


async def set_secret(runner: Runner, webhook_id: int, space_id: int | None, new_secret: str) -> bool:
    """Give a webhook within reach another secret; return whether there is one."""
    return bool(await runner.run(SET_SECRET, webhook_id=webhook_id, space_id=space_id, secret=new_secret))


async def delete(runner: Runner, webhook_id: int, space_id: int | None) -> bool:
    """Delete a webhook within reach with what waits for it; return whether there was one."""
    return bool(await runner.run(DELETE, webhook_id=webhook_id, space_id=space_id))


async def switch_off(runner: Runner, webhook_id: int, reason: str, *, at_once: bool) -> Webhook | None:
    """Switch a webhook off that takes nothing any more, and return it.

    None if it is off already, or, unless `at_once`, has taken something within the last day.
    """
    rows = await runner.run(
        SWITCH_OFF, webhook_id=webhook_id, reason=reason, at_once=at_once, switched_off=str(SWITCHED_OFF)
    )
    return _first(rows)


async def administrators(runner: Runner, domain: str) -> list[str]:
    """Return the email addresses of a Space's administrators, of twenty at most."""
    return [str(row["email"]) for row in await runner.run(ADMINISTRATORS, domain=domain)]


def _first(rows: list[Row]) -> Webhook | None:
    return _webhook(rows[0]) if rows else None


def _webhook(row: Row) -> Webhook:
    return Webhook(**{**row, "events": tuple(row["events"])})
