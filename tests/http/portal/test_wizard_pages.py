"""The page that opens Linphone."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, TENANT_HOST, Application, at_once
from support.web import Reply

BOB = "sip:bob@sip.example.com"
HEADER = {"x_linphone_provisioning": "1"}
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)"


async def _made(app: Application, **body: Any) -> str:
    reply = await app.admin.post("/api/wizard", body)
    assert reply.status == 201, reply.text
    return f"/wizard/{reply.json['token']}"


def _link(reply: Reply) -> tuple[str, dict[str, str]]:
    """Return what the key of a page opens: the address, and the parameters."""
    assert reply.status == 200, reply.text
    (href,) = re.findall(r'<a class="button primary wide" href="sip-linphone:([^"]*)"', reply.text)
    address, _, query = unescape(href).partition("?")
    return address, dict(parse_qsl(query))


def _offers_nothing(reply: Reply) -> bool:
    return _link(reply) == ("", {}) and "already" in reply.text and 'method="post" action="/wizard' not in reply.text


@ensureDeferred
async def test_a_link_hands_out_one_provisioning_token_until_that_is_redeemed(app: Application) -> None:
    alice = await app.has_account("alice", activated=False)
    path = await _made(app, provisioning_account_id=alice["id"], sip=BOB, linphone_action="call", linphone_use_sips=1)
    visitor = app.visitor()
    replies = [await visitor.open(path) for _ in range(3)]
    replies.append(await app.visitor().open(path, User_Agent=ANDROID))
    await app.nobody.ask("HEAD", path)
    url = f"http://{TENANT_HOST}/provisioning/{alice['provisioning_token']}"
    parameters = {"linphone-fetch-config": url, "linphone-action": "call", "linphone-use-sips": "1"}
    for reply in replies:
        assert _link(reply) == ("bob@sip.example.com", parameters)
        assert f"alice<wbr><span>@{TENANT}" in reply.text
    assert (await app.nobody.get(url.partition(TENANT_HOST)[2], **HEADER)).status == 200
    assert _offers_nothing(await visitor.open(path))
    fresh = (await app.admin.get(f"/api/accounts/{alice['id']}/provision")).json["provisioning_token"]
    after = await visitor.open(path)
    assert _offers_nothing(after)
    assert fresh not in after.text


@ensureDeferred
async def test_an_account_without_a_code_gets_one_at_the_first_visit_and_only_then(app: Application) -> None:
    alice = await app.has_account("alice")
    assert (await app.nobody.get(f"/provisioning/{alice['provisioning_token']}", **HEADER)).status == 200
    path = await _made(app, provisioning_account_id=alice["id"])
    replies = await at_once(*(app.visitor().open(path) for _ in range(10)))
    links = {_link(reply)[1]["linphone-fetch-config"] for reply in replies}
    assert len(links) == 1
    current = (await app.admin.get(f"/api/accounts/{alice['id']}")).json["provisioning_token"]
    assert links == {f"http://{TENANT_HOST}/provisioning/{current}"}


@ensureDeferred
async def test_a_code_that_is_renewed_ends_the_links_that_handed_it_out(app: Application) -> None:
    alice = await app.has_account("alice")
    path = await _made(app, provisioning_account_id=alice["id"])
    visitor = app.visitor()
    await visitor.open(path)
    fresh = (await app.admin.get(f"/api/accounts/{alice['id']}/provision")).json["provisioning_token"]
    reply = await visitor.open(path)
    assert _offers_nothing(reply)
    assert fresh not in reply.text


@pytest.mark.parametrize("settings", [{"lifetimes": {"provisioning_token": 10}}])
@ensureDeferred
async def test_a_code_that_is_too_old_is_not_handed_out(app: Application) -> None:
    alice = await app.has_account("alice")
    first, second = [await _made(app, provisioning_account_id=alice["id"]) for _ in range(2)]
    visitor = app.visitor()
    assert alice["provisioning_token"] in (await visitor.open(first)).text
    app.sql("UPDATE provisioning_tokens SET created_at = created_at - interval '11 minutes'")
    assert _offers_nothing(await visitor.open(first))
    reply = await visitor.open(second)
    assert alice["provisioning_token"] not in reply.text
    assert "linphone-fetch-config" in _link(reply)[1]


@ensureDeferred
async def test_a_blocked_account_is_offered_to_nobody(app: Application) -> None:
    alice = await app.has_account("alice")
    path = await _made(app, provisioning_account_id=alice["id"])
    await app.admin.post(f"/api/accounts/{alice['id']}/block")
    reply = await app.visitor().open(path)
    assert _offers_nothing(reply)
    assert alice["provisioning_token"] not in reply.text


@ensureDeferred
async def test_without_an_account_pressing_the_button_uses_the_link_up_and_looking_does_not(app: Application) -> None:
    path = await _made(app, sip=BOB, linphone_action="call")
    visitor = app.visitor()
    for _ in range(3):
        shown = await visitor.open(path)
        assert f'method="post" action="{path}"' in shown.text
        assert "sip-linphone:" not in shown.text
    pressed = await visitor.submit(path)
    assert _link(pressed) == ("bob@sip.example.com", {"linphone-action": "call"})
    refresh = 'http-equiv="refresh" content="0; url=sip-linphone:bob@sip.example.com?linphone-action=call"'
    assert refresh in pressed.text
    await visitor.open("/login")
    again = await visitor.submit(path)
    assert _offers_nothing(again)
    assert "http-equiv" not in again.text
    assert _offers_nothing(await visitor.open(path))


@ensureDeferred
async def test_of_many_who_press_at_once_one_gets_through(app: Application) -> None:
    path = await _made(app, linphone_action="show")
    visitors = [app.visitor() for _ in range(6)]
    for visitor in visitors:
        await visitor.open(path)
    replies = await at_once(*(visitor.submit(path) for visitor in visitors))
    assert [_offers_nothing(reply) for reply in replies].count(False) == 1


@ensureDeferred
async def test_pressing_without_the_page_s_secret_does_nothing(app: Application) -> None:
    path = await _made(app, linphone_action="show")
    visitor = app.visitor()
    await visitor.open(path)
    visitor.csrf_token = "0" * 32
    assert (await visitor.submit(path)).status == 403
    assert app.sql("SELECT used_at FROM wizards") == [{"used_at": None}]


@ensureDeferred
async def test_pressing_a_link_with_an_account_does_not_use_it_up(app: Application) -> None:
    alice = await app.has_account("alice")
    path = await _made(app, provisioning_account_id=alice["id"])
    visitor = app.visitor()
    await visitor.open("/login")
    assert _offers_nothing(await visitor.submit(path))
    assert "linphone-fetch-config" in _link(await visitor.open(path))[1]


@ensureDeferred
async def test_the_link_of_an_account_works_on_its_own_space_s_host_only(app: Application) -> None:
    alice = await app.has_account("alice")
    path = await _made(app, provisioning_account_id=alice["id"])
    elsewhere = await app.visitor("localhost").open(path)
    assert _offers_nothing(elsewhere)
    assert "alice" not in elsewhere.text
    assert "linphone-fetch-config" in _link(await app.visitor().open(path))[1]


@ensureDeferred
async def test_an_unknown_link_shows_the_page_without_account_or_action(app: Application) -> None:
    for token in ("unknown1", "x" * 300, quote('"><script>alert(1)<')):
        reply = await app.visitor().open(f"/wizard/{token}")
        assert _offers_nothing(reply)
        assert "<script>alert" not in reply.text


@pytest.mark.parametrize(
    ("query", "link"),
    [
        ("", ("", {})),
        ("?sip=bob@sip.example.com", ("bob@sip.example.com", {})),
        (
            f"?sip={quote(BOB)}&linphone-action=call&linphone-use-sips",
            ("bob@sip.example.com", {"linphone-action": "call", "linphone-use-sips": "1"}),
        ),
        ("?sip=bob&linphone-action=dance&linphone-use-sips=perhaps", ("", {})),
        (
            f"?sip={quote(chr(34) + '><script>alert(1)</script>')}@a.org&linphone-action=show",
            ("", {"linphone-action": "show"}),
        ),
        ("?linphone-fetch-config=https://evil.example/", ("", {})),
    ],
)
@ensureDeferred
async def test_without_a_token_the_query_counts_as_far_as_it_is_valid(
    app: Application, query: str, link: tuple[str, dict[str, str]]
) -> None:
    reply = await app.visitor().open(f"/wizard{query}")
    assert _link(reply) == link
    assert "<script>alert" not in reply.text


@ensureDeferred
async def test_phones_are_shown_their_store_and_desktops_a_code(app: Application) -> None:
    alice = await app.has_account("alice")
    path = await _made(app, provisioning_account_id=alice["id"])
    visitor = app.visitor()
    for user_agent, store, has_code in (
        (ANDROID, "https://play.google.com/", False),
        (IPHONE, "https://apps.apple.com/", False),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/130", "https://www.linphone.org/", True),
    ):
        reply = await visitor.open(path, User_Agent=user_agent)
        assert f'href="{store}' in reply.text
        assert ("qr-paper" in reply.text) == has_code
    code = f"/provisioning/qrcode/{alice['provisioning_token']}"
    assert f'src="{code}"' in reply.text
    picture = await visitor.open(code)
    assert (picture.status, picture.headers["X-Qrcode-URL"]) == (
        200,
        f"http://{TENANT_HOST}/provisioning/{alice['provisioning_token']}",
    )


@pytest.mark.parametrize("path", ["/wizard?sip=bob@sip.example.com&linphone-action=call", "/wizard/{made}"])
@ensureDeferred
async def test_a_code_without_an_account_leads_to_the_page_itself(app: Application, path: str) -> None:
    path = await _made(app, sip=BOB, linphone_action="call") if "{made}" in path else path
    visitor = app.visitor()
    source = unescape(re.findall(r'<img class="qr-paper" src="([^"]*)"', (await visitor.open(path)).text)[0])
    picture = await visitor.open(source)
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/svg+xml")


@ensureDeferred
async def test_the_wizard_is_explained(app: Application) -> None:
    reply = await app.visitor().open("/wizard/documentation")
    assert reply.status == 200
    for word in ("provisioning_account_id", "linphone_action", f"http://{TENANT_HOST}/wizard/{{token}}"):
        assert word in reply.text
