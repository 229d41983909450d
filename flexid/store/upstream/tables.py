"""The tables of Flexisip Account Manager 1.5 to 2.1, as far as they are moved.

A column is written `name` if it holds text, else `name:kind`. Older versions lack some columns, and some tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen

from flexid.store.upstream import tidying
from flexid.store.upstream.findings import Fate

Kind = Literal["text", "number", "flag", "moment"]
Note = Callable[[str, Fate], None]
Tidy = Callable[[dict[str, Any], Note], bool]


def _columns(declared: str) -> Mapping[str, Kind]:
    kinds: dict[str, Kind] = {}
    for each in declared.split():
        name, _, kind = each.partition(":")
        kinds[name] = kind or "text"  # type: ignore[assignment]  # test_declared_kinds looks at them
    return kinds


@frozen
class Table:
    """A table; `tidy` mends a row in place, and returns False to leave it out. `key` names its rows in findings."""

    name: str
    columns: Mapping[str, Kind] = field(converter=_columns)
    key: tuple[str, ...] = ("id",)
    tidy: Tidy | None = None
    older_names: tuple[str, ...] = ()

    @property
    def staging(self) -> str:
        """Return the name of the temporary table that its rows wait in."""
        return f"up_{self.name}"

    def find(self, there: Mapping[str, Sequence[str]]) -> str | None:
        """Return the name that it has in a database."""
        return next((name for name in (self.name, *self.older_names) if name in there), None)


_STAMPS = "created_at:moment updated_at:moment"
_ORIGIN = f"ip user_agent {_STAMPS}"
_PUSH = "pn_provider pn_param pn_prid used:flag"
SPACE_FLAGS = (
    "super",
    "web_panel",
    "public_registration",
    "phone_registration",
    "intercom_features",
    "unique_email",
    "carddav_user_credentials",
    "client_certificate_authentication",
    "custom_provisioning_overwrite_all",
    "assistant_disable_qr_code",
    "assistant_hide_create_account",
    "assistant_hide_third_party_account",
    "disable_broadcast_feature",
    "disable_call_recordings_feature",
    "disable_chat_feature",
    "disable_meetings_feature",
    "hide_account_settings",
    "hide_settings",
    "only_display_sip_uri_username",
)
SPACE_TEXTS = (
    "account_proxy_registrar_address",
    "copyright_text",
    "intro_registration_text",
    "newsletter_registration_address",
    "custom_provisioning_entries",
)
"""Columns of Spaces that we have under the same names."""

TABLES = (
    Table(
        "spaces",
        "id:number domain host name max_account:number max_accounts:number theme_hue:number logo expire_at:moment "
        f"{' '.join(f'{flag}:flag' for flag in SPACE_FLAGS)} {' '.join(SPACE_TEXTS)} {_STAMPS}",
        tidy=tidying.space,
        older_names=("sip_domains",),
    ),
    Table(
        "space_digest_authentication_configurations",
        f"id:number space_id:number realm default_password_algorithm {_STAMPS}",
        tidy=tidying.digest,
    ),
    Table(
        "space_oidc_authentication_configurations",
        "id:number space_id:number server_url realm sip_identifier public_key client_id client_secret "
        f"auto_provisioning:flag role_provisioning {_STAMPS}",
        tidy=tidying.oidc,
    ),
    Table(
        "space_email_servers",
        f"id:number space_id:number host port:number username password from_address from_name signature {_STAMPS}",
        tidy=tidying.email_server,
    ),
    Table(
        "space_carddav_servers",
        "id:number space_id:number enabled:flag uri min_characters:number results_limit:number timeout:number "
        f"delay:number fields_for_user_input fields_for_domain use_exact_match_policy:flag {_STAMPS}",
        tidy=tidying.carddav_server,
    ),
    Table("phone_countries", f"code country_code activated:flag {_STAMPS}", key=("code",)),
    Table(
        "accounts",
        "id:number username domain email phone display_name dtmf_protocol activated:flag admin:flag blocked:flag "
        f"ip_address user_agent expire_time:moment {_STAMPS}",
        tidy=tidying.account,
    ),
    Table("admins", "account_id:number", key=("account_id",)),
    Table("passwords", "id:number account_id:number password algorithm", tidy=tidying.password),
    Table(
        "api_keys",
        "id:number account_id:number key name ip requests:number expires_after_last_used_minutes:number "
        f"last_used_at:moment {_STAMPS}",
        tidy=tidying.api_key,
    ),
    Table("accounts_tombstones", f"id:number username domain {_STAMPS}", tidy=tidying.tombstone),
    Table("account_dictionary_entries", f"id:number account_id:number key value {_STAMPS}", tidy=tidying.entry),
    Table("account_types", f"id:number key {_STAMPS}", tidy=tidying.account_type),
    Table(
        "account_account_type",
        f"account_id:number account_type_id:number {_STAMPS}",
        key=("account_id", "account_type_id"),
    ),
    Table("account_actions", f"id:number account_id:number key code {_STAMPS}", tidy=tidying.action),
    Table(
        "account_carddav_credentials",
        f"username password realm algorithm space_carddav_server_id:number account_id:number {_STAMPS}",
        key=("account_id", "space_carddav_server_id"),
        tidy=tidying.hashed,
    ),
    Table("contacts", f"account_id:number contact_id:number {_STAMPS}", key=("account_id", "contact_id")),
    Table("contacts_lists", f"id:number title description space_id:number {_STAMPS}"),
    Table(
        "contacts_list_contact",
        f"contact_id:number contacts_list_id:number {_STAMPS}",
        key=("contacts_list_id", "contact_id"),
    ),
    Table(
        "account_contacts_list",
        f"account_id:number contacts_list_id:number {_STAMPS}",
        key=("account_id", "contacts_list_id"),
    ),
    Table("vcards_storage", f"id:number uuid vcard account_id:number {_STAMPS}", tidy=tidying.vcard),
    Table(
        "account_files",
        "id account_id:number name size:number content_type sip_from uploaded_at:moment sending_by_mail_at:moment "
        f"sending_by_mail_tryouts:number sent_by_mail_at:moment {_STAMPS}",
        tidy=tidying.file,
    ),
    Table(
        "call_forwardings",
        f"id:number account_id:number type forward_to sip_uri enabled:flag contact_id:number {_STAMPS}",
        tidy=tidying.call_forwarding,
    ),
    Table(
        "external_accounts",
        "id:number username domain password algorithm realm registrar outbound_proxy protocol account_id:number "
        f"{_STAMPS}",
        tidy=tidying.external_account,
    ),
    Table("account_creation_tokens", f"id:number token account_id:number {_PUSH} {_ORIGIN}"),
    Table(
        "account_creation_request_tokens",
        f"id:number token used:flag validated_at:moment acc_creation_token_id:number {_ORIGIN}",
    ),
    Table("account_recovery_tokens", f"id:number token account_id:number {_PUSH} {_ORIGIN}"),
    Table("auth_tokens", f"id:number account_id:number token {_ORIGIN}"),
    Table("provisioning_tokens", f"id:number account_id:number token used:flag {_ORIGIN}"),
    Table("reset_password_email_tokens", f"id:number token used:flag email account_id:number {_ORIGIN}"),
    Table("email_change_codes", f"id:number account_id:number code email {_ORIGIN}"),
    Table("phone_change_codes", f"id:number account_id:number code phone {_ORIGIN}"),
    Table("recovery_codes", f"id:number account_id:number code phone email attempts:number {_ORIGIN}"),
    Table(
        "wizards",
        "token account_id:number provisioning_account_id:number sip linphone_action linphone_use_sips:flag "
        f"used_at:moment {_STAMPS}",
        key=("token",),
        tidy=tidying.wizard,
    ),
    Table(
        "statistics_calls",
        "id from_username from_domain to_username to_domain initiated_at:moment ended_at:moment conference_id "
        f"{_STAMPS}",
        tidy=tidying.call,
    ),
    Table(
        "statistics_call_devices",
        f"id:number call_id device_id rang_at:moment invite_terminated_at:moment invite_terminated_state {_STAMPS}",
        tidy=tidying.call_device,
    ),
    Table(
        "statistics_messages",
        f"id from_username from_domain sent_at:moment encrypted:flag conference_id {_STAMPS}",
        tidy=tidying.message,
    ),
    Table(
        "statistics_message_devices",
        f"id:number message_id to_username to_domain device_id last_status:number received_at:moment {_STAMPS}",
    ),
)

NEEDLESS = frozenset(
    {
        "cache",
        "cache_locks",
        "failed_jobs",
        "job_batches",
        "jobs",
        "migrations",
        "nonces",
        "opaques",
        "password_resets",
        "password_reset_tokens",
        "sessions",
    }
)
"""Tables of what only the running service needs, by names that are usual for such services."""
