"""Operators' own functions, and what they make of provisioning documents."""

from __future__ import annotations

from collections import defaultdict

from attrs import evolve, frozen

from flexid.domain.account import Account
from flexid.domain.hooks import ADDITIONAL, AUTH, PROXY, HookRequest, section_of, sections_of
from flexid.domain.lpconfig import Section
from flexid.domain.provisioning import AccountSections
from flexid.outbound.hooks import HookFile


@frozen
class DocumentHooks:
    """The functions, if there are any. Of one that fails nothing is taken, and the document goes out without it."""

    file: HookFile | None

    @property
    def are_there(self) -> bool:
        """Say whether there is anything to call."""
        return self.file is not None

    async def change(self, sections: AccountSections, request: HookRequest, account: Account) -> AccountSections:
        """Let the functions change an account's `proxy_0` and its `auth_info_N`, and return what came of it."""
        passwords = zip(sections.passwords, account.passwords, strict=True)
        return evolve(
            sections,
            proxy=await self._changed(PROXY, sections.proxy, request, account),
            passwords=tuple([await self._changed(AUTH, section, request, password) for section, password in passwords]),
        )

    async def further_sections(self, request: HookRequest, account: Account | None) -> tuple[Section, ...]:
        """Return the sections that the function for these adds; `account` is None in the document of a whole Space."""
        config: dict[str, dict[str, object]] = defaultdict(dict)
        if self.file is None:
            return ()
        return await self.file.call(ADDITIONAL, config, request, account, take=lambda: sections_of(config)) or ()

    async def _changed(self, name: str, section: Section, request: HookRequest, of: object) -> Section:
        if self.file is None:
            return section
        entries: dict[str, object] = dict(section.entries)
        changed = await self.file.call(name, entries, request, of, take=lambda: section_of(section.name, entries))
        return changed or section
