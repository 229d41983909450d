"""The flexid that is measured, with a Space full of accounts, and the secrets of those who ask it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
from attrs import frozen
from support.flexid_process import Caller, Flexid
from support.web import digest_answer

DOMAIN = "localhost"
PREFIX = "user_"
HA1 = hashlib.sha256(b"the same for every account").hexdigest()
"""A stored hash is taken as it is, so all accounts can share one, and the load needs no list of them."""
PASSWORD = "a_password"
FIRST_ID = 1_000
KEY_HOLDERS = 100
PATHS = 20_000
"""Addresses that are asked for in turn; more make no difference."""
PER_PAGE = 100


@frozen
class Stage:
    """A running flexid and files for `requests.lua`."""

    flexid: Flexid
    admin: Caller
    accounts: int
    ready_cold: float
    """Seconds from nothing to ready."""
    ready_warm: float
    resident: int
    """Bytes of the process when it was ready."""
    user_keys: Path
    addresses: Path
    tokens: Path
    user: Caller
    session: str
    """The cookie of somebody who is signed in to the portal."""


@contextmanager
def staged(accounts: int) -> Iterator[Stage]:
    """Run a flexid with so many accounts."""
    with ExitStack() as stack:
        files = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        flexid = Flexid(throttling_factor="1000000")
        stack.callback(flexid.remove)
        ready_cold = flexid.start()
        admin = flexid.create_admin("bench")
        _seed(flexid, files / "seed.json", accounts)
        flexid.stop()
        ready_warm = flexid.start()
        resident = flexid.process().memory_info().rss
        keys = [_user_key(admin, flexid.caller(), f"holder-{number}") for number in range(KEY_HOLDERS)]
        steps = max(1, accounts // PATHS)
        yield Stage(
            flexid,
            admin,
            accounts,
            ready_cold,
            ready_warm,
            resident,
            _lines(files / "keys", keys),
            _lines(files / "addresses", (f"/api/resolve/{PREFIX}{n}@{DOMAIN}" for n in range(1, accounts, steps))),
            _lines(files / "tokens", (f"/provisioning/{token}" for token in _tokens(admin))),
            flexid.caller().with_key(keys[0]),
            _session(flexid),
        )


def _seed(flexid: Flexid, file: Path, accounts: int) -> None:
    entry = {
        "type": "range",
        "id": "%id%",
        "username": f"{PREFIX}%usernamePostfix%",
        "domain": DOMAIN,
        "iteration": accounts,
        "idStart": FIRST_ID,
        "usernameStart": 1,
        "passwords": [{"hash": HA1, "algorithm": "SHA-256"}],
    }
    file.write_text(json.dumps([entry]))
    flexid.command("accounts", "seed", str(file))
    # Autovacuum would come by itself, within a minute, and in the middle of a row.
    connection = psycopg2.connect(flexid.dsn())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    connection.close()


def _user_key(admin: Caller, nobody: Caller, username: str) -> str:
    account = {"username": username, "password": PASSWORD, "activated": True}
    assert admin.post("/api/accounts", account).status == 200
    path, sender = "/api/accounts/me/api_key", f"sip:{username}@{DOMAIN}"
    challenge = nobody.get(path, From=sender).headers["WWW-Authenticate"]
    answer = nobody.get(path, From=sender, Authorization=digest_answer(challenge, username, PASSWORD, "GET", path))
    assert answer.status == 200, answer.text
    return answer.text


def _session(flexid: Flexid) -> str:
    session_id = "measured-" + "x" * 34
    connection = psycopg2.connect(flexid.dsn())
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sessions (id_hash, domain, account_id)"
            " SELECT %s, domain, id FROM accounts WHERE username = %s",
            (hashlib.sha256(session_id.encode()).digest(), "holder-0"),
        )
    connection.close()
    return f"session={session_id}"


def _tokens(admin: Caller) -> Iterator[str]:
    path: str | None = f"/api/accounts?per_page={PER_PAGE}"
    while path:
        page = admin.get(path).json
        yield from (account["provisioning_token"] for account in page["data"] if account["provisioning_token"])
        path = page["next_page_url"] and page["next_page_url"].partition(admin.authority)[2]


def _lines(file: Path, lines: Iterator[str] | list[str]) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines))
    return file
