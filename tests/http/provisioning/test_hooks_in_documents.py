"""Operators' own functions, and the documents that applications fetch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, TENANT_HOST, Application
from support.web import Browser
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from flexid.outbound import hooks

HEADER = {"x_linphone_provisioning": "1"}
EXAMPLE = Path(__file__).parents[3] / "examples" / "hooks.py"

Write = Callable[[str], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hooks.py"


@pytest.fixture
def settings(file: Path) -> dict[str, object]:
    return {"hooks": {"provisioning": file}}


@pytest.fixture
def write(file: Path) -> Write:
    """Put functions into the file that is read when it is needed first."""

    def written(code: str) -> None:
        file.write_text(code)

    return written


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What is logged as an error."""
    logged: list[str] = []

    def hear(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.error:
            logged.append(f"{event['log_format']} {event.get('log_failure')}")

    globalLogPublisher.addObserver(hear)  # type: ignore[arg-type]  # any callable is an observer
    yield logged
    globalLogPublisher.removeObserver(hear)  # type: ignore[arg-type]  # as above


async def fetch(browser: Browser, path: str = "/provisioning/me") -> dict[str, dict[str, str]]:
    reply = await browser.get(path, **HEADER)
    assert reply.status == 200
    root = ET.fromstring(reply.body)  # noqa: S314  # our own answer
    found: dict[str, dict[str, str]] = {}
    for section in root:
        entries = {entry.attrib["name"]: entry.text or "" for entry in section}
        found.setdefault(section.attrib["name"], {}).update(entries)
    return found


@ensureDeferred
async def test_each_function_changes_its_part(app: Application, write: Write) -> None:
    write("""
def proxy_section(section, request, account):
    section["reg_proxy"] = f"<sip:{request.host}>"
    section["reg_identity"] += ";x=1"
    section["publish"] = True

async def auth_section(section, request, password):
    section["of"] = password.algorithm
    del section["realm"]

def additional_sections(config, request, account):
    config["app"]["for"] = account.username if account else "nobody"
    config["app"]["by"] = request.headers.get("user-agent", "") + request.path
""")
    alice = app.user(await app.has_account("alice"))
    sections = await fetch(alice.as_(user_agent="L<5"))
    assert sections["proxy_0"] == {
        "reg_proxy": f"<sip:{TENANT_HOST}>",
        "reg_identity": f"<sip:alice@{TENANT}>;x=1",
        "publish": "1",
    }
    assert sections["auth_info_0"]["of"] == sections["auth_info_0"]["algorithm"] == "SHA-256"
    assert "realm" not in sections["auth_info_0"]
    assert sections["app"] == {"for": "alice", "by": "L<5/provisioning/me"}
    assert (await fetch(app.nobody, "/provisioning"))["app"]["for"] == "nobody"


@pytest.mark.parametrize(
    "body",
    [
        "section['half'] = 'done'; raise KeyError('oops')",
        "section['half'] = 'done'; raise SystemExit",
        "section['half'] = ['no', 'text']",
        "section[''] = 'x'",
        "section['half'] = 'x' * 70_000",
        "section.update({str(number): 'x' for number in range(1_001)})",
    ],
)
@ensureDeferred
async def test_of_a_function_that_fails_nothing_is_taken(
    app: Application, write: Write, complaints: list[str], body: str
) -> None:
    write(f"def proxy_section(section, request, account):\n    {body}\n")
    alice = app.user(await app.has_account("alice"))
    assert (await fetch(alice))["proxy_0"] == {"reg_identity": f"<sip:alice@{TENANT}>"}
    (complaint,) = complaints
    assert "hook" in complaint


@ensureDeferred
async def test_a_function_that_takes_too_long_is_left_behind(
    app: Application, write: Write, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "SECONDS", 0.05)
    write("""
from twisted.internet.defer import Deferred

async def additional_sections(config, request, account):
    config["app"]["half"] = "done"
    await Deferred()
""")
    assert "app" not in await fetch(app.nobody, "/provisioning")
    assert len(complaints) == 1
    file = app.services.provisioning.hooks.file
    assert file is not None
    assert file.outcomes == {("additional_sections", "late"): 1}


@ensureDeferred
async def test_a_token_is_used_up_once_whatever_the_functions_do(app: Application, write: Write) -> None:
    write("def auth_section(section, request, password):\n    raise RuntimeError\n")
    alice = await app.has_account("alice")
    path = f"/provisioning/{alice['provisioning_token']}"
    assert (await fetch(app.nobody, path))["auth_info_0"]["username"] == "alice"
    assert (await app.nobody.get(path, **HEADER)).status == 404


@ensureDeferred
async def test_a_file_is_read_again_and_a_broken_one_is_not_taken(
    app: Application, write: Write, complaints: list[str]
) -> None:
    file = app.services.provisioning.hooks.file
    assert file
    for number, code in enumerate(["'1'", "'2'", "'3", "nowhere"]):
        write(f"name = {code}\ndef additional_sections(config, request, account):\n    config['app']['n'] = name\n")
        file.reload()
        assert len(complaints) == max(0, number - 1)
        assert (await fetch(app.nobody, "/provisioning"))["app"]["n"] == str(min(number + 1, 2))
    assert "(line 1)" in complaints[-1] or "stay as they are" in complaints[-1]


@ensureDeferred
async def test_the_example_works(app: Application, file: Path) -> None:
    shutil.copy(EXAMPLE, file)
    alice = app.user(await app.has_account("alice", dictionary={"language": "fr"}))
    sections = await fetch(alice)
    assert sections["proxy_0"]["reg_proxy"] == f"<sip:proxy.{TENANT};transport=tls>"
    assert sections["ui"]["language"] == "fr"
    assert sections["sound"] == {"echocancellation": "1"}
