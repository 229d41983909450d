"""The daemon as operators meet it: processes of its own, and what they say."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from support.certificates import Authority
from support.flexid_process import free_port, wait_until
from support.postgres import Postgres, embedded_binaries

PROGRAMS = Path(sys.executable).parent


@define
class Node:
    """A directory in which flexid is started, and its settings."""

    home: Path
    environment: dict[str, str]
    port: int = field(factory=free_port)
    running: list[subprocess.Popen[bytes]] = field(factory=list)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        argv = command or ("twistd", "-n", "--pidfile=", "flexid")
        with self.stdout.open("ab") as stdout, self.stderr.open("ab") as stderr:
            process = subprocess.Popen(  # our own program
                [PROGRAMS / argv[0], *argv[1:]], cwd=self.home, env=self._environment(), stdout=stdout, stderr=stderr
            )
        self.running.append(process)
        return process

    def ready(self) -> None:
        """Wait until the operator is told that it is."""
        already = self.said().count("flexid is ready")
        wait_until(lambda: self.said().count("flexid is ready") > already, lambda: self.stderr.read_text()[-2000:])

    def started(self, *command: str) -> subprocess.Popen[bytes]:
        process = self.start(*command)
        self.ready()
        return process

    def type(self, *words: str) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error of a command."""
        done = subprocess.run(  # our own program
            [PROGRAMS / words[0], *words[1:]],
            cwd=self.home,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": "localhost", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    @property
    def stdout(self) -> Path:
        return self.home / "stdout"

    @property
    def stderr(self) -> Path:
        return self.home / "stderr"

    def said(self) -> str:
        return self.stdout.read_text()

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLEXID_")}
        return {**inherited, "FLEXID_LISTEN_HTTP": f"tcp:{self.port}:interface=127.0.0.1", **self.environment}


def stop(node: Node) -> None:
    for process in node.running:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Node]:
    """A node with its own PostgreSQL."""
    node = Node(tmp_path, {})
    yield node
    stop(node)


@pytest.fixture
def external(tmp_path: Path, postgres: Postgres) -> Iterator[Node]:
    """A node with a PostgreSQL that somebody else runs."""
    dsn = postgres.create_database()
    node = Node(tmp_path, {"FLEXID_DATABASE_URL": dsn})
    yield node
    stop(node)
    postgres.drop_database(dsn)


def secrets_in(text: str) -> dict[str, str]:
    return dict(re.findall(r"^  ([\w ]+): +(\S+)$", text, re.MULTILINE))


def test_the_first_start_tells_its_secrets_once_on_standard_output(embedded: Node) -> None:
    process = embedded.started()
    told = secrets_in(embedded.said())
    assert (told["username"], told["domain"]) == ("admin", "localhost")
    status, account = embedded.get("/api/accounts/me", **{"x-api-key": told["API key"]})
    assert (status, account["username"], account["admin"]) == (200, "admin", True)
    assert f"http://localhost:{embedded.port}\n" in embedded.said()
    process.send_signal(signal.SIGKILL)
    process.wait()
    embedded.started()
    assert embedded.said().count("API key") == 1
    assert embedded.get("/api/accounts/me", **{"x-api-key": told["API key"]})[0] == 200
    logged = embedded.stderr.read_text()
    assert not any(secret in logged for secret in (told["password"], told["API key"]))


def test_commands_reach_the_running_database_and_start_it_where_none_runs(embedded: Node) -> None:
    code, out, err = embedded.type("flexid", "spaces", "create-update", "localhost", "localhost", "--super", "--json")
    assert (code, json.loads(out)["created"], err) == (0, True, "")
    assert not list(embedded.home.glob("var/postgresql-*/postmaster.pid"))
    embedded.started()
    assert "API key" not in embedded.said()
    code, out, err = embedded.type("twistd", "flexid", "accounts:create-admin-account", "-u", "bob", "--json")
    assert (code, err) == (0, "")
    key = json.loads(out)["api_key"]
    assert embedded.get("/api/accounts/me", **{"x-api-key": key})[1]["username"] == "bob"


def test_problems_are_one_line_on_standard_error(embedded: Node) -> None:
    for program in (("flexid",), ("twistd", "flexid")):
        code, out, err = embedded.type(*program, "accounts", "create-admin", "-d", "nowhere.org", "--json")
        assert (code, out, err) == (1, "", "flexid: No Space has the domain nowhere.org\n")
        code, out, err = embedded.type(*program, "accounts", "set-admin", "x")
        assert (code, out) == (2, "")
        assert "'x' is no id" in err


def test_the_process_stops_its_database_when_it_is_told_to_end(embedded: Node) -> None:
    process = embedded.started("flexid", "run")
    assert list(embedded.home.glob("var/postgresql-*/postmaster.pid"))
    process.terminate()
    process.wait(30)
    assert not list(embedded.home.glob("var/postgresql-*/postmaster.pid"))
    assert "Traceback" not in embedded.stderr.read_text()


def test_with_an_external_database_the_command_to_type_is_told(external: Node) -> None:
    external.started()
    assert "API key" not in external.said()
    commands = [line.split() for line in external.said().splitlines() if line.startswith("  flexid")]
    assert len(commands) == 2
    for words in commands:
        code, out, err = external.type(*words)
        assert (code, err) == (0, "")
    key = out.rpartition("API key: ")[2].strip()
    assert external.get("/api/accounts/me", **{"x-api-key": key})[1]["username"] == "admin"


def test_a_database_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    server = Postgres(embedded_binaries())
    node = Node(tmp_path, {"FLEXID_DATABASE_URL": server.dsn()})
    try:
        node.start()
        wait_until(lambda: listens(node), lambda: node.stderr.read_text()[-2000:])
        assert node.get("/health/live")[0] == 200
        assert node.get("/health/ready")[0] == 503
        assert node.get("/api/ping")[0] == 503
        server.start()
        node.ready()
        assert node.get("/health/ready") == (200, {"status": "ready"})
    finally:
        stop(node)
        server.remove()


def test_two_nodes_that_start_at_once_share_one_database(external: Node, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Node(tmp_path / "other", external.environment)
    try:
        external.start()
        other.start()
        wait_until(lambda: "ready" in external.said() and "ready" in other.said(), lambda: "a node does not start")
        for node in (external, other):
            assert "Traceback" not in node.stderr.read_text()
    finally:
        stop(other)


@pytest.mark.parametrize("program", [("flexid", "run"), ("twistd", "-n", "--pidfile=", "flexid")])
def test_a_taken_port_ends_the_process_with_a_reason(external: Node, program: tuple[str, ...]) -> None:
    external.started()
    second = external.start(*program)
    assert second.wait(30) == 1
    # The first one goes on logging to the same file.
    told = map(json.loads, external.stderr.read_text().splitlines())
    (complaint,) = (line["message"] for line in told if line["level"] == "critical")
    assert complaint.endswith("Address already in use")


@pytest.mark.parametrize(
    "program", [("flexid", "run"), ("twistd", "-n", "--pidfile=", "flexid"), ("flexid", "db", "status")]
)
def test_a_wrong_configuration_ends_the_process_with_a_reason(external: Node, program: tuple[str, ...]) -> None:
    external.environment["FLEXID_ROOT_HOST"] = "no host"
    code, out, err = external.type(*program)
    assert (code, out) == (1, "")
    assert err == "flexid: FLEXID_ROOT_HOST = 'no host': a host name is allowed, without scheme and port\n"


def test_the_addresses_of_all_ports_are_told(external: Node) -> None:
    authority, port = Authority(), free_port()
    certificate, key = authority.server().write(external.home, "server")
    external.environment |= {
        "FLEXID_LISTEN_HTTPS": f"tcp:{port}:interface=127.0.0.1",
        "FLEXID_TLS_CERTIFICATE": str(certificate),
        "FLEXID_TLS_KEY": str(key),
    }
    external.started()
    assert f"flexid is ready on http://localhost:{external.port}, https://localhost:{port}\n" in external.said()
    context = ssl.create_default_context(cadata=authority.own.pem().decode())
    connection = HTTPSConnection("localhost", port, timeout=20, context=context)
    connection.request("GET", "/health/live")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("program", [("flexid", "run"), ("twistd", "-n", "--pidfile=", "flexid")])
def test_a_certificate_of_no_use_ends_the_process_with_a_reason(external: Node, program: tuple[str, ...]) -> None:
    _, key = Authority().server().write(external.home, "server")
    external.environment |= {
        "FLEXID_LISTEN_HTTPS": f"tcp:{free_port()}:interface=127.0.0.1",
        "FLEXID_TLS_CERTIFICATE": str(external.home / "absent.pem"),
        "FLEXID_TLS_KEY": str(key),
    }
    reason = f"Cannot use {external.home / 'absent.pem'}: No such file or directory"
    assert external.start(*program).wait(30) == 1
    complaint = json.loads(external.stderr.read_text().splitlines()[-1])
    assert (complaint["level"], complaint["message"]) == ("critical", f"flexid cannot start: {reason}")
    assert external.type("flexid", "config", "check") == (1, "", f"flexid: {reason}\n")


def listens(node: Node) -> bool:
    try:
        return node.get("/health/live")[0] == 200
    except ConnectionRefusedError:
        return False
