from __future__ import annotations

import re
from html import unescape

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.web import Reply

from flexid.services.account_filters import KEPT_SECONDS

HOSTILE = '"><script>alert(1)</script>'


def _many(app: Application, count: int) -> None:
    app.sql(
        "INSERT INTO accounts (username, domain, email, phone, activated, updated_at)"
        " SELECT 'user' || lpad(n::text, 3, '0'), %s, 'mail' || 1000 - n || '@example.org', NULL, true,"
        " '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, %s) n",
        TENANT,
        count,
    )


def _names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return re.findall(r'<a class="sip" href="/admin/accounts/\d+">([^<]*)', reply.text)


def _results(reply: Reply) -> str:
    return reply.text.partition('id="results"')[2].partition("</main>")[0]


def _head(reply: Reply, word: str) -> str:
    found = re.search(rf'<a href="([^"]*)">{word}', reply.text)
    assert found, word
    return unescape(found[1])


@ensureDeferred
async def test_the_list_shows_accounts_by_name_twenty_a_page(app: Application) -> None:
    chief = await app.chief()
    _many(app, 43)
    first = await chief.open("/admin/accounts")
    assert _names(first) == ["admin", "chief", *(f"user{n:03}" for n in range(1, 19))]
    assert "1 to 20 of 45" in first.text
    assert "45 accounts" in first.text
    second = await chief.open(unescape(re.findall(r'href="([^"]*)"[^>]*rel="next"', first.text)[0]))
    assert _names(second) == [f"user{n:03}" for n in range(19, 39)]
    assert "21 to 40 of 45" in second.text
    assert _names(await chief.open("/admin/accounts?page=999")) == [f"user{n:03}" for n in range(39, 44)]


@ensureDeferred
async def test_the_head_tells_how_many_there_may_be(app: Application) -> None:
    chief = await app.chief()
    await app.change("UPDATE spaces SET max_accounts = 15000 WHERE domain = %s", TENANT)
    assert "2 of at most 15,000" in (await chief.open("/admin/accounts")).text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=lea", ["lea"]),
        ("q=FONTAINE", ["lea"]),
        ("q=06+12+34", ["lea"]),
        ("q=bob%40example", ["bob"]),
        ("role=admin", ["admin", "chief"]),
        ("role=user&status=active", ["lea"]),
        ("status=inactive", ["carl"]),
        ("status=blocked", ["bob"]),
        ("updated_on=2026-05-01", ["carl"]),
        ("q=example&status=blocked&sort=email&order=desc", ["bob"]),
        ("q=nobody", []),
    ],
)
@ensureDeferred
async def test_a_search_and_filters_leave_what_matches(app: Application, query: str, found: list[str]) -> None:
    chief = await app.chief()
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("lea", display_name="Léa Fontaine", phone="+33612345678", email="lea@example.org")
    await app.has_account("bob", email="bob@example.org")
    await app.has_account("carl", activated=False)
    app.sql("UPDATE accounts SET blocked = true WHERE username = 'bob'")
    app.sql("UPDATE accounts SET updated_at = '2026-05-01 13:00Z' WHERE username = 'carl'")
    reply = await chief.open(f"/admin/accounts?{query}")
    assert _names(reply) == found
    assert ("No account matches" in reply.text) == (not found)


@ensureDeferred
async def test_heads_sort_and_turn_the_order_round_and_keep_the_search(app: Application) -> None:
    chief = await app.chief()
    _many(app, 3)
    reply = await chief.open("/admin/accounts?q=user")
    assert 'aria-sort="ascending"' in reply.text
    by_mail = await chief.open(_head(reply, "Email"))
    assert _names(by_mail) == ["user003", "user002", "user001"]
    turned = await chief.open(_head(by_mail, "Email"))
    assert _names(turned) == ["user001", "user002", "user003"]
    assert 'aria-sort="descending"' in turned.text
    assert 'value="user"' in turned.text
    assert '<input type="hidden" name="sort" value="email">' in turned.text
    changed = await chief.open(_head(turned, "Last change"))
    assert _names(changed) == ["user001", "user002", "user003"]


@ensureDeferred
async def test_pages_keep_the_search_and_the_filters(app: Application) -> None:
    chief = await app.chief()
    _many(app, 25)
    reply = await chief.open("/admin/accounts?q=user&status=active&sort=username&order=desc")
    following = unescape(re.findall(r'href="([^"]*)"[^>]*rel="next"', reply.text)[0])
    assert _names(await chief.open(following)) == [f"user{n:03}" for n in range(5, 0, -1)]


@pytest.mark.parametrize(
    "query",
    [
        "page=abc", "page=-1", "page=999999999999999999999", "sort=evil", "order=up", "role=king", "status=dead",
        "updated_on=2026-99-99", "contacts_list=99999999999999999999", "contacts_list=x", "per_page=5000", "q=%00%ff",
        "q=" + "x" * 3000, "q=%25_%5C", "q=%27%3B+DROP+TABLE+accounts", "sort=&order=&q=&page=", "q=a&q=b", "unknown=1",
    ],
)  # fmt: skip
@ensureDeferred
async def test_nonsense_in_the_query_breaks_nothing(app: Application, query: str) -> None:
    chief = await app.chief()
    assert (await chief.open(f"/admin/accounts?{query}")).status == 200


@ensureDeferred
async def test_an_administrator_sees_its_own_space_only(app: Application) -> None:
    chief = await app.chief()
    own = await chief.open(f"/admin/accounts?domain={TENANT}")
    assert _names(own) == ["admin", "chief"]
    assert SUPER not in _results(own)
    assert 'name="domain"' not in own.text
    for domain in (SUPER, "*", "nowhere.example"):
        assert (await chief.open(f"/admin/accounts?domain={domain}")).status == 404


@ensureDeferred
async def test_a_super_administrator_sees_the_space_of_the_host_any_other_or_all(app: Application) -> None:
    boss = await app.boss()
    assert _names(await boss.open("/admin/accounts")) == ["admin"]
    other = await boss.open(f"/admin/accounts?domain={SUPER}")
    assert _names(other) == ["admin", "boss"]
    assert f'href="/admin/accounts/create?domain={SUPER}"' in other.text
    everywhere = await boss.open("/admin/accounts?domain=*&sort=email")
    assert sorted(_names(everywhere)) == ["admin", "admin", "boss"]
    assert f"@{SUPER}" in _results(everywhere)
    assert "sort=email" not in _results(everywhere)
    assert (await boss.open("/admin/accounts?domain=nowhere.example")).status == 404


@ensureDeferred
async def test_an_empty_space_says_what_to_do(app: Application) -> None:
    boss = await app.boss()
    app.sql("DELETE FROM accounts WHERE domain = %s", TENANT)
    reply = await boss.open("/admin/accounts")
    assert "No accounts yet" in reply.text
    assert '/admin/accounts/create"' in _results(reply)


@ensureDeferred
async def test_contacts_lists_are_offered_where_there_are_any(app: Application) -> None:
    chief = await app.chief()
    assert 'name="contacts_list"' not in (await chief.open("/admin/accounts")).text
    (row,) = app.sql(
        "INSERT INTO contacts_lists (space_id, title, description)"
        " SELECT id, %s, '' FROM spaces WHERE domain = %s RETURNING id",
        HOSTILE,
        TENANT,
    )
    alice = await app.has_account("alice")
    app.sql("INSERT INTO contacts_list_contact (contacts_list_id, contact_id) VALUES (%s, %s)", row["id"], alice["id"])
    app.ahead.seconds += KEPT_SECONDS
    reply = await chief.open(f"/admin/accounts?contacts_list={row['id']}")
    assert _names(reply) == ["alice"]
    assert f'<option value="{row["id"]}" selected>&#34;&gt;&lt;script&gt;' in reply.text
    assert "<script>alert" not in reply.text


@ensureDeferred
async def test_whatever_is_searched_for_or_found_is_shown_as_text(app: Application) -> None:
    chief = await app.chief()
    await app.has_account("alice", display_name=HOSTILE)
    app.sql("UPDATE accounts SET email = %s, phone = %s WHERE username = 'alice'", HOSTILE, HOSTILE)
    written = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    for query in (f"q={written}", f"q=x{written}", f"q=alice&sort={written}&order={written}&updated_on={written}"):
        reply = await chief.open(f"/admin/accounts?{query}")
        assert reply.status == 200
        assert "&lt;script&gt;" in reply.text
        assert "<script>alert" not in reply.text
    assert (await chief.open(f"/admin/accounts?domain={written}")).status == 404


@ensureDeferred
async def test_a_page_of_the_list_costs_at_most_three_statements_while_somebody_types(
    app: Application, asked: list[str]
) -> None:
    boss = await app.boss()
    _many(app, 100)
    await boss.open("/admin/accounts")
    for query in (
        "",
        "q=u",
        "q=user0",
        "q=mail+900",
        "page=3",
        "sort=email",
        "q=us&role=user&status=active&sort=phone",
    ):
        asked.clear()
        assert (await boss.open(f"/admin/accounts?{query}")).status == 200
        assert len(asked) <= 3, (query, asked)
        assert asked[0] == "find a session"
