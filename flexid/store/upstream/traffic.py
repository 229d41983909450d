"""Tokens, codes and statistics, from the staging tables into ours."""

from __future__ import annotations

from collections.abc import Iterator

from flexid.store.upstream.moves import STAMPED, Move

_DOMAIN = "coalesce(a.domain, (SELECT min(domain) FROM up_spaces))"
_WHO = "u.ip, u.user_agent"
_TOKENS = {
    "account_creation_tokens": "account_id, pn_provider, pn_param, pn_prid, used",
    "account_recovery_tokens": "account_id, pn_provider, pn_param, pn_prid, used",
    "auth_tokens": "account_id",
}
_OF_ACCOUNTS = {
    "email_change_codes": "code, email",
    "phone_change_codes": "code, phone",
    "recovery_codes": "code, email, phone, attempts",
    "reset_password_email_tokens": "token, email, used",
    "provisioning_tokens": "token",
}
"""What they hold beside their account, and whom they were made for."""
_CURRENT = {
    "provisioning_tokens": "used_at IS NULL",
    **dict.fromkeys(("email_change_codes", "phone_change_codes", "recovery_codes"), "code IS NOT NULL"),
}
"""Of these an account has one at a time."""


def moves() -> Iterator[Move]:
    """Yield what moves tokens and codes."""
    for table, columns in _TOKENS.items():
        values = _values(columns)
        yield Move(
            table,
            (
                f"""
                INSERT INTO {table} (domain, token, {columns}, ip, user_agent, created_at, updated_at)
                SELECT {_DOMAIN}, u.token, {values}, {_WHO}, {STAMPED}
                FROM up_{table} u LEFT JOIN accounts a ON a.id = u.account_id ON CONFLICT (token) DO NOTHING
                """,
            ),
            f"SELECT count(*) FROM up_{table} u JOIN {table} t USING (token)",
        )
    yield Move(
        "account_creation_request_tokens",
        (
            f"""
            INSERT INTO account_creation_request_tokens (domain, token, used, validated_at, account_creation_token_id,
                ip, user_agent, created_at, updated_at)
            SELECT (SELECT min(domain) FROM up_spaces), u.token, false, u.validated_at, t.id, {_WHO}, {STAMPED}
            FROM up_account_creation_request_tokens u
            LEFT JOIN up_account_creation_tokens c ON c.id = u.acc_creation_token_id
            LEFT JOIN account_creation_tokens t ON t.token = c.token ON CONFLICT (token) DO NOTHING
            """,
        ),
        """
        SELECT count(*) FROM up_account_creation_request_tokens u JOIN account_creation_request_tokens t USING (token)
        """,
    )
    for table, columns in _OF_ACCOUNTS.items():
        yield _of_accounts(table, columns)


def _of_accounts(table: str, columns: str) -> Move:
    changed = table != "provisioning_tokens"
    stamps, values = ("created_at, updated_at", STAMPED) if changed else ("created_at", "coalesce(u.created_at, now())")
    told = columns.split(", ", maxsplit=1)[0]
    given_back = (
        f"DELETE FROM {table} t USING up_{table} u WHERE u.account_id = t.account_id AND t.{_CURRENT[table]}"
        if table in _CURRENT
        else f"DELETE FROM {table} t USING up_{table} u WHERE u.token = t.token"
    )
    return Move(
        table,
        (
            given_back,
            f"""
            INSERT INTO {table} (account_id, {columns}, ip, user_agent, {stamps})
            SELECT u.account_id, {_values(columns)}, {_WHO}, {values} FROM up_{table} u
            """,
        ),
        f"SELECT count(*) FROM up_{table} u JOIN {table} t USING (account_id, {told})",
    )


def _values(columns: str) -> str:
    least = {"used": "coalesce(u.used, false)", "attempts": "coalesce(u.attempts, 0)"}
    return ", ".join(least.get(name, f"u.{name}") for name in columns.split(", "))


def statistics() -> Iterator[Move]:
    """Yield what moves statistics; what Flexisip told us since then stays as it is."""
    for table, key, columns in (
        (
            "statistics_calls",
            "id",
            "id, from_username, from_domain, to_username, to_domain, initiated_at, ended_at, conference_id",
        ),
        (
            "statistics_call_devices",
            "call_id, device_id",
            "call_id, device_id, rang_at, invite_terminated_at, invite_terminated_state",
        ),
        ("statistics_messages", "id", "id, from_username, from_domain, sent_at, encrypted, conference_id"),
        (
            "statistics_message_devices",
            "message_id, to_username, to_domain, device_id",
            "message_id, to_username, to_domain, device_id, last_status, received_at",
        ),
    ):
        values = ", ".join(f"u.{name}" for name in columns.split(", "))
        values = values.replace("u.encrypted", "coalesce(u.encrypted, false)")
        yield Move(
            table,
            (
                f"""
                INSERT INTO {table} ({columns}, created_at, updated_at) SELECT {values}, {STAMPED} FROM up_{table} u
                ON CONFLICT ({key}) DO NOTHING
                """,
            ),
            f"SELECT count(*) FROM up_{table} u JOIN {table} t USING ({key})",
        )
