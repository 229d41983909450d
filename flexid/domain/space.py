"""Spaces: the tenants."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from flexid.domain import urls


@frozen
class DigestConfiguration:
    """How passwords of a Space are hashed: the realm, and the algorithm of new ones."""

    realm: str
    default_password_algorithm: str = "SHA-256"  # noqa: S105  # the name of a hash


@frozen
class Space:
    """One SIP domain, served under one HTTP host."""

    id: int
    domain: str
    host: str
    name: str
    super: bool
    web_panel: bool
    public_registration: bool
    phone_registration: bool
    intercom_features: bool
    unique_email: bool
    carddav_user_credentials: bool
    client_certificate_authentication: bool
    custom_provisioning_overwrite_all: bool
    custom_provisioning_entries: str | None
    assistant_disable_qr_code: bool
    assistant_hide_create_account: bool
    assistant_hide_third_party_account: bool
    disable_broadcast_feature: bool
    disable_call_recordings_feature: bool
    disable_chat_feature: bool
    disable_meetings_feature: bool
    hide_account_settings: bool
    hide_settings: bool
    only_display_sip_uri_username: bool
    max_account: int
    max_accounts: int
    expire_at: datetime | None
    account_proxy_registrar_address: str | None
    copyright_text: str | None
    intro_registration_text: str | None
    newsletter_registration_address: str | None
    theme_hue: int
    logo: str | None
    created_at: datetime
    updated_at: datetime
    digest: DigestConfiguration | None
    email_server: dict[str, Any] | None
    carddav_servers: tuple[dict[str, Any], ...]
    oidc: dict[str, Any] | None

    @property
    def realm(self) -> str:
        """Return the string hashed into passwords."""
        return self.digest.realm if self.digest else self.domain

    @property
    def sign_in_service(self) -> str | None:
        """Return the host of the OpenID server where people sign in to the portal; None where they do not."""
        return urls.host_of(self.oidc["server_url"]) if self.oidc and self.oidc["client_id"] else None

    def is_expired(self, now: datetime) -> bool:
        """Say whether the Space's time is over."""
        return self.expire_at is not None and self.expire_at <= now

    def days_left(self, now: datetime) -> int | None:
        """Return how many days the Space is open yet, a begun one counted; 0 if expired, None if it never will be."""
        if self.expire_at is None:
            return None
        return max(0, -((now - self.expire_at) // timedelta(days=1)))


@frozen
class SpaceAdministrator:
    """An administrator, as the page of its Space lists it."""

    id: int
    username: str
    display_name: str | None
    activated: bool
    blocked: bool


@frozen
class SpaceFigures:
    """Who is in a Space: how many accounts, and its first administrators."""

    accounts: int
    administrators: tuple[SpaceAdministrator, ...]
