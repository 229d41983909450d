"""The provisioning document: what a Space compiles once, and what each account puts into it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from attrs import asdict, field, frozen

from flexid.domain import lpconfig
from flexid.domain.lpconfig import Section


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
class Document:
    """The document of a Space, ready to be sent as it is, or with an account put into it."""

    without_account: bytes
    """The whole document for whoever shows no account."""
    before_identity: bytes
    after_identity: bytes
    taken_auth_infos: frozenset[int]
    """Numbers of `auth_info_N` that the Space's own entries use."""
    overwrite: bool

    def with_account(self, identity: str, credentials: Sequence[Credentials]) -> bytes:
        """Return the whole document for an account; see `reg_identity` for its identity."""
        free = (number for number in count() if number not in self.taken_auth_infos)
        sections = [
            lpconfig.write(one.section(number), overwrite=self.overwrite)
            for one, number in zip(credentials, free, strict=False)
        ]
        return b"".join(
            (
                self.before_identity,
                lpconfig.entry("reg_identity", identity, overwrite=self.overwrite).encode(),
                self.after_identity,
                "".join(sections).encode(),
                lpconfig.TAIL.encode(),
            ),
        )


def compile_document(
    custom: Sequence[Section],
    contacts_url: str,
    user_interface: UserInterface,
    *,
    overwrite: bool,
) -> Document:
    """Return the document of a Space.

    :param custom: sections of the Space's own; a `proxy_0` among them is completed by the account, a `ui` stands for
        ours, an `auth_info_N` keeps its number.
    :param contacts_url: where the account's contacts are, on the host that was asked.
    :param overwrite: let every entry replace what the application has.
    """

    def write(*sections: Section) -> str:
        return "".join([lpconfig.write(section, overwrite=overwrite) for section in sections])

    misc = Section("misc", (("contacts-vcard-list", contacts_url),))
    has_own_ui = any(section.name == "ui" for section in custom)
    ours = [misc] if has_own_ui else [misc, user_interface.section()]
    at = next((place for place, section in enumerate(custom) if section.name == "proxy_0"), None)
    if at is None:
        before, proxy, after = [*custom, *ours], Section("proxy_0"), []
    else:
        before, proxy, after = [*custom[:at]], _without_identity(custom[at]), [*custom[at + 1 :], *ours]
    opened = lpconfig.open_section(proxy.name) + lpconfig.entries(proxy, overwrite=overwrite)
    return Document(
        without_account=(lpconfig.HEAD + write(*custom, misc) + lpconfig.TAIL).encode(),
        before_identity=(lpconfig.HEAD + write(*before) + opened).encode(),
        after_identity=(lpconfig.CLOSE_SECTION + write(*after)).encode(),
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


def _numbers_taken(prefix: str, sections: Sequence[Section]) -> frozenset[int]:
    rests = (section.name.removeprefix(prefix) for section in sections if section.name.startswith(prefix))
    return frozenset(int(rest) for rest in rests if rest.isascii() and rest.isdecimal())
