"""An import is whole or not there, whatever dies while it goes on."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException

import psycopg2
import pytest
from support.flexid_process import ADDRESS, PATIENCE, Caller, Flexid

pytestmark = pytest.mark.real

LINES = 4000
HEADER = (
    "Username,Password,Role,Status,Phone,Email,External Username,External Domain,External Password,External Realm,"
    "External Registrar,External Outbound Proxy,External Protocol"
)
# An import of so many lines takes most of a second: before its process runs, while it reads, while it writes, after.
DELAYS = (0.02, 0.3, 0.5, 0.6, 0.75)


def _import(admin: Caller, prefix: str, key: str) -> int | None:
    """Return the status of the answer, None where the connection broke."""
    lines = [f"{prefix}-{n},some_password,user,active,,,{prefix}{n},provider.example,x,,,,UDP" for n in range(LINES)]
    headers = {"Host": admin.authority, "Content-Type": "text/csv", "Idempotency-Key": key, **admin.headers}
    with closing(HTTPConnection(ADDRESS, admin.port, timeout=PATIENCE)) as connection:
        try:
            connection.request("POST", "/api/accounts/import", "\n".join([HEADER, *lines]).encode(), headers)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return None


def _written(flexid: Flexid, prefix: str) -> tuple[int, int, int, int]:
    with closing(psycopg2.connect(flexid.dsn())) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(p.id), count(t.id), count(x.id) FROM accounts a"
            " LEFT JOIN passwords p ON p.account_id = a.id LEFT JOIN provisioning_tokens t ON t.account_id = a.id"
            " LEFT JOIN external_accounts x ON x.account_id = a.id WHERE a.username LIKE %s",
            (f"{prefix}-%",),
        )
        accounts, passwords, tokens, externals = cursor.fetchone() or (0, 0, 0, 0)
        return accounts, passwords, tokens, externals


@pytest.mark.parametrize("delay", DELAYS)
def test_an_import_during_which_flexid_is_killed_is_whole_or_not_there(
    flexid: Flexid, admin: Caller, delay: float
) -> None:
    prefix = f"after{round(1000 * delay)}ms"
    answers: list[int | None] = []
    client = threading.Thread(target=lambda: answers.append(_import(admin, prefix, prefix)))
    client.start()
    time.sleep(delay)  # the moment of the kill is what differs between these tests
    flexid.kill()
    client.join()
    flexid.start()

    written = _written(flexid, prefix)
    assert written in {(0, 0, 0, 0), (LINES, LINES, LINES, LINES)}
    assert answers == [None] or written[0] == LINES
    # The same request with the same key: what was answered before, done now, or the word that nobody knows.
    again = _import(admin, prefix, prefix)
    assert again in {200, 409}
    assert _import(admin, prefix, f"{prefix}-anew") == (422 if written[0] or again == 200 else 200)
    assert _written(flexid, prefix) == (LINES, LINES, LINES, LINES)
