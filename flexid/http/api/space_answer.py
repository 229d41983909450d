"""A Space, as the API shows it."""

from __future__ import annotations

from typing import TypedDict, cast

from flexid.domain.space import DigestConfiguration, Space
from flexid.http.answers import moment, moment_or_none
from flexid.http.api.space_integrations import CardDavServerAnswer, MailServerAnswer, OidcAnswer


class DigestAnswer(TypedDict):
    """How passwords are hashed."""

    realm: str
    default_password_algorithm: str


class SpaceAnswer(TypedDict):
    """A Space with its servers and configurations; never its number, and no secret."""

    domain: str
    super: bool
    created_at: str
    updated_at: str
    disable_chat_feature: bool
    disable_meetings_feature: bool
    disable_broadcast_feature: bool
    max_account: int
    hide_settings: bool
    hide_account_settings: bool
    disable_call_recordings_feature: bool
    only_display_sip_uri_username: bool
    assistant_hide_create_account: bool
    assistant_disable_qr_code: bool
    assistant_hide_third_party_account: bool
    host: str
    max_accounts: int
    expire_at: str | None
    copyright_text: str | None
    intro_registration_text: str | None
    newsletter_registration_address: str | None
    account_proxy_registrar_address: str | None
    custom_provisioning_entries: str | None
    custom_provisioning_overwrite_all: bool
    web_panel: bool
    public_registration: bool
    phone_registration: bool
    intercom_features: bool
    name: str
    carddav_user_credentials: bool
    theme_hue: int
    logo: str | None
    unique_email: bool
    client_certificate_authentication: bool
    email_server: MailServerAnswer | None
    carddav_servers: list[CardDavServerAnswer]
    digest_authentication_configuration: DigestAnswer | None
    oidc_authentication_configuration: OidcAnswer | None


_OTHERWISE = {
    "created_at",
    "updated_at",
    "expire_at",
    "email_server",
    "carddav_servers",
    "digest_authentication_configuration",
    "oidc_authentication_configuration",
}
_AS_THEY_ARE = tuple(name for name in SpaceAnswer.__annotations__ if name not in _OTHERWISE)


def show(space: Space) -> SpaceAnswer:
    """Return the Space."""
    answer = {
        **{name: getattr(space, name) for name in _AS_THEY_ARE},
        "created_at": moment(space.created_at),
        "updated_at": moment(space.updated_at),
        "expire_at": moment_or_none(space.expire_at),
        "email_server": space.email_server,
        "carddav_servers": list(space.carddav_servers),
        "digest_authentication_configuration": show_digest(space.digest) if space.digest else None,
        "oidc_authentication_configuration": space.oidc,
    }
    return cast("SpaceAnswer", answer)


def show_digest(digest: DigestConfiguration) -> DigestAnswer:
    """Return how passwords are hashed."""
    return DigestAnswer(realm=digest.realm, default_password_algorithm=digest.default_password_algorithm)
