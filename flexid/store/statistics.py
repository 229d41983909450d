"""Statistics of calls and messages."""

from __future__ import annotations

from datetime import datetime

from flexid.domain.sip_address import SipAddress
from flexid.domain.statistics import Call, CallDevice, MessageDevice, NewCall, NewMessage
from flexid.store.query import ISO_TIME, Query, Row, Runner

_CALL = f"""
    c.id, c.from_username, c.from_domain, c.to_username, c.to_domain, c.initiated_at, c.ended_at, c.conference_id,
    c.created_at, c.updated_at,
    (SELECT json_agg(json_build_object('id', d.id, 'call_id', d.call_id, 'device_id', d.device_id,
        'rang_at', to_char(d.rang_at, {ISO_TIME}),
        'invite_terminated_at', to_char(d.invite_terminated_at, {ISO_TIME}),
        'invite_terminated_state', d.invite_terminated_state,
        'created_at', to_char(d.created_at, {ISO_TIME}), 'updated_at', to_char(d.updated_at, {ISO_TIME})) ORDER BY d.id)
     FROM statistics_call_devices d WHERE d.call_id = c.id) AS devices
"""
ADD_CALL = Query(
    "add a call",
    """
    INSERT INTO statistics_calls
        (id, from_username, from_domain, to_username, to_domain, initiated_at, ended_at, conference_id)
    VALUES (%(id)s, %(from_username)s, %(from_domain)s, %(to_username)s, %(to_domain)s, %(initiated_at)s,
        %(ended_at)s, %(conference_id)s)
    ON CONFLICT (id) DO NOTHING RETURNING id
    """,
)
END_CALL = Query(
    "end a call",
    f"""
    WITH c AS (
        UPDATE statistics_calls SET ended_at = coalesce(%(ended_at)s, ended_at), updated_at = now()
        WHERE id = %(id)s RETURNING *
    )
    SELECT {_CALL} FROM c
    """,
)
SET_CALL_DEVICE = Query(
    "set what a device did with a call",
    """
    INSERT INTO statistics_call_devices AS d
        (call_id, device_id, rang_at, invite_terminated_at, invite_terminated_state)
    SELECT id, %(device_id)s, %(rang_at)s, %(terminated_at)s, %(state)s FROM statistics_calls WHERE id = %(call_id)s
    ON CONFLICT (call_id, device_id) DO UPDATE SET
        rang_at = coalesce(excluded.rang_at, d.rang_at),
        invite_terminated_at = coalesce(excluded.invite_terminated_at, d.invite_terminated_at),
        invite_terminated_state = coalesce(excluded.invite_terminated_state, d.invite_terminated_state),
        updated_at = now()
    RETURNING id, call_id, device_id, rang_at, invite_terminated_at, invite_terminated_state, created_at, updated_at,
        xmax = 0 AS is_new
    """,
)
# The latest of those that somebody made and of those that somebody got, each from its index; a call to oneself is one.
CALLS_OF = Query(
    "page of an account's calls",
    f"""
    WITH latest AS (
        (SELECT id, initiated_at FROM statistics_calls
         WHERE from_domain = %(domain)s AND from_username = %(username)s
         ORDER BY initiated_at DESC LIMIT %(offset)s::bigint + %(per_page)s)
        UNION
        (SELECT id, initiated_at FROM statistics_calls
         WHERE to_domain = %(domain)s AND to_username = %(username)s
         ORDER BY initiated_at DESC LIMIT %(offset)s::bigint + %(per_page)s)
    ), page AS (
        SELECT id FROM latest ORDER BY initiated_at DESC, id OFFSET %(offset)s::bigint LIMIT %(per_page)s
    ), total AS (
        SELECT (SELECT count(*) FROM statistics_calls
                WHERE from_domain = %(domain)s AND from_username = %(username)s)
            + (SELECT count(*) FROM statistics_calls
               WHERE to_domain = %(domain)s AND to_username = %(username)s
               AND (from_domain, from_username) IS DISTINCT FROM (to_domain, to_username)) AS total
    )
    SELECT total.total, {_CALL}
    FROM total LEFT JOIN (page JOIN statistics_calls c USING (id)) ON true
    ORDER BY c.initiated_at DESC, c.id
    """,
)
ADD_MESSAGE = Query(
    "add a message that was sent",
    """
    INSERT INTO statistics_messages (id, from_username, from_domain, sent_at, encrypted, conference_id)
    VALUES (%(id)s, %(from_username)s, %(from_domain)s, %(sent_at)s, %(encrypted)s, %(conference_id)s)
    ON CONFLICT (id) DO NOTHING RETURNING id
    """,
)
SET_MESSAGE_DEVICE = Query(
    "set what became of a message on a device",
    """
    INSERT INTO statistics_message_devices AS d
        (message_id, to_username, to_domain, device_id, last_status, received_at)
    SELECT id, %(to_username)s, %(to_domain)s, %(device_id)s, %(last_status)s, %(received_at)s
    FROM statistics_messages WHERE id = %(message_id)s
    ON CONFLICT (message_id, to_username, to_domain, device_id) DO UPDATE SET
        last_status = excluded.last_status, received_at = coalesce(excluded.received_at, d.received_at),
        updated_at = now()
    RETURNING id, message_id, to_username, to_domain, device_id, last_status, received_at, created_at, updated_at,
        xmax = 0 AS is_new
    """,
)


async def add_call(runner: Runner, call: NewCall) -> bool:
    """Add a call; return whether its id was new."""
    rows = await runner.run(
        ADD_CALL,
        id=call.id,
        from_username=call.caller.username,
        from_domain=call.caller.domain,
        to_username=call.callee.username,
        to_domain=call.callee.domain,
        initiated_at=call.initiated_at,
        ended_at=call.ended_at,
        conference_id=call.conference_id,
    )
    return bool(rows)


async def end_call(runner: Runner, call_id: str, ended_at: datetime | None) -> Call | None:
    """Note when a call ended, and return it."""
    rows = await runner.run(END_CALL, id=call_id, ended_at=ended_at)
    return _call(rows[0]) if rows else None


async def set_call_device(  # what the table holds
    runner: Runner,
    call_id: str,
    device_id: str,
    *,
    rang_at: datetime | None,
    terminated_at: datetime | None,
    state: str | None,
) -> tuple[CallDevice, bool] | None:
    """Note what a device did, and keep what was noted before where nothing new is said.

    Return that with whether the device is new; None where there is no such call.
    """
    rows = await runner.run(
        SET_CALL_DEVICE,
        call_id=call_id,
        device_id=device_id,
        rang_at=rang_at,
        terminated_at=terminated_at,
        state=state,
    )
    if not rows:
        return None
    is_new: bool = rows[0].pop("is_new")
    return CallDevice(**rows[0]), is_new


async def calls_of(runner: Runner, username: str, domain: str, offset: int, per_page: int) -> tuple[int, list[Call]]:
    """Return how many calls somebody made and got, and `per_page` of them from `offset`, the latest first."""
    rows = await runner.run(CALLS_OF, username=username, domain=domain, offset=offset, per_page=per_page)
    total: int = rows[0]["total"]
    for row in rows:
        del row["total"]
    return total, [_call(row) for row in rows if row["id"] is not None]


async def add_message(runner: Runner, message: NewMessage) -> bool:
    """Add a message; return whether its id was new."""
    rows = await runner.run(
        ADD_MESSAGE,
        id=message.id,
        from_username=message.sender.username,
        from_domain=message.sender.domain,
        sent_at=message.sent_at,
        encrypted=message.encrypted,
        conference_id=message.conference_id,
    )
    return bool(rows)


async def set_message_device(  # what the table holds
    runner: Runner,
    message_id: str,
    recipient: SipAddress,
    device_id: str,
    *,
    last_status: int,
    received_at: datetime | None,
) -> tuple[MessageDevice, bool] | None:
    """Note what became of a message on a device.

    Return that with whether the device is new; None where there is no such message.
    """
    rows = await runner.run(
        SET_MESSAGE_DEVICE,
        message_id=message_id,
        to_username=recipient.username,
        to_domain=recipient.domain,
        device_id=device_id,
        last_status=last_status,
        received_at=received_at,
    )
    if not rows:
        return None
    is_new: bool = rows[0].pop("is_new")
    return MessageDevice(**rows[0]), is_new


def _call(row: Row) -> Call:
    return Call(devices=tuple(row.pop("devices") or ()), **row)
