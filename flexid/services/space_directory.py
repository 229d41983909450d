"""Which Space a request belongs to: Spaces by host and by domain, kept in memory."""

from __future__ import annotations

from attrs import define, field

from flexid.domain.carddav import CardDavSettings
from flexid.domain.ini import parse
from flexid.domain.lpconfig import Section
from flexid.domain.provisioning import Document, UserInterface, compile_document
from flexid.domain.space import Space
from flexid.services.cache import Cache
from flexid.store import spaces
from flexid.store.database import Database

SETTINGS = tuple(attribute.name for attribute in CardDavSettings.__attrs_attrs__)
DOCUMENTS_OF_SPACE = 8
"""Base addresses (scheme, host and port) for which a Space's document is kept; a client can make up more of them."""


@define
class KnownSpace:
    """A Space with what was worked out from it."""

    space: Space
    pages: dict[tuple[object, ...], str] = field(factory=dict, init=False)
    """Pages that are the same for every stranger; http fills it, and it goes with the Space's next change."""
    _sections: tuple[Section, ...] | None = field(default=None, init=False)
    _documents: dict[str, Document] = field(factory=dict, init=False)

    def document(self, base_url: str) -> Document:
        """Return the provisioning document for clients that came by `base_url`."""
        if base_url not in self._documents:
            if len(self._documents) >= DOCUMENTS_OF_SPACE:
                self._documents.clear()
            self._documents[base_url] = self._compile(base_url)
        return self._documents[base_url]

    def _compile(self, base_url: str) -> Document:
        if self._sections is None:
            self._sections = parse(self.space.custom_provisioning_entries or "")
        names = UserInterface.__attrs_attrs__
        return compile_document(
            self._sections,
            f"{base_url}/contacts/vcard",
            UserInterface(**{name.name: getattr(self.space, name.name) for name in names}),
            [CardDavSettings(**{name: server[name] for name in SETTINGS}) for server in self.space.carddav_servers],
            overwrite=self.space.custom_provisioning_overwrite_all,
        )


@define
class SpaceDirectory:
    """Finds Spaces; what it keeps is dropped whenever any Space changes, in any process."""

    database: Database
    by_host_cache: Cache[str, KnownSpace] = field(factory=lambda: Cache(10_000))
    by_domain_cache: Cache[str, KnownSpace] = field(factory=lambda: Cache(10_000))

    def watch(self) -> None:
        """Hear of changes from now on."""
        self.database.listen(
            "flexid_spaces", lambda _: self._forget(trusted=True), self._lost, lambda: self._forget(trusted=True)
        )

    async def by_host(self, host: str) -> KnownSpace | None:
        """Return the Space that is served under a host (lower case, without port)."""

        async def load() -> KnownSpace | None:
            space = await spaces.find_by_host(self.database, host)
            return KnownSpace(space) if space else None

        return await self.by_host_cache.get(host, load)

    async def by_domain(self, domain: str) -> KnownSpace | None:
        """Return the Space of a SIP domain."""

        async def load() -> KnownSpace | None:
            space = await spaces.find(self.database, domain)
            return KnownSpace(space) if space else None

        return await self.by_domain_cache.get(domain, load)

    def forget(self) -> None:
        """Forget all Spaces: this process has changed one, and need not wait to hear of it."""
        self.by_host_cache.clear()
        self.by_domain_cache.clear()

    def _lost(self) -> None:
        self._forget(trusted=False)

    def _forget(self, *, trusted: bool) -> None:
        for cache in (self.by_host_cache, self.by_domain_cache):
            cache.trusted = trusted
            cache.clear()
