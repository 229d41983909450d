"""flexid's own TLS before openssl, curl and a client that speaks only HTTP/2."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from attrs import define, field
from real.accounts import change_space, has_account
from real.conftest import require
from real.http2_client import Http2Connection, connected
from support.certificates import DAY, Authority, Signed
from support.flexid_process import Caller, Flexid, free_port, running, wait_until

pytestmark = pytest.mark.real

TENANT = "tls-tenant.localhost"
ME = "/provisioning/me"
URN = '"<urn:uuid:9f1ed8a6-46b4-4d91-a9b1-6a9c7a8a1d4e>"'
RENEWALS = 5


@define
class Secure:
    """A flexid with TLS, the files it reads, and who signs them."""

    folder: Path
    servers: Authority = field(factory=Authority)
    clients: Authority = field(factory=lambda: Authority("Clients"))
    port: int = field(factory=free_port)
    flexid: Flexid = field(init=False)
    admin: Caller = field(init=False)

    def renew(self) -> int:
        """Write a new certificate of the server and return its serial number."""
        signed = self.servers.server(TENANT)
        signed.write(self.folder, "server")
        return signed.serial

    @property
    def authority_file(self) -> Path:
        return self.folder / "servers.pem"

    def settings(self) -> dict[str, str]:
        self.renew()
        self.authority_file.write_bytes(self.servers.own.pem())
        (self.folder / "clients.pem").write_bytes(self.clients.own.pem())
        return {
            "listen_https": f"tcp:{self.port}:interface=127.0.0.1",
            "tls_certificate": str(self.folder / "server.pem"),
            "tls_key": str(self.folder / "server.key"),
            "tls_client_ca": str(self.folder / "clients.pem"),
        }

    def http2(self) -> AbstractContextManager[Http2Connection]:
        return connected(self.port, self.authority_file, x_api_key=self.admin.headers["x-api-key"])

    def curl(self, *arguments: str) -> tuple[str, str, str]:
        """Return status, version of HTTP and body."""
        program = _program("curl")
        done = subprocess.run(
            [program, "--silent", "--show-error", "--cacert", self.authority_file, "--write-out",
             "\n%{http_code} %{http_version}", *arguments],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        body, _, told = done.stdout.rpartition("\n")
        status, version = told.split()
        return status, version, body

    def openssl(self, path: str, signed: Signed | None) -> tuple[int | None, str]:
        """Ask as `openssl s_client` does; return the status of the answer, None if there was none, and all it said."""
        program = _program("openssl")
        shown: list[str | Path] = []
        if signed:
            certificate, key = signed.write(self.folder, "device")
            shown = ["-cert", certificate, "-key", key]
        asked = f"GET {path} HTTP/1.1\r\nHost: {TENANT}\r\nX-Linphone-Provisioning: 1\r\nConnection: close\r\n\r\n"
        done = subprocess.run(
            [program, "s_client", "-connect", f"127.0.0.1:{self.port}", "-CAfile", self.authority_file, "-ign_eof",
             "-quiet", "-verify_return_error", *shown],
            input=asked, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        head = done.stdout.partition("\r\n")[0].split()
        return (int(head[1]) if len(head) > 1 else None), done.stdout + done.stderr


@pytest.fixture(scope="module")
def secure() -> Iterator[Secure]:
    with tempfile.TemporaryDirectory() as folder:
        secure = Secure(Path(folder))
        with running(**secure.settings()) as secure.flexid:
            secure.admin = secure.flexid.create_admin("tester")
            space = {"name": "Tenant", "domain": TENANT, "host": TENANT, "client_certificate_authentication": True}
            assert secure.admin.post("/api/spaces", space).status == 201
            has_account(secure.admin.at(TENANT), "alice", activated=True)
            has_account(secure.admin, "foreign", activated=True)
            yield secure


def test_openssl_fetches_the_document_of_the_account_in_its_certificate(secure: Secure) -> None:
    status, said = secure.openssl(ME, secure.clients.client(f"sip:alice@{TENANT}"))
    assert status == 200, said
    assert f"sip:alice@{TENANT}" in said


@pytest.mark.parametrize(
    "names",
    [
        (f"sip:unknown@{TENANT}",),
        ("sip:foreign@localhost",),
        (f"alice@{TENANT}",),
        (f"sip:alice@{TENANT}", f"sip:alice@{TENANT}"),
    ],
)
def test_openssl_with_a_certificate_of_nobody_here_is_refused(secure: Secure, names: tuple[str, ...]) -> None:
    status, said = secure.openssl(ME, secure.clients.client(*names))
    assert (status, "belongs to no account" in said) == (403, True), said


def test_openssl_with_a_certificate_that_nobody_vouches_for_gets_no_connection(secure: Secure) -> None:
    for signed in (
        Authority("Clients").client(f"sip:alice@{TENANT}"),
        secure.clients.client(f"sip:alice@{TENANT}", age=10 * DAY),
    ):
        status, said = secure.openssl(ME, signed)
        assert (status, "alert" in said) == (None, True), said


def test_a_space_without_client_certificates_refuses_them(secure: Secure) -> None:
    tenant = secure.admin.at(TENANT)
    change_space(tenant, client_certificate_authentication=False)
    try:
        status, said = secure.openssl(ME, secure.clients.client(f"sip:alice@{TENANT}"))
        assert status == 403, said
        assert secure.openssl(ME, None)[0] == 401
    finally:
        change_space(tenant, client_certificate_authentication=True)


def test_a_certificate_signs_in_over_http2_too(secure: Secure) -> None:
    files = secure.clients.client(f"sip:alice@{TENANT}").write(secure.folder, "device")
    with connected(secure.port, secure.authority_file, TENANT, files, x_linphone_provisioning="1") as connection:
        for _ in range(2):
            answer = connection.get(ME)
            assert answer.status == 200
            assert f"sip:alice@{TENANT}" in answer.body.decode()
        # Elsewhere it signs nobody in.
        assert connection.get("/api/accounts/me").status == 401


def test_curl_speaks_http2_and_http1(secure: Secure) -> None:
    url = f"https://localhost:{secure.port}/api/accounts"
    key = f"x-api-key: {secure.admin.headers['x-api-key']}"
    for protocol, version in (("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1")):
        account = json.dumps({"username": f"curl{protocol.strip('-')}", "password": "the_password"})
        told = secure.curl(protocol, "-H", key, "--json", account, url)
        assert told[:2] == ("200", version)
        assert json.loads(told[2])["username"] == f"curl{protocol.strip('-')}"


def test_many_requests_at_once_on_one_connection_are_all_answered(secure: Secure) -> None:
    with secure.http2() as connection:
        streams = []
        for number in range(90):
            account = {"username": f"many-{number}", "password": "the_password"}
            streams.append((connection.ask("POST", "/api/accounts", account), account["username"]))
        assert [connection.answer(stream).json["username"] for stream, _ in streams] == [name for _, name in streams]


def test_raw_quotes_and_angle_brackets_in_a_path_mean_what_they_mean_encoded(secure: Secure) -> None:
    account = has_account(secure.admin, "with-urn")
    path = f"/api/accounts/{account['id']}/dictionary"
    with secure.http2() as connection:
        assert connection.answer(connection.ask("POST", f"{path}/{URN}", {"value": "device"})).status == 201
        assert connection.get(path).json == {URN: "device"}
        assert connection.get(f"{path}/{quote(URN)}").json == {"value": "device"}


def test_a_body_that_is_too_large_is_refused_and_the_connection_goes_on(secure: Secure) -> None:
    with secure.http2() as connection:
        stream = connection.ask("POST", "/api/accounts", b"x" * (3 << 20))
        assert connection.answer(stream).status == 413
        assert connection.get("/api/ping").status == 200


def test_a_certificate_replaced_under_load_costs_no_request(secure: Secure) -> None:
    serials: set[int] = set()

    def ask_on_new_connections(is_over: Callable[[], bool]) -> int:
        number = 0
        while not is_over():
            with secure.http2() as connection:
                serials.add(connection.serial())
                assert connection.get("/api/accounts/me").status == 200
            number += 1
        return number

    def ask_on_one_connection(is_over: Callable[[], bool]) -> int:
        number = 0
        with secure.http2() as connection:
            while not is_over():
                streams = [connection.ask("GET", "/api/accounts/me") for _ in range(10)]
                assert {connection.answer(stream).status for stream in streams} == {200}
                number += 10
        return number

    written = set()
    with _load(ask_on_new_connections, ask_on_new_connections, ask_on_one_connection) as done:
        for _ in range(RENEWALS):
            serial = secure.renew()
            written.add(serial)
            secure.flexid.process().send_signal(signal.SIGHUP)
            wait_until(partial(serials.__contains__, serial), lambda: "nobody sees the new certificate")
            time.sleep(0.1)  # some load on each
    assert written <= serials
    assert all(number > 0 for number in done), done
    assert "Traceback" not in secure.flexid.log_tail()


def test_a_broken_new_certificate_leaves_the_old_one_and_says_so(secure: Secure) -> None:
    with secure.http2() as connection:
        before = connection.serial()
    (secure.folder / "server.pem").write_text("nonsense")
    try:
        secure.flexid.process().send_signal(signal.SIGHUP)
        reason = f"There is no PEM certificate in {secure.folder / 'server.pem'}"
        complaint = f"The TLS certificate stays as it was: {reason}"
        wait_until(lambda: complaint in secure.flexid.log_tail(), secure.flexid.log_tail)
        with secure.http2() as connection:
            assert (connection.serial(), connection.get("/api/ping").status) == (before, 200)
    finally:
        secure.renew()


def test_told_to_end_under_load_it_answers_every_accepted_request(secure: Secure) -> None:
    answered: list[int] = []

    def create_until_the_end(_: Callable[[], bool]) -> int:
        number = 0
        with secure.http2() as connection:
            while not connection.is_told_to_end:
                names = [f"until-the-end-{threading.get_ident()}-{number + place}" for place in range(10)]
                streams = [
                    connection.ask("POST", "/api/accounts", {"username": name, "password": "the_password"})
                    for name in names
                ]
                answered.extend(connection.answer(stream).status for stream in streams)
                number += 10
        return number

    with _load(create_until_the_end, create_until_the_end, create_until_the_end) as sent:
        wait_until(lambda: len(answered) > 100, lambda: "there is no load")
        began = time.monotonic()
        secure.flexid.stop()
        took = time.monotonic() - began
    secure.flexid.start()
    assert took < 10
    assert len(answered) == sum(sent)
    assert set(answered) == {200}


def test_without_tls_the_signal_ends_nothing(flexid: Flexid) -> None:
    flexid.process().send_signal(signal.SIGHUP)
    wait_until(lambda: "SIGHUP: reading again: the log level, templates" in flexid.log_tail(), flexid.log_tail)
    assert flexid.caller().get("/health/ready").status == 200


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        require(f"{name} is not installed")
    return found or ""


@contextmanager
def _load(*work: Callable[[Callable[[], bool]], int]) -> Iterator[list[int]]:
    """Do work side by side until the context is left; then hold what each returned, and raise what one raised."""
    over = threading.Event()
    done: list[int] = []
    failed: list[BaseException] = []

    def run(one: Callable[[Callable[[], bool]], int]) -> None:
        try:
            done.append(one(over.is_set))
        except BaseException as error:  # noqa: BLE001  # it is raised again where it is seen
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
