"""The outbox as operators see it."""

from __future__ import annotations

import json

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous

from flexid.commands.command import Problem


async def has_outbox(shell: Shell) -> None:
    """Put in a mail with a code, a dead SMS, an event for a webhook that is off, and a notice that was told."""
    await shell.type("accounts", "create-admin")
    shell.sql(
        """
        INSERT INTO webhooks (space_id, url, events, secret, enabled)
        SELECT id, 'https://hooks.example.org/', '{account.created}', 'whsec_secret', false FROM spaces;
        INSERT INTO outbox (id, domain, channel, payload, state, attempts, last_error, webhook_id) VALUES
        (101, 'localhost', 'mail', '{"name": "recovery_code", "to": "a@example.org", "values": {"code": "4711"}}',
            'waiting', 3, 'away', NULL),
        (102, 'localhost', 'sms', '{"to": "+33612345678", "code": "4712", "kind": "recovery"}', 'dead', 20, 'no', NULL),
        (103, 'localhost', 'webhook', '{"type": "account.created", "data": {"email": "b@example.org"}}', 'dead', 14,
            'It did not answer in time', (SELECT id FROM webhooks)),
        (104, NULL, 'registrar', '{"addresses": ["a@localhost"]}', 'sent', 1, NULL, NULL)
        """
    )


@asynchronous
async def test_the_outbox_is_listed_latest_first_without_what_it_says(spaced_shell: Shell) -> None:
    await has_outbox(spaced_shell)
    outcome = await spaced_shell.outcome("outbox", "list")
    entries = await spaced_shell.type("outbox", "list")
    listed = [(each["id"], each["channel"], each["state"], each["about"]) for each in entries]
    webhook = spaced_shell.sql("SELECT id FROM webhooks")[0][0]
    assert listed[:4] == [
        (104, "registrar", "sent", "1 addresses"),
        (103, "webhook", "dead", f"account.created to webhook {webhook}"),
        (102, "sms", "dead", "to +33612345678"),
        (101, "mail", "waiting", "recovery_code to a@example.org"),
    ]
    for said in (outcome.text, json.dumps(outcome.data)):
        assert "(no)" in said or '"no"' in said
        assert not [secret for secret in ("4711", "4712", "whsec_secret", "b@example.org") if secret in said]


@asynchronous
async def test_a_list_is_narrowed(spaced_shell: Shell) -> None:
    await has_outbox(spaced_shell)
    assert [each["id"] for each in await spaced_shell.type("outbox", "list", "--state", "dead")] == [103, 102]
    assert [each["id"] for each in await spaced_shell.type("outbox", "list", "--channel", "mail")] == [101]
    assert [each["id"] for each in await spaced_shell.type("outbox", "list", "--limit", "1")] == [104]


@asynchronous
async def test_an_empty_list_says_so(shell: Shell) -> None:
    outcome = await shell.outcome("outbox", "list")
    assert (outcome.text, outcome.data) == ("There is nothing", [])


@asynchronous
async def test_one_entry_is_retried_unless_it_was_delivered(spaced_shell: Shell) -> None:
    await has_outbox(spaced_shell)
    for entry in (101, 102):
        assert await spaced_shell.type("outbox", "retry", str(entry)) == {"retried": 1}
    assert spaced_shell.sql(
        "SELECT state, attempts, next_attempt_at <= now() FROM outbox WHERE id IN (101, 102) ORDER BY id"
    ) == [("waiting", 0, True), ("waiting", 0, True)]
    for entry, why in ((104, "It was delivered"), (103, "The webhook is switched off"), (999, "nothing with the ID")):
        with pytest.raises(Problem, match=why):
            await spaced_shell.type("outbox", "retry", str(entry))


@asynchronous
async def test_all_that_was_given_up_is_retried_of_a_channel_or_of_all(spaced_shell: Shell) -> None:
    await has_outbox(spaced_shell)
    assert await spaced_shell.type("outbox", "retry", "--dead", "--channel", "webhook") == {"retried": 0}
    spaced_shell.sql("UPDATE webhooks SET enabled = true")
    assert await spaced_shell.type("outbox", "retry", "--dead") == {"retried": 2}
    assert await spaced_shell.type("outbox", "list", "--state", "dead") == []


@pytest.mark.parametrize("words", [(), ("101", "--dead")])
@asynchronous
async def test_what_to_retry_has_to_be_said(shell: Shell, words: tuple[str, ...]) -> None:
    with pytest.raises(Problem, match="either an ID or --dead"):
        await shell.type("outbox", "retry", *words)
