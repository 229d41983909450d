"""`python -m bench --million`: what the list of accounts and its neighbours take when there are a million of them."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2
from attrs import asdict, field, frozen
from support.flexid_process import ADDRESS, Flexid, running

ACCOUNTS = 1_000_000
SPACES = 100
"""Among which as many accounts again are divided, beside the Space that has a million."""
BIG, SMALL = "localhost", "s42.localhost"
REPEATED = 15
PAGE_FACTOR, MOST_MS = 3.0, 150.0
USERNAME, PASSWORD = "million", "a_password"
SECRET = re.compile(r'name="csrf_token" value="([^"]*)"')

FILL = """
    INSERT INTO accounts (username, domain, email, phone, display_name, activated, admin, blocked, updated_at)
    SELECT
        CASE n % 4
            WHEN 0 THEN lower(first || '.' || last) || n
            WHEN 1 THEN lower(left(first, 1) || last) || n
            WHEN 2 THEN 'user_' || n
            ELSE lpad((n * 7919 % 10000000)::text, 7, '0') END,
        {domain},
        CASE WHEN n % 10 < 8 THEN lower(first || '.' || last) || '.' || n || '@' || CASE
            WHEN n BETWEEN 600000 AND 699999 THEN 'acme.example.com'
            WHEN n % 10 < 5 THEN 'example.org'
            ELSE (ARRAY['mail.example.net', 'post.example.fr', 'box.example.de'])[n % 3 + 1] END END,
        CASE WHEN n % 10 < 6 THEN '+336' || lpad(n::text, 8, '0') END,
        CASE WHEN n % 10 < 9 THEN first || ' ' || last END,
        n % 20 <> 0, n % 50000 = 0, n % 1009 = 0, now() - (n * 7919 % 1000000) * interval '1 minute'
    FROM (
        SELECT n, firsts[(n * 7919 / 31) % 26 + 1] AS first,
            initcap(a[n * 31 % 12 + 1] || b[n / 12 * 17 % 12 + 1] || c[n / 144 * 13 % 12 + 1]) AS last
        FROM generate_series(1::bigint, {accounts}) n, (
            SELECT
                '{{Alice,Bob,Charles,Diane,Émile,Fatou,Gérard,Hélène,Ines,Jean,Karim,Louise,Martin,Nadia,Olivier,Paul,
                Quentin,Rose,Sami,Thérèse,Ursula,Victor,Wei,Xavier,Yasmine,Zoé}}'::text[] AS firsts,
                '{{ber,mar,du,le,ro,gi,pe,sal,vi,mo,lam,fon}}'::text[] AS a,
                '{{nar,tin,pon,roy,ger,rar,ti,va,cen,reau,bert,taine}}'::text[] AS b,
                '{{d,t,s,ier,eau,ot,in,elle,ez,ski,son,ier}}'::text[] AS c
        ) AS parts
    ) AS named
"""
"""Names, addresses and numbers of all kinds; a tenth of the addresses stand together at one company."""
ONE = f"""
    SELECT username, email, phone FROM accounts WHERE domain = '{BIG}' AND phone LIKE '+33600%'
        AND username LIKE 'user%' AND email ~ '^[a-z0-9.]+@example.org$' ORDER BY phone DESC LIMIT 1
"""

SORTS = ("id", "username", "email", "phone", "status", "updated_at")
PAGES = {"first": 1, "500th": 500, "middle": 25_000, "last": 50_000}
FAR = 999_999
FILTERS = {
    "blocked": {"status": "blocked"},
    "active": {"status": "active"},
    "administrators": {"role": "admin"},
    "users": {"role": "user"},
    "of a day": {"updated_on": f"{datetime.now(UTC) - timedelta(days=100):%Y-%m-%d}"},
    "inactive alice": {"status": "inactive", "q": "alice"},
    "blocked example.org": {"status": "blocked", "q": "example.org"},
}
Rows = dict[str, str]
"""Paths by what they are called; the first is what the others are compared with."""


@frozen
class Timed:
    """A request, and what it took."""

    name: str
    best_ms: float
    """What is left of it when nothing else runs on the machine at that moment."""
    median_ms: float
    worst_ms: float
    factor: float
    """The best, in times that of the first row of its group."""


@frozen
class Person:
    """Somebody who asks for one thing after the other on one connection."""

    connection: HTTPConnection
    headers: dict[str, str] = field(factory=dict)

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[float, str]:
        """Return how many milliseconds an answer took, and the answer."""
        began = time.perf_counter()
        self.connection.request(method, path, body, {**self.headers, **headers})
        response = self.connection.getresponse()
        text = response.read().decode()
        took = 1000 * (time.perf_counter() - began)
        assert response.status < 400, (path, response.status, text[:500])
        self._remember(response.headers.get_all("Set-Cookie") or [])
        return took, text

    def sign_in(self) -> None:
        """Sign in on the portal."""
        _, form = self.ask("/login")
        secret = SECRET.search(form)
        assert secret
        fields = urlencode({"csrf_token": secret[1], "username": USERNAME, "password": PASSWORD})
        self.ask("/login", "POST", fields, **{"Content-Type": "application/x-www-form-urlencoded"})

    def time(self, rows: Rows) -> Iterator[Timed]:
        """Measure paths by their names; the first is what the others are compared with."""
        first = 0.0
        self.connection.close()  # it is opened again; flexid has closed it meanwhile
        for name, path in rows.items():
            self.ask(path)
            times = [self.ask(path)[0] for _ in range(REPEATED)]
            best = min(times)
            first = first or best
            timed = Timed(name, best, statistics.median(times), max(times), best / first)
            _say(_row(timed))
            yield timed

    def _remember(self, cookies: list[str]) -> None:
        jar = SimpleCookie(self.headers.get("Cookie", ""))
        for cookie in cookies:
            jar.load(cookie)
        if cookies:
            self.headers["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


def measure(results: Path) -> None:
    """Fill, measure, print tables, and write JSON."""
    with running(throttling_factor="1000000") as flexid:
        flexid.command("accounts", "create-admin", "-u", USERNAME, "-p", PASSWORD, "--json")
        key = flexid.create_admin("key-holder").headers["x-api-key"]
        host = {"Host": f"{BIG}:{flexid.port}"}
        api = Person(HTTPConnection(ADDRESS, flexid.port), {**host, "x-api-key": key})
        portal = Person(HTTPConnection(ADDRESS, flexid.port), {**host, "Accept": "text/html"})
        portal.sign_in()
        timed = [*_measured(flexid, api, portal)]
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps([asdict(row) for row in timed], indent=2) + "\n")


def _measured(flexid: Flexid, api: Person, portal: Person) -> Iterator[Timed]:
    seconds = _fill(flexid, f"'{BIG}'")
    username, email, phone = _sql(flexid, ONE)[0]
    texts = {
        "a letter": "a",
        "half of all": "example.org",
        "a twelfth, all behind": "acme.example",
        "a first name": "alice",
        "a last name": "fonnard",
        "both": "alice fonnard",
        "an email": email,
        "a phone number": f"0{phone[3]} {phone[4:8]} {phone[8:]}",
        "a SIP address": f"sip:{username}@{BIG}",
        "nothing": "zzzzzz",
    }
    _say(f"\n{ACCOUNTS} accounts in one Space, filled in {seconds:.0f} s: API")
    pages = {f"GET /api/accounts?page={page}": f"/api/accounts?page={page}" for page in (1, 5_000, 25_000, 50_000)}
    found = {
        "GET /api/accounts/{email}/search-by-email": f"/api/accounts/{quote(email)}/search-by-email",
        "GET /api/resolve/{sip}": f"/api/resolve/{quote(username)}@{BIG}",
    }
    yield from api.time(pages | found)
    _say("\nThe portal's list of that Space")
    yield from portal.time(_list_of_large(texts))
    _fill(flexid, f"'s' || n % {SPACES} || '.{BIG}'")
    _say(f"\nAs many accounts more, in {SPACES} other Spaces: the portal's list of one of these")
    yield from portal.time(_list_of_small(texts))
    _say("\nThe portal's list of every Space")
    yield from portal.time(_list_of_every(texts))


def _list_of_large(texts: dict[str, str]) -> Rows:
    rows = {"page 1": _list()}
    for sort in SORTS:
        rows |= {f"by {sort}, {name} page": _list(sort=sort, page=page) for name, page in PAGES.items()}
        rows[f"by {sort} descending, last page"] = _list(sort=sort, order="desc", page=FAR)
    for name, text in texts.items():
        rows |= {f"{name}, by {sort}": _list(q=text, sort=sort) for sort in ("id", "email")}
        rows[f"{name}, last page"] = _list(q=text, sort="username", page=FAR)
    for name, query in FILTERS.items():
        rows |= {f"{name}, by {sort}": _list(**query, sort=sort) for sort in ("id", "email", "updated_at")}
        rows[f"{name}, last page"] = _list(**query, sort="phone", page=FAR)
    return rows


def _list_of_small(texts: dict[str, str]) -> Rows:
    rows = {"page 1": _list(domain=SMALL)}
    rows |= {f"by {sort}, last page": _list(domain=SMALL, sort=sort, page=FAR) for sort in SORTS}
    rows |= {f"{name}, by email": _list(domain=SMALL, q=text, sort="email") for name, text in texts.items()}
    for name, query in FILTERS.items():
        rows[f"{name}, last page"] = _list(domain=SMALL, **query, sort="email", page=FAR)
    return rows


def _list_of_every(texts: dict[str, str]) -> Rows:
    rows = {"page 1": _list(domain="*")}
    rows |= {f"by id, {name} page": _list(domain="*", page=2 * page) for name, page in PAGES.items()}
    rows["by username, 500th page"] = _list(domain="*", sort="username", page=500)
    rows |= {f"{name}, by username": _list(domain="*", q=text, sort="username") for name, text in texts.items()}
    return rows | {f"{name}, last page": _list(domain="*", **query, page=FAR) for name, query in FILTERS.items()}


def _list(**query: str | int) -> str:
    return f"/admin/accounts?{urlencode({'sort': 'id', **query})}"


def _fill(flexid: Flexid, domain: str) -> float:
    """Write the accounts, and return in how many seconds."""
    began = time.monotonic()
    spaces = "INSERT INTO spaces (domain, host, name, unique_email) SELECT d, d, d, false FROM (SELECT {} AS d"
    every = f"{spaces.format(domain)} FROM generate_series(0, {SPACES - 1}) n) AS made ON CONFLICT DO NOTHING"
    _sql(flexid, f"UPDATE spaces SET unique_email = false; {every}")
    _sql(flexid, FILL.format(domain=domain, accounts=ACCOUNTS))
    seconds = time.monotonic() - began
    # As autovacuum does within a minute.
    _sql(flexid, "VACUUM ANALYZE")
    return seconds


def _sql(flexid: Flexid, statement: str) -> list[tuple[str, ...]]:
    connection = psycopg2.connect(flexid.dsn())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def _row(timed: Timed) -> str:
    verdict = "" if timed.factor <= PAGE_FACTOR else "above"
    slow = "  slow!" if timed.median_ms > MOST_MS else ""
    times = f"{timed.best_ms:>8.1f}{timed.median_ms:>8.1f}{timed.worst_ms:>8.1f} ms"
    return f"{timed.name:<46}{times}{timed.factor:>7.1f}  {verdict}{slow}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
