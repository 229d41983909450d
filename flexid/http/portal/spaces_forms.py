"""What the forms of a Space send: each names its own columns, and no others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, InstanceOf

from flexid.base.text import Text
from flexid.domain import logos, names
from flexid.domain.errors import Invalid
from flexid.domain.logos import Logo
from flexid.http.api.spaces import Count, Hue
from flexid.http.bodies import Upload
from flexid.http.inputs import AnyText, Day, Flag, Input, Line255, Text64, Text255, refuse


def _logo(value: object) -> Logo:
    if not isinstance(value, Upload):
        raise refuse(Text("It must be a file"))
    try:
        return logos.read(value.content)
    except Invalid as invalid:
        raise refuse(invalid.reason) from None


def _email(value: str) -> str:
    if names.email_fault(value):
        raise refuse(Text("This is not an email address. Write one such as news@example.org"))
    return value


def _unix_lines(value: str) -> str:
    # Browsers end lines in their own way; what was stored by the API comes back as it was.
    return value.replace("\r\n", "\n")


def tidy_name(value: str) -> str:
    """Return a domain or host as it is stored."""
    return value.strip().lower()


Lines = Annotated[AnyText, AfterValidator(_unix_lines)]
Email = Annotated[AnyText, AfterValidator(str.strip), AfterValidator(_email)]
LogoFile = Annotated[InstanceOf[Logo], BeforeValidator(_logo)]
Domain = Annotated[Text64, AfterValidator(tidy_name)]
Host = Annotated[Text255, AfterValidator(tidy_name)]


class NewSpaceForm(Input):
    """A new Space; all else takes its default."""

    name: Line255
    domain: Domain
    host: Host
    max_accounts: Count = 0
    expire_at: Day | None = None
    super: Flag = False
    public_registration: Flag = False
    phone_registration: Flag = False


class ConfigurationForm(Input):
    """How a Space looks, who may register, and what its apps receive."""

    theme_hue: Hue
    logo: LogoFile | None = None
    remove_logo: Flag = False
    copyright_text: AnyText | None = None
    newsletter_registration_address: Email | None = None
    intro_registration_text: Lines | None = None
    public_registration: Flag = False
    phone_registration: Flag = False
    custom_provisioning_entries: Lines | None = None
    custom_provisioning_overwrite_all: Flag = False

    def columns(self) -> dict[str, Any]:
        """Return what is stored with the Space."""
        return self.model_dump(exclude={"logo", "remove_logo"})


class AppForm(Input):
    """What Linphone shows to the users of a Space."""

    disable_chat_feature: Flag = False
    disable_meetings_feature: Flag = False
    disable_broadcast_feature: Flag = False
    disable_call_recordings_feature: Flag = False
    only_display_sip_uri_username: Flag = False
    hide_settings: Flag = False
    hide_account_settings: Flag = False
    assistant_hide_create_account: Flag = False
    assistant_hide_third_party_account: Flag = False
    assistant_disable_qr_code: Flag = False
    max_account: Count = 0


class AdministrationForm(Input):
    """What only super administrators change of a Space."""

    name: Line255
    host: Host
    account_proxy_registrar_address: Line255 | None = None
    max_accounts: Count = 0
    expire_at: Day | None = None
    super: Flag = False
    web_panel: Flag = False
    unique_email: Flag = False
    client_certificate_authentication: Flag = False
    intercom_features: Flag = False
    carddav_user_credentials: Flag = False


class DeletionForm(Input):
    """The domain of the Space, typed."""

    identifier: AnyText
