"""Tokens and codes: those that nobody can use any more stay behind."""

from __future__ import annotations

from collections.abc import Iterator

from flexid.store.upstream.mending import Mend

USED = "used"
NO_CODE = "code IS NULL"
_DEAD = {
    # A token that an account used up tells later that it did.
    "account_creation_tokens": ("used AND account_id IS NULL", "creation_token"),
    "account_creation_request_tokens": (USED, "creation_token"),
    "account_recovery_tokens": (USED, "recovery_token"),
    "auth_tokens": ("false", "auth_token"),
    "provisioning_tokens": (USED, "provisioning_token"),
    "reset_password_email_tokens": (USED, "password_reset_token"),
    "email_change_codes": (NO_CODE, "email_code"),
    "phone_change_codes": (NO_CODE, "phone_code"),
    "recovery_codes": (NO_CODE, "recovery_code"),
}
_ONE_OF_ACCOUNT = ("provisioning_tokens", "email_change_codes", "phone_change_codes", "recovery_codes")
_OF_SPACE = ("account_creation_tokens", "account_creation_request_tokens", "account_recovery_tokens", "auth_tokens")


def mends() -> Iterator[Mend]:
    """Yield what leaves out tokens and codes; their lifetimes in minutes are parameters, 0 = for ever."""
    for table, (dead, lifetime) in _DEAD.items():
        yield Mend(
            table,
            "it was used, or is too old",
            "left out",
            f"DELETE FROM up_{table} WHERE {_what(table)} IS NULL OR coalesce({dead}, false) OR (%({lifetime})s > 0 "
            f"AND coalesce(created_at, '-infinity') < now() - make_interval(mins => %({lifetime})s)) RETURNING id",
        )
    for table in _ONE_OF_ACCOUNT:
        yield Mend(
            table,
            "its account got another one later",
            "left out",
            f"DELETE FROM up_{table} u USING (SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY id DESC) "
            f"AS number FROM up_{table}) d WHERE d.id = u.id AND d.number > 1 RETURNING u.id",
        )
    for table in _OF_SPACE:
        account = "false" if table == "account_creation_request_tokens" else "account_id IS NOT NULL"
        yield Mend(
            table,
            "it belongs to no Space that could be told",
            "left out",
            f"DELETE FROM up_{table} WHERE NOT ({account}) AND (SELECT count(*) FROM up_spaces) > 1 RETURNING id",
        )


def _what(table: str) -> str:
    return "code" if table.endswith("_codes") else "token"
