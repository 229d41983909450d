"""Tells PostgreSQL who acts: triggers write that into the audit log (docs/adr/0013)."""

from __future__ import annotations

import re

import orjson
from attrs import asdict

from flexid.domain.acting import who

QUIET_TABLES = frozenset(
    {
        "account_counts",
        "account_import_rows",
        "account_imports",
        "idempotency_keys",
        "message_daemons",
        "messages",
        "nonce_epochs",
        "nonces",
        "oidc_attempts",
        "outbox",
        "processes",
        "server_keys",
        "space_expiration_notices",
        "statistics_call_devices",
        "statistics_calls",
        "statistics_message_devices",
        "statistics_messages",
        "throttle_counters",
    }
)
"""What is written to these alone is nobody's business; they have no trigger of the audit log's."""

_WRITTEN = re.compile(r"\b(?:INSERT\s+INTO|(?<!FOR )(?<!KEY )(?<!DO )UPDATE|DELETE\s+FROM)\s+(\w+)")


def concerns_the_log(sql: str) -> bool:
    """Say whether a statement writes anything that the audit log may want to know of."""
    return any(table not in QUIET_TABLES for table in _WRITTEN.findall(sql))


def naming_the_doer() -> str:
    """Return SQL that names whoever acts, until the transaction ends; empty where nobody is known.

    It travels in the message of the statement that follows: no round trip, and no statement more to be counted.
    """
    doer = who()
    return "" if doer is None else f"SET LOCAL flexid.doer = '{as_literal(asdict(doer()))}'; "


def as_literal(named: dict[str, object]) -> str:
    """Return a JSON object that stands between quotes, and has no sign that psycopg2 or PostgreSQL would read."""
    text = orjson.dumps(named).decode()
    return text.replace("'", "\\u0027").replace("%", "\\u0025")
