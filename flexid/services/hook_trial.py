"""Operators' own functions, tried on a sample account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from flexid.base.peer_settings import HooksSettings
from flexid.domain.account import Account
from flexid.domain.hooks import OF_ACCOUNTS, OF_DOCUMENTS, HookRequest
from flexid.domain.passwords import hash_password
from flexid.domain.provisioning import Credentials, UserInterface, compile_document, reg_identity
from flexid.outbound.hooks import HookFile
from flexid.services.document_hooks import DocumentHooks

FAILED, MISSING, UNTRIED = "FAILED", "not defined", "defined, and not called here"
HOST = "sip.example.org"
REQUEST = HookRequest(HOST, "/provisioning/me", "203.0.113.7", "Linphone/5.3", {"x-linphone-provisioning": "1"})


def _sample() -> Account:
    """Return an account that nobody has."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    return Account(
        id=1,
        username="alice",
        domain=HOST,
        email="alice@example.org",
        phone="+33612345678",
        display_name="Alice Martin",
        activated=True,
        blocked=False,
        ip_address=REQUEST.ip,
        user_agent=REQUEST.user_agent,
        created_at=long_ago,
        updated_at=long_ago,
        provisioning_token=None,
        provisioning_token_made_at=None,
        passwords=tuple(hash_password(algorithm, "alice", HOST, "secret") for algorithm in ("SHA-256", "MD5")),
        dictionary={"language": "fr"},
    )


@frozen
class Trial:
    """How each function did, by its setting and its name, and the document that came of it."""

    functions: dict[str, dict[str, str]]
    document: str

    @property
    def failed(self) -> bool:
        """Say whether any function did."""
        return any(how.startswith(FAILED) for found in self.functions.values() for how in found.values())


async def try_hooks(reactor: Any, settings: HooksSettings) -> Trial:
    """Call the functions that are for documents, and look whether those for accounts are there.

    :raise UnusableHooks: a file cannot be used at all.
    """
    functions: dict[str, dict[str, str]] = {}
    document = ""
    if settings.provisioning:
        file = HookFile(reactor, "hooks.provisioning", settings.provisioning, OF_DOCUMENTS)
        defined = file.read()
        document = await _document(file)
        functions["hooks.provisioning"] = {name: _outcome(file, name, defined) for name in OF_DOCUMENTS}
    if settings.accounts:
        defined = HookFile(reactor, "hooks.accounts", settings.accounts, OF_ACCOUNTS).read()
        # They may send mails or bills: nobody wants that of a trial.
        functions["hooks.accounts"] = {name: UNTRIED if name in defined else MISSING for name in OF_ACCOUNTS}
    return Trial(functions, document)


async def _document(file: HookFile) -> str:
    account = _sample()
    hooks = DocumentHooks(file)
    interface = UserInterface(**dict.fromkeys((each.name for each in UserInterface.__attrs_attrs__), False))
    document = compile_document((), f"https://{HOST}/contacts/vcard", interface, overwrite=False)
    sections = document.sections(
        reg_identity(account.display_name, account.username, account.domain),
        [Credentials("alice", HOST, password.ha1, HOST, password.algorithm) for password in account.passwords],
    )
    changed = await hooks.change(sections, REQUEST, account)
    # Also where there is no account, which is easily forgotten.
    await hooks.further_sections(REQUEST, None)
    return document.with_sections(changed, await hooks.further_sections(REQUEST, account)).decode()


def _outcome(file: HookFile, name: str, defined: list[str]) -> str:
    if failure := file.failures.get(name):
        return f"{FAILED}\n{failure.getTraceback()}"
    return "done" if name in defined else MISSING
