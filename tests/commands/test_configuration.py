from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.reactor import asynchronous, reactor

from flexid.base.clock import Clock
from flexid.base.configuration import ConfigurationError, load
from flexid.commands.command import Problem, Program
from flexid.commands.configuration_page import page
from flexid.commands.main import parse

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


async def told(environment: dict[str, str], *words: str) -> tuple[str, Any]:
    """Return what the command says to people and to programs."""
    entry, options = parse(words)
    outcome = await entry.load().run(Program(reactor, load(environment), Clock()), options)
    return outcome.text, outcome.data


@asynchronous
async def test_what_is_shown_is_a_configuration_file() -> None:
    text, data = await told({"FLEXID_ROOT_HOST": "example.org", "FLEXID_DATABASE_POOL_SIZE": "7"}, "config", "show")
    for values in (tomllib.loads(text), data):
        assert values["root_host"] == "example.org"
        assert values["database"]["pool_size"] == 7
        assert values["listen"]["http"] == ["tcp:8080:interface=127.0.0.1"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://bob:s3cret@h/db", "postgresql://bob:***@h/db"),
        ("postgresql://h/db?user=bob&password=s3cret", "postgresql://h/db?user=bob&password=***"),
        ("host=h password=s3cret", "host=h password=***"),
        ("postgresql://bob@h:5432/db", "postgresql://bob@h:5432/db"),
    ],
)
@asynchronous
async def test_passwords_are_masked(url: str, shown: str) -> None:
    text, data = await told({"FLEXID_DATABASE_URL": url}, "config", "show")
    assert data["database"]["url"] == shown
    assert "s3cret" not in text


@asynchronous
async def test_secrets_of_those_who_carry_mails_and_sms_are_masked() -> None:
    secret = {
        "FLEXID_MAIL_URL": "smtp://bob%40b.org:s3cret@h:25",
        "FLEXID_SMS_OVH_APPLICATION_KEY": "s3cret-1",
        "FLEXID_SMS_OVH_APPLICATION_SECRET": "s3cret-2",
        "FLEXID_SMS_OVH_CONSUMER_KEY": "s3cret-3",
        "FLEXID_SMS_HTTP_SECRET": "s3cret-4",
    }
    text, data = await told(secret, "config", "show")
    assert data["mail"]["url"] == "smtp://bob%40b.org:***@h:25"
    assert "s3cret" not in text


@asynchronous
async def test_warnings_are_named() -> None:
    text, _ = await told({"FLEXID_NONSENSE": "1"}, "config", "check")
    assert "FLEXID_NONSENSE" in text


@pytest.mark.parametrize("endpoint", ["tcp", "tcp:x", "nonsense:1", ""])
@asynchronous
async def test_endpoints_are_checked(endpoint: str) -> None:
    with pytest.raises(Problem, match=r"listen\.http"):
        await told({"FLEXID_LISTEN_HTTP": f"tcp:1,{endpoint or 'x'}"}, "config", "check")


def test_the_page_of_the_documentation_is_what_the_declarations_say() -> None:
    assert PAGE.read_text() == page(), "make docs has not been run"


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"LISTEN_HTTPS": "tcp:443"}, "listen.https needs tls.certificate and tls.key"),
        ({"TLS_CERTIFICATE": "own.pem"}, "tls.certificate and tls.key are allowed together only"),
        (
            {"TLS_PROXY_VERIFIED_HEADER": "X-Verified"},
            "tls.proxy_verified_header and tls.proxy_subject_header are allowed together only",
        ),
    ],
)
def test_settings_that_need_each_other_are_named(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({f"FLEXID_{name}": value for name, value in environment.items()})
    assert caught.value.problems == [f"environment: {complaint}"]


def test_an_empty_variable_names_no_file() -> None:
    tls = load({"FLEXID_TLS_CERTIFICATE": "", "FLEXID_TLS_KEY": "", "FLEXID_TLS_CLIENT_CA": ""}).settings.tls
    assert (tls.certificate, tls.key, tls.client_ca) == (None, None, None)
