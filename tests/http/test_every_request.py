from __future__ import annotations

import gc
import re
from typing import Any

import pytest
from pydantic import ValidationError
from pytest_twisted import ensureDeferred
from support.application import TENANT_HOST, Application
from support.web import Browser
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import LogLevel, capturedLogs, formatEvent

from flexid.base.settings import Settings
from flexid.http.peers import Proxies
from flexid.http.routes import PUBLIC, Routes
from flexid.http.site import every_route, make_site


@ensureDeferred
async def test_ping_answers_pong(app: Application) -> None:
    reply = await app.nobody.get("/api/ping")
    assert (reply.status, reply.text) == (200, "pong")
    assert (await app.nobody.get("/api/ping/")).text == "pong"
    head = await app.nobody.ask("HEAD", "/api/ping")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "4")


@ensureDeferred
async def test_an_empty_answer_names_a_type_too(app: Application) -> None:
    account = await app.has_account("alice")
    reply = await app.admin.delete(f"/api/accounts/{account['id']}")
    # Without one, the client in liblinphone 5.1 crashes.
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"", "text/plain; charset=utf-8")


@ensureDeferred
async def test_an_unknown_host_is_not_configured(app: Application) -> None:
    for host in ("nowhere.localhost", "", "TENANT.localhost.evil.org", "[::1]:8080"):
        reply = await app.nobody.at(host).get("/api/ping")
        assert (reply.status, reply.json) == (404, {"message": "Host not configured"})
    assert (await app.nobody.at("Tenant.LOCALHOST:1234").get("/api/ping")).status == 200


@pytest.mark.parametrize(
    "path",
    ["/nothing-here", "/api/nothing-here", "/api//ping", "/provisioning/a/b", "/%00", "/api/resolve/%00", "/%ff"],
)
@ensureDeferred
async def test_an_unknown_path_is_not_found(app: Application, path: str) -> None:
    reply = await app.admin.get(path)
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/json")


@ensureDeferred
async def test_a_number_beyond_all_ids_is_not_found(app: Application) -> None:
    for number in ("9223372036854775807", "9223372036854775808", "-1", "1e3"):
        assert (await app.admin.get(f"/api/accounts/{number}")).status == 404


@ensureDeferred
async def test_a_wrong_method_is_told_the_right_ones(app: Application) -> None:
    reply = await app.nobody.post("/api/ping", {})
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    account = await app.has_account("alice")
    reply = await app.admin.ask("PROPFIND", f"/api/accounts/{account['id']}")
    assert (reply.status, reply.headers["Allow"]) == (405, "DELETE, GET, HEAD, PATCH, PUT")


@ensureDeferred
async def test_any_origin_may_call_the_api_and_none_the_rest(app: Application) -> None:
    preflight = await app.nobody.ask("OPTIONS", "/api/accounts", Origin="https://app.example.org")
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "X-API-Key" in preflight.headers["Access-Control-Allow-Headers"]
    assert (await app.nobody.get("/api/ping")).headers["Access-Control-Allow-Origin"] == "*"
    assert (await app.nobody.get("/api/accounts")).headers["Access-Control-Allow-Origin"] == "*"
    other = await app.nobody.ask("OPTIONS", "/provisioning")
    assert (other.status, other.headers["Access-Control-Allow-Origin"]) == (204, None)
    assert other.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("body", [b"{bad", b'{"a": NaN}', b'{"a": "\xff"}', b"[" * 100_000, b'{"username":'])
@ensureDeferred
async def test_broken_json_is_malformed(app: Application, body: bytes) -> None:
    reply = await app.admin.post("/api/accounts", body)
    assert reply.status == 400
    assert reply.json["message"].startswith("Invalid JSON: ")


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"1", b"null", b" \n"])
@ensureDeferred
async def test_json_that_is_no_object_has_no_fields(app: Application, body: bytes) -> None:
    reply = await app.admin.post("/api/accounts", body)
    assert (reply.status, reply.json["errors"].keys()) == (422, {"username", "password"})
    assert reply.json["message"] == "The username field is required. (and 1 more error)"


@ensureDeferred
async def test_get_and_delete_may_carry_what_they_want(app: Application) -> None:
    account = await app.has_account("alice")
    path = f"/api/accounts/{account['id']}"
    assert (await app.admin.ask("GET", path, b"{bad", Content_Type="application/json")).status == 200
    assert (await app.admin.ask("DELETE", path, b"", Content_Type="application/json")).status == 200


@ensureDeferred
async def test_a_body_over_the_limit_is_too_large(app: Application) -> None:
    large = b'{"username": "' + b"x" * (1 << 20) + b'"}'
    assert (await app.admin.post("/api/accounts", large)).status == 413
    chunk = b"%x\r\n%s\r\n" % (len(large), large)
    headers = {
        "Host": TENANT_HOST,
        "x-api-key": "tenant-admin",
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
        "Connection": "close",
    }
    reply = await app.nobody.send("POST", "/api/accounts", headers, chunk + b"0\r\n\r\n")
    assert (reply.status, reply.headers["Content-Type"]) == (413, "application/json")


@ensureDeferred
async def test_the_request_id_is_the_callers_if_it_is_well_formed(app: Application) -> None:
    assert (await app.nobody.get("/api/ping", X_Request_ID="abc-123_4.5")).headers["X-Request-ID"] == "abc-123_4.5"
    for odd in ("short", "x" * 129, "with blank", "<script>"):
        assert (await app.nobody.get("/api/ping", X_Request_ID=odd)).headers["X-Request-ID"] != odd
    assert (await app.nobody.post("/api/ping")).headers["X-Request-ID"]


@ensureDeferred
async def test_browsers_get_a_page_and_everybody_else_json(app: Application) -> None:
    page = await app.nobody.get("/api/nothing", accept="text/html,application/xhtml+xml")
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "<h1>The route could not be found.</h1>" in page.text
    assert (await app.nobody.get("/api/nothing", accept="*/*")).headers["Content-Type"] == "application/json"


@ensureDeferred
async def test_refusals_speak_the_clients_language(app: Application) -> None:
    reply = await app.admin.post("/api/accounts", {}, accept_language="fr-FR,fr;q=0.9,en;q=0.8")
    assert reply.json["errors"]["username"] == ["Le champ username est obligatoire."]
    assert (await app.admin.post("/api/accounts", {}, accept_language="xx")).json["message"].startswith("The username")


@ensureDeferred
async def test_no_answer_tells_what_we_run(app: Application) -> None:
    for path in ("/api/ping", "/api/nothing", "/provisioning", "/health/live"):
        assert (await app.nobody.get(path)).headers["Server"] == "flexid"


@ensureDeferred
async def test_health_answers_on_any_host(app: Application) -> None:
    anywhere = app.nobody.at("10.0.0.1:8080")
    assert (await anywhere.get("/health/live")).status == 200
    assert (await anywhere.get("/health/ready")).json == {"status": "ready"}
    app.problems["database"] = "the database is away"
    reply = await anywhere.get("/health/ready")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert reply.json["problems"] == app.problems


@ensureDeferred
async def test_an_api_key_counts_its_uses_without_writing_each(app: Application) -> None:
    account = await app.has_account("alice")
    user = app.user(account)
    for _ in range(3):
        await user.get("/api/accounts/me")
    count = "SELECT requests FROM api_keys WHERE account_id = %s"
    assert app.sql(count, account["id"]) == [{"requests": 0}]
    await app.services.api_keys.flush()
    assert app.sql(count, account["id"]) == [{"requests": 3}]


@ensureDeferred
async def test_a_bearer_token_counts_for_nothing_and_is_not_passed_over(app: Application) -> None:
    user = app.user(await app.has_account("alice"))
    assert (await user.get("/api/accounts/me", authorization="Bearer abc.def.ghi")).status == 401


@ensureDeferred
async def test_an_unused_api_key_dies(app: Application) -> None:
    account = await app.has_account("alice")
    key = (await app.user(account).get("/api/accounts/me/api_key")).text
    user = app.nobody.as_(x_api_key=key)
    app.ahead.seconds = 59 * 60
    assert (await user.get("/api/accounts/me")).status == 200
    app.ahead.seconds = 118 * 60
    assert (await user.get("/api/accounts/me")).status == 200
    app.ahead.seconds = 179 * 60
    assert (await user.get("/api/accounts/me")).status == 401


@ensureDeferred
async def test_a_change_made_beside_us_is_heard(app: Application) -> None:
    account = await app.has_account("alice")
    user = app.user(account)
    assert (await user.get("/api/accounts/me")).status == 200
    await app.change("UPDATE accounts SET blocked = true WHERE id = %s", account["id"])
    assert (await user.get("/api/accounts/me")).json == {"message": "Account blocked"}
    await app.change("DELETE FROM api_keys WHERE account_id = %s", account["id"])
    assert (await user.get("/api/accounts/me")).status == 401


@ensureDeferred
async def test_clients_that_hang_up_leave_everything_whole(app: Application) -> None:
    account = await app.has_account("alice")
    user = app.user(account)
    for number in range(300):
        user.hang_up("GET", ("/api/accounts/me", "/api/accounts/me/api_key", "/api/phone_countries")[number % 3])
    while app.database.busy or app.database.waiting:
        await deferLater(reactor, 0.01)
    replies = [await app.admin.get(f"/api/accounts/{account['id']}") for _ in range(20)]
    assert {reply.status for reply in replies} == {200}
    gc.collect()  # an unhandled error in a Deferred is logged when it is collected, and pytest-twisted fails the test


def test_forwarded_headers_are_believed_from_trusted_proxies_only() -> None:
    request: Any = _Request("10.0.0.9", {"host": "inner", "x-forwarded-for": "6.6.6.6, 192.0.2.7, 10.0.0.8"})
    assert Proxies.read([]).peer(request).ip == "10.0.0.9"
    proxies = Proxies.read(["10.0.0.0/8"])
    assert proxies.peer(request).ip == "192.0.2.7"
    request = _Request(
        "10.0.0.9",
        {
            "host": "inner",
            "x-forwarded-proto": "https",
            "x-forwarded-host": "Tenant.localhost",
            "x-forwarded-port": "8443",
        },
    )
    peer = proxies.peer(request)
    assert (peer.base_url, peer.host) == ("https://tenant.localhost:8443", "tenant.localhost")
    assert Proxies.read([]).peer(request).base_url == "http://inner"
    with pytest.raises(ValidationError, match="addresses and networks are allowed"):
        Settings(trusted_proxies=("nonsense",))


class _Request:
    def __init__(self, ip: str, headers: dict[str, str]) -> None:
        from twisted.internet.address import IPv4Address  # noqa: PLC0415
        from twisted.web.http_headers import Headers  # noqa: PLC0415

        self._address = IPv4Address("TCP", ip, 1)
        self.requestHeaders = Headers({name: [value] for name, value in headers.items()})

    def getClientAddress(self) -> Any:
        return self._address

    def header(self, name: str) -> str | None:
        values = self.requestHeaders.getRawHeaders(name)
        return values[-1] if values else None

    def isSecure(self) -> bool:
        return False


def test_a_route_without_a_caller_or_a_word_about_it_does_not_import() -> None:
    routes = Routes("/api/new", title="New")
    with pytest.raises(TypeError):
        routes.get("/x")

    async def silent(_: object) -> None: ...

    with pytest.raises(TypeError, match="docstring"):
        routes.get("/x", caller=PUBLIC)(silent)


def test_every_setting_that_a_route_reads_has_a_default() -> None:
    assert Settings().api.allow_origin == "*"
    assert len({(route.method, route.path) for route in every_route()}) == len(every_route())


@ensureDeferred
async def test_our_own_mistake_is_logged_without_secrets_and_tells_the_caller_nothing(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret of the house")

    account = await app.has_account("alice")
    token = account["provisioning_token"]
    monkeypatch.setattr("flexid.store.provisioning_tokens.redeem", broken)
    with capturedLogs() as events:
        reply = await app.nobody.get(
            f"/provisioning/{token}", x_linphone_provisioning="1", X_Request_ID="request-of-the-day"
        )
    assert (reply.status, reply.json) == (500, {"message": "Something went wrong on our side"})
    (event,) = [event for event in events if event.get("log_failure")]
    line = formatEvent(event)
    assert "GET /provisioning/{token}" in line
    assert "request-of-the-day" in line
    assert token not in line


@ensureDeferred
async def test_until_the_database_is_migrated_only_health_answers(app: Application) -> None:
    async def ready() -> dict[str, str]:
        return {"database": "the database is away"}

    site = make_site(app.services, Settings(), reactor, ready, lambda: False)
    browser = Browser(site, TENANT_HOST)
    reply = await browser.get("/api/ping")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert (await browser.get("/health/live")).status == 200
    assert (await browser.get("/health/ready")).status == 503


@ensureDeferred
async def test_hanging_up_on_any_route_is_nobodys_mistake(app: Application) -> None:
    account = await app.has_account("alice")
    browsers = (app.admin, app.super_admin, app.user(account))
    paths = [re.sub(r"\{\w+\}", str(account["id"]), route.path) for route in every_route()]
    with capturedLogs() as events:
        for browser in browsers:
            for path in (*paths, "/nothing"):
                browser.hang_up("GET", path)
            browser.at("nowhere.localhost").hang_up("GET", "/api/nothing")
        while app.database.busy or app.database.waiting:
            await deferLater(reactor, 0.01)
        gc.collect()
    assert [formatEvent(event) for event in events if event["log_level"] > LogLevel.info] == []


@pytest.mark.parametrize(
    "header", ["User-Agent", "x-api-key", "From", "Authorization", "Host", "Accept", "X-Request-ID"]
)
@pytest.mark.parametrize("path", ["/api/ping", "/api/phone_countries", "/api/nothing", "/api/accounts/me"])
@ensureDeferred
async def test_bytes_that_are_no_text_are_answered(app: Application, header: str, path: str) -> None:
    headers = {"Host": TENANT_HOST, "Connection": "close", header: "\udcff\udcfe"}
    reply = await app.nobody.send("GET", path, headers, b"")
    assert reply.status in {200, 401, 404}


@pytest.mark.parametrize("host", ["tenant.localhost:" + "1" * 3000, "tenant.localhost:a", "tenant.localhost:²"])
@ensureDeferred
async def test_a_port_that_is_none_is_no_host_of_ours(app: Application, host: str) -> None:
    assert (await app.nobody.at(host).get("/api/ping")).status == 404


@ensureDeferred
async def test_a_body_far_over_the_limit_gets_its_answer_too(app: Application) -> None:
    headers = {"Host": TENANT_HOST, "Connection": "close", "Content-Length": str(100 << 20)}
    reply = await app.admin.send("POST", "/api/accounts", headers, bytes(100 << 20))
    assert reply.status == 413


@ensureDeferred
async def test_who_sends_a_refused_body_for_ever_is_cut_off(app: Application) -> None:
    transport, protocol = app.nobody.connect()
    protocol.dataReceived(b"POST /api/accounts HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")
    protocol.dataReceived(bytes(2 << 20))
    assert not transport.disconnected
    (request,) = protocol._channel.requests
    request.cut_off_at = 0.0
    protocol.dataReceived(b"x")
    assert transport.disconnected
