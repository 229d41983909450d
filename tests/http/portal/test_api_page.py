from __future__ import annotations

import re

from pytest_twisted import ensureDeferred
from support.application import Application
from support.markup import read

from flexid.http.site import every_route

SCRIPT = '"><script>alert(1)</script>'


@ensureDeferred
async def test_the_page_about_the_api_shows_every_endpoint_to_anybody(app: Application) -> None:
    shown = await app.visitor().open("/api")
    assert (shown.status, shown.headers.get_content_type()) == (200, "text/html")
    assert "unsafe" not in shown.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in shown.headers
    described = [route for route in every_route() if not route.portal]
    assert shown.text.count('class="endpoint"') == len(described) > 100
    plain = shown.text.replace("<wbr>", "")
    assert all(f"<code>{route.path}</code>" in plain for route in described)
    assert set(read(shown.text).ids()) >= {"accounts_create", "refusals-title"}


@ensureDeferred
async def test_an_endpoint_has_its_fields_and_a_command_line_that_works_here(app: Application) -> None:
    shown = (await app.visitor("tenant.localhost:8080").open("/api?q=post+/api/statistics/+initiated_at")).text
    assert shown.count('class="endpoint"') == 1
    assert "<details" in shown
    assert re.search(r'id="statistics_add_call" open', shown)
    for part in ("<code>initiated_at</code>", "date-time", "up to 64 characters", "required", "/api/statistics/calls"):
        assert part in shown
    assert "http://tenant.localhost:8080/api/statistics/calls" in shown
    assert "curl -X POST -H &#39;x-api-key: KEY&#39;" in shown


@ensureDeferred
async def test_every_word_that_is_searched_for_has_to_be_there(app: Application) -> None:
    visitor = app.visitor()
    both = (await visitor.open("/api?q=Account+DTMF_protocol")).text
    assert 'id="accounts_create"' in both
    assert 'id="accounts_delete"' not in both
    none = (await visitor.open("/api?q=no+such+thing")).text
    assert 'class="endpoint"' not in none
    assert "No endpoint matches" in none


@ensureDeferred
async def test_what_is_searched_for_is_no_markup(app: Application) -> None:
    shown = (await app.visitor().open("/api?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")).text
    assert SCRIPT not in shown
    assert "&lt;script&gt;alert(1)" in shown


@ensureDeferred
async def test_the_page_about_the_api_speaks_french_around_what_the_code_says(app: Application) -> None:
    shown = (await app.visitor().open("/api", accept_language="fr")).text
    assert "Super administrateurs" in shown
    assert "obligatoire" in shown
    assert "255 caractères au plus" in shown
    assert "up to 255" not in shown
