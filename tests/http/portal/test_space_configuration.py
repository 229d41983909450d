from __future__ import annotations

import io
import re

import psycopg2
import pytest
from PIL import Image
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.portal import HTML, Visitor
from support.web import Reply
from twisted.internet import defer, reactor
from twisted.internet.task import deferLater

PAGE = f"/admin/spaces/{TENANT}"
SCRIPT = '"><script>alert(1)</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
INI = """; for everybody
[misc]
version_check_url_root = "https://download.example.org"

[sip]
default_expires 3600
media_encryption = "zrtp
"""


def _png(width: int = 3) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGBA", (width, 2)).save(drawn, "PNG")
    return drawn.getvalue()


async def _chief(app: Application) -> Visitor:
    await app.has_account("chief", admin=True)
    visitor = await app.signed_in("chief")
    await visitor.open(f"{PAGE}/configuration")
    return visitor


async def _send(
    visitor: Visitor, fields: dict[str, str], logo: bytes | None = None, name: str = "logo.png", domain: str = TENANT
) -> Reply:
    """Send the form as browsers do: with a file, or with the place of one."""
    lines = []
    for key, value in {"csrf_token": visitor.csrf_token, "theme_hue": "22", **fields}.items():
        lines += [f'--form\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()]
    filename = name if logo is not None else ""
    lines += [f'--form\r\nContent-Disposition: form-data; name="logo"; filename="{filename}"\r\n'.encode()]
    lines += [b"Content-Type: image/png\r\n\r\n", logo or b"", b"\r\n--form--\r\n"]
    return await visitor.browser.ask(
        "POST", f"/admin/spaces/{domain}/configuration", b"".join(lines), Accept=HTML,
        Content_Type="multipart/form-data; boundary=form", **visitor._cookie(),
    )  # fmt: skip


def _row(app: Application, domain: str = TENANT) -> dict[str, object]:
    (row,) = app.sql("SELECT * FROM spaces WHERE domain = %s", domain)
    return row


def _logos(app: Application) -> list[dict[str, object]]:
    return app.sql("SELECT l.*, s.logo FROM space_logos l JOIN spaces s ON s.id = l.space_id")


@ensureDeferred
async def test_the_configuration_of_a_space_shows_wherever_it_counts(app: Application) -> None:
    visitor = await _chief(app)
    fields = {
        "theme_hue": "200", "copyright_text": "by us", "newsletter_registration_address": " news@example.org ",
        "intro_registration_text": "Hello **you**\r\n\r\nagain", "phone_registration": "1",
        "custom_provisioning_entries": "[sip]\r\ndefault_expires = 3600\r\n", "custom_provisioning_overwrite_all": "1",
    }  # fmt: skip
    reply = await _send(visitor, fields)
    assert (reply.status, reply.headers["Location"]) == (303, f"{PAGE}/configuration")
    row = _row(app)
    assert row["newsletter_registration_address"] == "news@example.org"
    assert row["intro_registration_text"] == "Hello **you**\n\nagain"
    assert (row["public_registration"], row["phone_registration"]) == (False, True)
    shown = (await visitor.open(f"{PAGE}/configuration")).text
    assert 'href="/theme/200.css"' in shown
    assert "by us</span>" in shown
    assert "<strong>you</strong>" in (await app.visitor().open("/login")).text
    document = (await app.nobody.get("/provisioning", x_linphone_provisioning="1")).text
    assert '<entry name="default_expires" overwrite="true">3600</entry>' in document
    assert (await _send(visitor, {})).status == 303
    assert (await app.nobody.get("/provisioning", x_linphone_provisioning="1")).text.count("default_expires") == 0
    assert _row(app)["copyright_text"] is None


@ensureDeferred
async def test_each_wrong_line_of_the_entries_is_named_and_marked(app: Application) -> None:
    visitor = await _chief(app)
    before = _row(app)
    for hue in ("22", "361"):
        reply = await _send(visitor, {"custom_provisioning_entries": INI.replace("\n", "\r\n"), "theme_hue": hue})
        assert reply.status == 422
        assert "line 6: it is neither a [section] nor key=value" in reply.text
        assert "line 7: a quotation mark is not closed" in reply.text
        gutter = re.findall(r"<li( class=\"bad\")?></li>", reply.text)
        assert [number for number, bad in enumerate(gutter, start=1) if bad] == [6, 7]
        assert "default_expires 3600" in reply.text
    taken = await _send(visitor, {"custom_provisioning_entries": "[ui]\nhide_settings=1"})
    assert "hide_settings" in taken.text
    assert taken.status == 422
    assert _row(app) == before


@pytest.mark.parametrize("hue", ["-1", "361", "", "22.5", "red", "9" * 40, "٢٢"])
@ensureDeferred
async def test_a_hue_is_on_the_wheel(app: Application, hue: str) -> None:
    visitor = await _chief(app)
    reply = await _send(visitor, {"theme_hue": hue, "copyright_text": "kept"})
    assert reply.status == 422
    assert 'id="theme_hue-error"' in reply.text
    assert 'value="kept"' in reply.text
    for good in ("0", "360"):
        assert (await _send(visitor, {"theme_hue": good})).status == 303


@pytest.mark.parametrize("address", ["news@example", "news", "https://example.org", "a@b.org, c@d.org", SCRIPT])
@ensureDeferred
async def test_the_newsletter_goes_to_an_address(app: Application, address: str) -> None:
    visitor = await _chief(app)
    reply = await _send(visitor, {"newsletter_registration_address": address})
    assert reply.status == 422
    assert "news@example.org" in reply.text
    assert "<script>alert" not in reply.text


@ensureDeferred
async def test_a_field_that_was_emptied_stays_empty_when_the_form_comes_back(app: Application) -> None:
    await app.change("UPDATE spaces SET copyright_text = 'by them' WHERE domain = %s", TENANT)
    visitor = await _chief(app)
    shown = (await _send(visitor, {"theme_hue": "361", "copyright_text": ""})).text
    assert 'value="by them"' not in shown
    unticked = re.findall(r'name="public_registration"[^>]*>', shown)
    assert unticked
    assert "checked" not in unticked[0]


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("[press](javascript:alert(1))", "[press](javascript:alert(1))"),
        ("[press](JaVaScRiPt&#58;alert(1))", None),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[press](data:text/html;base64,PHNjcmlwdD4=)", None),
        ("![](https://evil.example/pixel.png)", None),
        ('[press](https://example.org "\\"onmouseover=alert(1)")', None),
    ],
)
@ensureDeferred
async def test_a_welcome_does_nothing_but_welcome(app: Application, markdown: str, shown: str | None) -> None:
    visitor = await _chief(app)
    assert (await _send(visitor, {"intro_registration_text": markdown})).status == 303
    page = (await app.visitor().open("/login")).text
    prose = page.split('<div class="prose">')[1].split("</div>")[0]
    assert shown is None or shown in prose
    assert not re.search(r"<(script|img)|href=\"(javascript|data):", prose, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', prose))


@ensureDeferred
async def test_texts_of_a_space_are_no_markup(app: Application) -> None:
    visitor = await _chief(app)
    fields = {"copyright_text": SCRIPT, "intro_registration_text": f"</textarea>{SCRIPT}"}
    entries = "; </textarea><script>alert(1)</script>"
    assert (await _send(visitor, {**fields, "custom_provisioning_entries": entries})).status == 303
    for page in (f"{PAGE}/configuration", PAGE, "/login"):
        shown = (await visitor.open(page)).text if page != "/login" else (await app.visitor().open(page)).text
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)" in shown


@ensureDeferred
async def test_a_logo_is_shown_on_every_page_of_its_space_and_kept_by_browsers(app: Application) -> None:
    visitor = await _chief(app)
    assert (await _send(visitor, {}, SVG, "../../etc/passwd.exe")).status == 303
    (kept,) = _logos(app)
    name = kept["logo"]
    assert kept["name"] == name
    assert f'src="/logo/{name}"' in (await app.visitor().open("/login")).text
    picture = await app.nobody.get(f"/logo/{name}")
    assert (picture.status, picture.body) == (200, SVG)
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert (await app.browser.at("localhost").get(f"/logo/{name}")).status == 404
    assert (await app.nobody.get("/logo/..%2F..%2Fetc%2Fpasswd")).status == 404
    assert (await app.nobody.ask("HEAD", f"/logo/{name}")).status == 200


@ensureDeferred
async def test_a_logo_is_replaced_kept_and_removed(app: Application) -> None:
    visitor = await _chief(app)
    await _send(visitor, {}, SVG)
    first = _row(app)["logo"]
    await _send(visitor, {}, _png())
    second = _row(app)["logo"]
    assert [row["name"] for row in _logos(app)] == [second]
    assert (await app.nobody.get(f"/logo/{first}")).status == 404
    assert (await app.nobody.get(f"/logo/{second}")).headers["Content-Type"] == "image/png"
    await _send(visitor, {"copyright_text": "other"})
    assert _row(app)["logo"] == second
    assert f"{PAGE}/logo" in (await visitor.open(f"{PAGE}/configuration")).text
    await _send(visitor, {"remove_logo": "1"})
    assert (_row(app)["logo"], _logos(app)) == (None, [])
    assert 'class="logo"' not in (await visitor.open(f"{PAGE}/configuration")).text
    await _send(visitor, {"remove_logo": "1"}, SVG)
    assert _row(app)["logo"] == first


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"<html><script>alert(1)</script></html>", "neither a PNG nor an SVG"),
        (SVG.replace(b"<path", b"<script>alert(1)</script><path"), "contains a program"),
        (b'<!DOCTYPE svg [<!ENTITY x "y">]>' + SVG, "has a DOCTYPE"),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "PNG file is damaged"),
        (b"<!--" + b"x" * 513 * 1024 + b"-->" + SVG, "512 KiB"),
    ],
    ids=["empty", "html", "script", "doctype", "damaged", "513 KiB"],
)
@ensureDeferred
async def test_what_is_no_logo_changes_nothing(app: Application, content: bytes, said: str) -> None:
    visitor = await _chief(app)
    before = _row(app)
    reply = await _send(visitor, {"copyright_text": "typed", "theme_hue": "361"}, content)
    assert reply.status == 422
    assert said in reply.text
    assert 'id="logo-error"' in reply.text
    assert 'id="theme_hue-error"' in reply.text
    assert 'value="typed"' in reply.text
    assert (_row(app), _logos(app)) == (before, [])
    assert (await _send(visitor, {}, content)).status == 422
    assert (_row(app), _logos(app)) == (before, [])


@ensureDeferred
async def test_a_body_beyond_all_bounds_is_not_read(app: Application) -> None:
    visitor = await _chief(app)
    assert (await _send(visitor, {}, b"x" * (1 << 20))).status == 413


async def _until_waiting(app: Application, number: int) -> None:
    """Wait until so many connections wait for a lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while len(app.sql(query)) < number:
        await deferLater(reactor, 0.01)


@ensureDeferred
async def test_of_a_logo_that_is_brought_while_one_is_removed_all_or_nothing_is_kept(app: Application) -> None:
    visitor = await _chief(app)
    holder = psycopg2.connect(app.dsn)
    with holder, holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM spaces WHERE domain = %s FOR NO KEY UPDATE", (TENANT,))
        brought = defer.ensureDeferred(_send(visitor, {}, SVG))
        await _until_waiting(app, 1)
        removed = defer.ensureDeferred(_send(visitor, {"remove_logo": "1"}))
        await _until_waiting(app, 2)
    holder.close()
    assert [(await reply).status for reply in (brought, removed)] == [303, 303]
    assert (_row(app)["logo"], _logos(app)) == (None, [])


@ensureDeferred
async def test_a_super_administrator_sees_the_logo_of_another_space(app: Application) -> None:
    await _send(await _chief(app), {}, SVG)
    boss = {"username": "boss", "password": "boss_password", "admin": True}
    assert (await app.super_admin.post("/api/accounts", boss)).status == 200
    visitor = await app.signed_in(f"boss@{SUPER}", "boss_password", "localhost")
    assert f'src="{PAGE}/logo"' in (await visitor.open(f"{PAGE}/configuration")).text
    seen = await visitor.open(f"{PAGE}/logo")
    assert (seen.status, seen.body) == (200, SVG)
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    assert (await app.visitor().open(f"{PAGE}/logo")).status == 303


@ensureDeferred
async def test_what_apps_show_is_in_the_next_document(app: Application) -> None:
    visitor = await _chief(app)
    alice = await app.has_account("alice")
    await visitor.open(f"{PAGE}/app")
    assert (await visitor.submit(f"{PAGE}/app", {"disable_chat_feature": "1", "max_account": "2"})).status == 303
    document = (await app.user(alice).get("/provisioning/me", x_linphone_provisioning="1")).text
    for key, value in {"disable_chat_feature": 1, "disable_broadcast_feature": 0, "max_account": 2}.items():
        assert f'<entry name="{key}">{value}</entry>' in document
    assert "section [ui]" not in (await visitor.open(f"{PAGE}/app")).text
    await _send(visitor, {"custom_provisioning_entries": "[ui]\ncolour = red"})
    assert "section [ui]" in (await visitor.open(f"{PAGE}/app")).text
    assert (await visitor.submit(f"{PAGE}/app", {"max_account": "-1"})).status == 422


@ensureDeferred
async def test_the_logo_of_a_space_goes_with_it(app: Application) -> None:
    await _send(await _chief(app), {}, SVG)
    assert (await app.super_admin.delete(f"/api/spaces/{TENANT}")).json == 1
    assert app.sql("SELECT 1 FROM space_logos") == []
