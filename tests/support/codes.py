"""Codes on their way, as they wait in the outbox."""

from __future__ import annotations

from typing import Any

from support.application import Application


def sent(app: Application) -> list[dict[str, Any]]:
    """Return all mails and SMS that wait, the oldest first; each with its `code`, if it has one."""
    rows = app.sql("SELECT payload FROM outbox WHERE channel IN ('mail', 'sms') ORDER BY id")
    return [{**row["payload"], **row["payload"].get("values", {})} for row in rows]


def last_code(app: Application) -> str:
    """Return the code that was sent last."""
    code: str = sent(app)[-1]["code"]
    return code


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10_000:04}"
