"""CardDAV: directories of contacts that a Space offers to applications, and what accounts sign in there with."""

from __future__ import annotations

from attrs import field, frozen

from flexid.domain.lpconfig import Section


@frozen
class CardDavSettings:
    """How applications use a directory; `timeout` in seconds, `delay` before a search in milliseconds."""

    uri: str
    enabled: bool
    min_characters: int
    results_limit: int
    timeout: int
    delay: int
    use_exact_match_policy: bool
    fields_for_user_input: str | None
    fields_for_domain: str | None

    def section(self, number: int) -> Section:
        """Return the section `remote_contact_directory_<number>` of a provisioning document."""
        return Section(
            f"remote_contact_directory_{number}",
            (
                ("enabled", _switch(self.enabled)),
                ("type", "carddav"),
                ("uri", self.uri),
                ("min_characters", str(self.min_characters)),
                ("results_limit", str(self.results_limit)),
                ("timeout", str(self.timeout)),
                ("delay", str(self.delay)),
                ("carddav_fields_for_user_input", self.fields_for_user_input or ""),
                ("carddav_fields_for_domain", self.fields_for_domain or ""),
                ("carddav_use_exact_match_policy", _switch(self.use_exact_match_policy)),
            ),
        )


@frozen
class CardDavCredentials:
    """What an account signs in to a directory with: a name, and the HA1 of its password, as good as the password."""

    username: str
    realm: str
    algorithm: str
    ha1: str = field(repr=False)

    def section(self, number: int) -> Section:
        """Return the section `auth_info_<number>` of a provisioning document."""
        return Section(
            f"auth_info_{number}",
            (
                ("username", self.username),
                ("realm", self.realm),
                ("ha1", self.ha1),
                ("algorithm", self.algorithm),
            ),
        )


def _switch(value: bool) -> str:  # noqa: FBT001  # what is written is the value itself
    return "1" if value else "0"
