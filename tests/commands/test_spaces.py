from __future__ import annotations

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous

from flexid.domain.errors import Invalid


@asynchronous
async def test_a_new_space_is_named_like_its_domain_and_gets_digest(shell: Shell) -> None:
    made = await shell.type("spaces", "create-update", "SIP.example.org", "sip.localhost")
    assert made == {
        "domain": "sip.example.org",
        "host": "sip.localhost",
        "name": "sip.example.org",
        "super": False,
        "created": True,
    }
    assert shell.sql("SELECT realm, default_password_algorithm FROM space_digest_authentication_configurations") == [
        ("sip.example.org", "SHA-256")
    ]


@asynchronous
async def test_an_existing_space_gets_what_is_said_and_keeps_the_rest(shell: Shell) -> None:
    await shell.type("spaces:create-update", "sip.example.org", "sip.localhost", "Telephones", "--super")
    changed = await shell.type("spaces", "create-update", "sip.example.org", "new.localhost")
    assert changed == {
        "domain": "sip.example.org",
        "host": "new.localhost",
        "name": "Telephones",
        "super": True,
        "created": False,
    }
    changed = await shell.type("spaces", "create-update", "sip.example.org", "new.localhost", "Phones", "--no-super")
    assert (changed["name"], changed["super"]) == ("Phones", False)


@asynchronous
async def test_a_host_outside_the_root_host_is_refused(shell: Shell) -> None:
    for host in ("example.org", "evillocalhost", "localhost.example.org"):
        with pytest.raises(Invalid) as refusal:
            await shell.type("spaces", "create-update", "sip.example.org", host)
        assert set(refusal.value.errors) == {"host"}
    assert shell.sql("SELECT count(*) FROM spaces") == [(0,)]


@asynchronous
async def test_a_host_of_another_domain_is_refused(spaced_shell: Shell) -> None:
    with pytest.raises(Invalid) as refusal:
        await spaced_shell.type("spaces", "create-update", "sip.example.org", "localhost")
    assert set(refusal.value.errors) == {"host"}
    assert spaced_shell.sql("SELECT domain FROM spaces") == [("localhost",)]
