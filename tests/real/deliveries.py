"""What was promised to others arrives, whatever is killed meanwhile; `python -m real.deliveries` for a long while.

PYTHONPATH=tests .venv/bin/python -m real.deliveries --kills 100 --outage 60
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
from attrs import define, field, frozen
from support import redis_server
from support.flexid_process import Caller, Flexid, running, wait_until
from support.redis_server import RedisServer
from support.smtp_server import SmtpServer, serving

B2BUA = "flexisip/B2BUA/account"
LONGEST_LIFE = 1.5
"""Seconds after an answer within which death comes."""
PATIENCE = 120.0


@define
class Hooked:
    """Takes webhooks, in threads of its own; accounts by the number of times that it heard of their creation."""

    heard: Counter[str] = field(factory=Counter)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        hooked = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hooked.heard[event["data"]["username"]] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.server_port}/"

    def stop(self) -> None:
        assert self._server
        self._server.shutdown()
        self._server.server_close()


@define
class Outside:
    """A flexid, and everybody whom it owes something."""

    flexid: Flexid
    admin: Caller
    smtp: SmtpServer
    hooked: Hooked
    redis: RedisServer

    def promise(self, name: str) -> None:
        """Let something be owed to each of them: an account, a mail to it, and a notice for Flexisip's B2BUA."""
        account = {"username": name, "password": "the_password", "email": f"{name}@example.org"}
        made = self.admin.post("/api/accounts", account)
        assert made.status == 200, made.text
        path = f"/api/accounts/{made.json['id']}"
        assert self.admin.post(f"{path}/send_provisioning_email", {}).status == 200
        carrier = {"username": name, "domain": "sip.carrier.example", "protocol": "TLS", "password": "carrier"}
        assert self.admin.post(f"{path}/external", carrier).status in {200, 201}

    def mailed(self) -> Counter[str]:
        """Return who got mails, and how many."""
        return Counter(received.recipient.partition("@")[0] for received in tuple(self.smtp.received))

    def settle(self, *, impatient: bool) -> None:
        """Wait until nothing waits to be delivered; who is impatient lets nothing wait for its next attempt."""

        def is_settled() -> bool:
            if impatient:
                self.sql("UPDATE outbox SET next_attempt_at = now() WHERE state = 'waiting' AND attempts > 0")
                time.sleep(1)
            return self.waiting() == 0

        wait_until(is_settled, lambda: f"{self.waiting()} still wait:\n{self.flexid.log_tail()}", PATIENCE)

    def waiting(self) -> int:
        """Return how much waits to be delivered."""
        return self.sql("SELECT count(*) FROM outbox WHERE state = 'waiting'")

    def sql(self, statement: str) -> int:
        connection = psycopg2.connect(self.flexid.dsn())
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                row = cursor.fetchone() if cursor.description else None
                return int(row[0]) if row else 0
        finally:
            connection.close()


@frozen
class Figures:
    """What came of it, by channel: how much was promised, came once or more, and came more than once."""

    promised: int
    arrived: dict[str, int]
    doubled: dict[str, int]
    seconds: float

    @property
    def lost(self) -> dict[str, int]:
        """How much never came."""
        return {channel: self.promised - count for channel, count in self.arrived.items()}


@contextmanager
def outside() -> Iterator[Outside]:
    """Bring up a flexid with a mail server, a Redis and a receiver of webhooks."""
    hooked = Hooked()
    hooked.start()
    try:
        with (
            serving(SmtpServer()) as smtp,
            redis_server.running() as redis,
            running(
                mail_url=smtp.url("none"),
                mail_timeout="5",
                redis_url=redis.url,
                outbound_allow_private="true",
                outbound_allow_http="true",
                throttling_factor="1000",
            ) as flexid,
        ):
            admin = flexid.create_admin("tester")
            hook = {"url": hooked.url, "events": ["account.created"]}
            assert admin.post("/api/webhooks", hook).status == 201
            yield Outside(flexid, admin, smtp, hooked, redis)
    finally:
        hooked.stop()


def die_again_and_again(town: Outside, kills: int, *, impatient: bool) -> Figures:
    """Promise something and die, so many times; return what came in the end."""
    began = time.monotonic()
    names = [f"promised-{number}" for number in range(kills)]
    with town.redis.heard(B2BUA) as published:
        for name in names:
            town.promise(name)
            time.sleep(random.uniform(0, LONGEST_LIFE))  # noqa: S311  # no secret
            town.flexid.kill()
            town.flexid.start()
        town.settle(impatient=impatient)
    told = Counter(json.loads(text)["username"] for _, text in published)
    came = {"mail": town.mailed(), "webhook": Counter(town.hooked.heard), "b2bua": told}
    return Figures(
        kills,
        {channel: len(counts.keys() & set(names)) for channel, counts in came.items()},
        {channel: sum(counts[name] > 1 for name in names) for channel, counts in came.items()},
        time.monotonic() - began,
    )


@frozen
class Outage:
    """How requests fared while the mail server was away, in milliseconds, and what became of their mails."""

    before: list[float]
    during: list[float]
    missing: set[str]
    seconds: float
    """From its return until all was delivered."""

    @staticmethod
    def median(times: list[float]) -> float:
        return sorted(times)[len(times) // 2]


def lose_the_mail_server(town: Outside, seconds: float, *, impatient: bool) -> Outage:
    """Take the mail server away for a while, during which mails are asked for; who is impatient asks again at once."""
    account = {"username": "constant", "password": "the_password", "email": "constant@example.org"}
    path = f"/api/accounts/{town.admin.post('/api/accounts', account).json['id']}"

    def ask() -> float:
        began = time.monotonic()
        assert town.admin.post(f"{path}/send_reset_password_email", {}).status == 200
        took = time.monotonic() - began
        time.sleep(0.02)
        return took * 1000

    before = _as_long(ask, min(seconds, 10))
    town.smtp.stop()
    during = _as_long(ask, seconds)
    town.smtp.start()
    back = time.monotonic()
    town.settle(impatient=impatient)
    count = town.mailed()["constant"]
    missing = {"constant"} if count < len(before) + len(during) else set()
    return Outage(before, during, missing, time.monotonic() - back)


def _as_long(ask: object, seconds: float) -> list[float]:
    end = time.monotonic() + seconds
    times: list[float] = []
    while time.monotonic() < end:
        times.append(ask())  # type: ignore[operator]  # a function without arguments
    return times


def main() -> None:
    """Do it for a long while, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--outage", type=float, default=60.0)
    options = parser.parse_args()
    with outside() as town:
        figures = die_again_and_again(town, options.kills, impatient=False)
        print(f"{figures.promised} deaths in {figures.seconds:.0f} s")  # noqa: T201  # whoever runs it reads it
        print(f"arrived {figures.arrived}, lost {figures.lost}, twice or more {figures.doubled}")  # noqa: T201  # as above
        outage = lose_the_mail_server(town, options.outage, impatient=False)
        print(  # noqa: T201  # as above
            f"mail server away for {options.outage:.0f} s: requests {Outage.median(outage.before):.1f} ms before,"
            f" {Outage.median(outage.during):.1f} ms meanwhile ({len(outage.during)}),"
            f" all delivered {outage.seconds:.0f} s after, missing {len(outage.missing)}"
        )


if __name__ == "__main__":
    main()
