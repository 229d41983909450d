"""The provisioning document: what a Space compiles once, and what each account puts into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from attrs import asdict, field, frozen

from flexid.domain import lpconfig
from flexid.domain.carddav import CardDavCredentials, CardDavSettings
from flexid.domain.lpconfig import Section

_TAIL = lpconfig.TAIL.encode()


@frozen
class UserInterface:
    """What an application is to show and to hide, in the order of the document."""

    super: bool
    disable_chat_feature: bool
    disable_meetings_feature: bool
    disable_broadcast_feature: bool
    hide_settings: bool
    hide_account_settings: bool
    disable_call_recordings_feature: bool
    only_display_sip_uri_username: bool
    assistant_hide_create_account: bool
    assistant_disable_qr_code: bool
    assistant_hide_third_party_account: bool
    max_account: int

    def section(self) -> Section:
        """Return the section `ui`; switches are 1 and 0."""
        return Section("ui", tuple((key, str(int(value))) for key, value in asdict(self).items()))


@frozen
class Credentials:
    """What an application needs to sign in; the HA1 as the SIP server has it."""

    username: str
    domain: str
    ha1: str = field(repr=False)
    realm: str
    algorithm: str

    def section(self, number: int) -> Section:
        """Return the section `auth_info_<number>`."""
        return Section(
            f"auth_info_{number}",
            (
                ("username", self.username),
                ("domain", self.domain),
                ("ha1", self.ha1),
                ("realm", self.realm),
                ("algorithm", self.algorithm),
            ),
        )


@frozen
class AccountSections:
    """What an account adds to the document of its Space."""

    proxy: Section
    directories: tuple[Section, ...]
    """What it signs in to CardDAV servers with."""
    passwords: tuple[Section, ...]


@frozen
class Document:
    """The document of a Space, ready to be sent as it is, or with an account put into it."""

    without_account: bytes
    """The whole document for whoever shows no account."""
    parts: tuple[bytes, bytes, bytes]
    """What stands before, between and after the account's `proxy_0` and its CardDAV credentials."""
    proxy: Section
    """The `proxy_0` of the Space's own, without an identity."""
    proxy_first: bool
    """Whether it comes before the CardDAV credentials: only where the Space has one of its own."""
    taken_auth_infos: frozenset[int]
    """Numbers of `auth_info_N` that the Space's own entries use."""
    overwrite: bool

    def with_account(
        self, identity: str, credentials: Sequence[Credentials], carddav: Sequence[CardDavCredentials] = ()
    ) -> bytes:
        """Return the whole document for an account; see `reg_identity` for its identity."""
        return self.with_sections(self.sections(identity, credentials, carddav))

    def sections(
        self, identity: str, credentials: Sequence[Credentials], carddav: Sequence[CardDavCredentials] = ()
    ) -> AccountSections:
        """Return what an account adds, as it may still be changed."""
        free = _free(self.taken_auth_infos)
        proxy = Section(self.proxy.name, (*self.proxy.entries, ("reg_identity", identity)))
        directories = tuple(one.section(next(free)) for one in carddav)
        return AccountSections(proxy, directories, tuple(one.section(next(free)) for one in credentials))

    def with_sections(self, account: AccountSections, further: Sequence[Section] = ()) -> bytes:
        """Return the whole document with an account's sections, and further ones at its end."""
        proxy, directories = self._written(account.proxy), self._written(*account.directories)
        one, other = (proxy, directories) if self.proxy_first else (directories, proxy)
        before, between, after = self.parts
        return b"".join((before, one, between, other, after, self._written(*account.passwords, *further), _TAIL))

    def without_account_but(self, further: Sequence[Section]) -> bytes:
        """Return the whole document for whoever shows no account, with further sections at its end."""
        return self.without_account.removesuffix(_TAIL) + self._written(*further) + _TAIL

    def _written(self, *sections: Section) -> bytes:
        return "".join([lpconfig.write(section, overwrite=self.overwrite) for section in sections]).encode()


def compile_document(
    custom: Sequence[Section],
    contacts_url: str,
    user_interface: UserInterface,
    directories: Sequence[CardDavSettings] = (),
    *,
    overwrite: bool,
) -> Document:
    """Return the document of a Space.

    :param custom: sections of the Space's own; a `proxy_0` among them is completed by the account, a `ui` stands for
        ours, an `auth_info_N` and a `remote_contact_directory_N` keep their numbers.
    :param contacts_url: where the account's contacts are, on the host that was asked.
    :param directories: the Space's CardDAV servers.
    :param overwrite: let every entry replace what the application has.
    """

    def write(*sections: Section) -> str:
        return "".join([lpconfig.write(section, overwrite=overwrite) for section in sections])

    misc = Section("misc", (("contacts-vcard-list", contacts_url),))
    has_own_ui = any(section.name == "ui" for section in custom)
    ours = [misc] if has_own_ui else [misc, user_interface.section()]
    free = _free(_numbers_taken("remote_contact_directory_", custom))
    remote = [directory.section(next(free)) for directory in directories]
    at = next((place for place, section in enumerate(custom) if section.name == "proxy_0"), None)
    if at is None:
        proxy, parts = Section("proxy_0"), (write(*custom, *remote), write(*ours), "")
    else:
        proxy = _without_identity(custom[at])
        parts = (write(*custom[:at]), write(*custom[at + 1 :], *remote), write(*ours))
    before, between, after = parts
    return Document(
        without_account=(lpconfig.HEAD + write(*custom, *remote, misc) + lpconfig.TAIL).encode(),
        parts=((lpconfig.HEAD + before).encode(), between.encode(), after.encode()),
        proxy=proxy,
        proxy_first=at is not None,
        taken_auth_infos=_numbers_taken("auth_info_", custom),
        overwrite=overwrite,
    )


def reg_identity(display_name: str | None, username: str, domain: str) -> str:
    """Return the account's address as a name-addr (RFC 3261 section 25.1), `<sip:…>` alone without a display name."""
    address = f"<sip:{username}@{domain}>"
    if not display_name:
        return address
    quoted = display_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" {address}'


def _without_identity(proxy: Section) -> Section:
    # The account's own would stand beside it under the same key.
    return Section(proxy.name, tuple((key, value) for key, value in proxy.entries if key != "reg_identity"))


def _free(taken: frozenset[int]) -> Iterator[int]:
    return (number for number in count() if number not in taken)


def _numbers_taken(prefix: str, sections: Sequence[Section]) -> frozenset[int]:
    rests = (section.name.removeprefix(prefix) for section in sections if section.name.startswith(prefix))
    return frozenset(int(rest) for rest in rests if rest.isascii() and rest.isdecimal())
