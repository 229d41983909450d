"""Databases as Flexisip Account Manager makes them, on MariaDB and on PostgreSQL: facts about tables and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

import psycopg2
from attrs import define
from support.mariadb import MariaDb

Server = Literal["mariadb", "postgresql"]
Version = Literal["2.1", "2.0", "before 2.0", "before 1.5"]

# name: column type, …; `?` may be null, `=` has a default.
FACTS = """\
account_account_type: account_id int(10), account_type_id int(10), created_at timestamp?, updated_at
        timestamp?
account_actions: id bigint(20), account_id int(10), key varchar(255), code varchar(255), created_at
        timestamp?, updated_at timestamp?
account_carddav_credentials: username varchar(64), password varchar(255), realm varchar(255), algorithm
        varchar(10)='MD5', space_carddav_server_id bigint(20), account_id int(10), created_at timestamp?,
        updated_at timestamp?
account_contacts_list: account_id int(10), contacts_list_id bigint(20), created_at timestamp?, updated_at
        timestamp?
account_creation_request_tokens: id bigint(20), token varchar(16), used tinyint(1)=0, validated_at
        datetime?, acc_creation_token_id bigint(20)?, created_at timestamp?, updated_at timestamp?, ip
        varchar(255)?, user_agent varchar(255)?
account_creation_tokens: id bigint(20), token varchar(255), pn_provider varchar(255)?, pn_param
        varchar(255)?, pn_prid varchar(255)?, used tinyint(1)=0, created_at timestamp?, updated_at timestamp?,
        account_id int(10)?, ip varchar(255)?, user_agent varchar(255)?
account_dictionary_entries: id bigint(20), key varchar(255), value varchar(255), account_id int(10),
        created_at timestamp?, updated_at timestamp?
account_files: id char(36), account_id int(10)?, name varchar(255)?, size int(11)?, content_type
        varchar(255), sip_from text?, uploaded_at datetime?, sending_by_mail_at datetime?,
        sending_by_mail_tryouts int(11)=0, sent_by_mail_at datetime?, created_at timestamp?, updated_at
        timestamp?
account_recovery_tokens: id bigint(20), token varchar(255), pn_provider varchar(255), pn_param
        varchar(255), pn_prid varchar(255), used tinyint(1)=0, ip varchar(255)?, user_agent varchar(255)?,
        account_id int(10)?, created_at timestamp?, updated_at timestamp?
account_types: id int(10), key varchar(64), created_at timestamp?, updated_at timestamp?
accounts: id int(10), username varchar(64), domain varchar(64), email varchar(64)?, activated tinyint(1)=0,
        ip_address varchar(39), user_agent varchar(256), created_at datetime, expire_time datetime?,
        display_name varchar(255)?, dtmf_protocol varchar(255)?, updated_at datetime?, blocked tinyint(1)=0,
        admin tinyint(1)=0, phone varchar(64)?
accounts_tombstones: id bigint(20), username varchar(64), domain varchar(64), created_at timestamp?,
        updated_at timestamp?
api_keys: id int(10), account_id int(10), key varchar(160), created_at timestamp?, updated_at timestamp?,
        last_used_at datetime, ip varchar(255)?, requests int(11)=0, name varchar(255)?,
        expires_after_last_used_minutes int(11)?
auth_tokens: id bigint(20), account_id int(10)?, token varchar(32), created_at timestamp?, updated_at
        timestamp?, ip varchar(255)?, user_agent varchar(255)?
call_forwardings: id bigint(20), account_id int(10)?, type varchar(255), forward_to varchar(255), sip_uri
        varchar(255)?, enabled tinyint(1)=0, contact_id int(10)?, created_at timestamp?, updated_at timestamp?
contacts: account_id int(10), contact_id int(10), created_at timestamp?, updated_at timestamp?
contacts_list_contact: contact_id int(10), contacts_list_id bigint(20), created_at timestamp?, updated_at
        timestamp?
contacts_lists: id bigint(20), title varchar(255), description text?, created_at timestamp?, updated_at
        timestamp?, space_id bigint(20)
email_change_codes: id int(10), account_id int(10), code varchar(255)?, email varchar(255), created_at
        timestamp?, updated_at timestamp?, ip varchar(255)?, user_agent varchar(255)?
external_accounts: id bigint(20), username varchar(64), domain varchar(64), password varchar(255),
        algorithm varchar(10)='MD5', realm varchar(64)?, registrar varchar(64)?, outbound_proxy varchar(64)?,
        protocol varchar(4)='UDP', account_id int(10), created_at timestamp?, updated_at timestamp?
opaques: id int(10), account_id int(10), nonce varchar(255), nc int(11)=0, created_at timestamp?,
        updated_at timestamp?, ip varchar(255), opaque varchar(64)
passwords: id int(10), account_id int(10), password varchar(255), algorithm varchar(10)='MD5'
phone_change_codes: id int(10), account_id int(10), code varchar(255)?, phone varchar(255), created_at
        timestamp?, updated_at timestamp?, ip varchar(255)?, user_agent varchar(255)?
phone_countries: code varchar(2), country_code varchar(3), activated tinyint(1)=0, created_at timestamp?,
        updated_at timestamp?
provisioning_tokens: id int(10), account_id int(10), token varchar(255)?, used tinyint(1)=0, created_at
        timestamp?, updated_at timestamp?, ip varchar(255)?, user_agent varchar(255)?
recovery_codes: id int(10), account_id int(10), code varchar(255)?, created_at timestamp?, updated_at
        timestamp?, ip varchar(255)?, user_agent varchar(255)?, phone varchar(255)?, email varchar(255)?,
        attempts tinyint(4)=0
reset_password_email_tokens: id bigint(20), token varchar(16), used tinyint(1)=0, email varchar(255),
        account_id int(10), ip varchar(255)?, user_agent varchar(255)?, created_at timestamp?, updated_at
        timestamp?
space_carddav_servers: id bigint(20), space_id bigint(20), enabled tinyint(1)=1, uri varchar(255),
        min_characters int(11)=3, results_limit int(11)=0, timeout int(11)=5, delay int(11)=500,
        fields_for_user_input varchar(255)?, fields_for_domain varchar(255)?, use_exact_match_policy
        tinyint(1)=0, created_at timestamp?, updated_at timestamp?
space_digest_authentication_configurations: id bigint(20), realm varchar(255), default_password_algorithm
        varchar(10)='SHA-256', space_id bigint(20), created_at timestamp?, updated_at timestamp?
space_email_servers: id bigint(20), host varchar(64), port int(11), username varchar(128)?, password
        varchar(128)?, from_address varchar(128)?, from_name varchar(128)?, signature varchar(256)?, space_id
        bigint(20), created_at timestamp?, updated_at timestamp?
space_oidc_authentication_configurations: id bigint(20), server_url varchar(255), realm varchar(255),
        sip_identifier varchar(255)='sip_identity', public_key text?, client_id varchar(255)?, client_secret
        varchar(255)?, auto_provisioning tinyint(1)?=0, role_provisioning varchar(255)?, space_id bigint(20),
        created_at timestamp?, updated_at timestamp?
spaces: id bigint(20), domain varchar(64), super tinyint(1)=0, created_at timestamp?, updated_at
        timestamp?, disable_chat_feature tinyint(1)=0, disable_meetings_feature tinyint(1)=0,
        disable_broadcast_feature tinyint(1)=1, max_account int(11)=0, hide_settings tinyint(1)=0,
        hide_account_settings tinyint(1)=0, disable_call_recordings_feature tinyint(1)=0,
        only_display_sip_uri_username tinyint(1)=0, assistant_hide_create_account tinyint(1)=0,
        assistant_disable_qr_code tinyint(1)=0, assistant_hide_third_party_account tinyint(1)=0, host
        varchar(255), max_accounts int(11)=0, expire_at datetime?, copyright_text text?,
        intro_registration_text text?, newsletter_registration_address varchar(255)?,
        account_proxy_registrar_address varchar(255)?, custom_provisioning_entries text?,
        custom_provisioning_overwrite_all tinyint(1)=0, web_panel tinyint(1)=1, public_registration
        tinyint(1)=1, phone_registration tinyint(1)=1, intercom_features tinyint(1)=0, name varchar(255),
        unique_email tinyint(1)=1, carddav_user_credentials tinyint(1)=0, theme_hue int(11)?, logo
        varchar(255)?, client_certificate_authentication tinyint(1)=0
statistics_call_devices: id bigint(20), call_id varchar(64), device_id varchar(64), rang_at datetime?,
        invite_terminated_at datetime?, invite_terminated_state varchar(255)?, created_at timestamp?,
        updated_at timestamp?
statistics_calls: id varchar(64), from_username varchar(256), from_domain varchar(256), to_username
        varchar(256), to_domain varchar(256), initiated_at datetime, ended_at datetime?, conference_id
        varchar(255)?, created_at timestamp?, updated_at timestamp?
statistics_message_devices: id bigint(20), message_id varchar(64), to_username varchar(256), to_domain
        varchar(256), device_id varchar(64), last_status int(11), received_at datetime, created_at timestamp?,
        updated_at timestamp?
statistics_messages: id varchar(64), from_username varchar(256), from_domain varchar(256), sent_at
        datetime, encrypted tinyint(1)=0, conference_id varchar(255)?, created_at timestamp?, updated_at
        timestamp?
vcards_storage: id bigint(20), uuid varchar(45), vcard text, account_id int(10), created_at timestamp?,
        updated_at timestamp?
wizards: token varchar(8), account_id int(10), provisioning_account_id int(10)?, sip varchar(255)?,
        linphone_action varchar(255)?, linphone_use_sips tinyint(1)?, used_at timestamp?, created_at
        timestamp?, updated_at timestamp?"""
TABLES = {
    name: re.sub(r"\s+", " ", columns).split(", ")
    for name, columns in re.findall(r"^(\w+): (.*(?:\n {4}.*)*)", FACTS, re.MULTILINE)
}
POSTGRESQL = {"tinyint(1)": "boolean", "tinyint": "smallint", "int": "integer", "bigint": "bigint"}
PER_SPACE = ("space_digest_authentication_configurations", "space_oidc_authentication_configurations")
SIP_DOMAINS = ["id bigint(20)", "domain varchar(64)", "super tinyint(1)=0", "created_at timestamp?"]


def tables(version: Version) -> dict[str, list[str]]:
    """Return the tables of a version with their columns."""
    found = {name: list(columns) for name, columns in TABLES.items()}
    if version != "2.1":
        found["nonces"] = found.pop("opaques")
        for name in PER_SPACE:
            del found[name]
    if version in {"before 2.0", "before 1.5"}:
        for name in [name for name in found if name.startswith("space")]:
            del found[name]
        del found["account_carddav_credentials"]
        found["sip_domains"] = SIP_DOMAINS
        found["contacts_lists"] = [column for column in found["contacts_lists"] if "space_id" not in column]
    if version == "before 1.5":
        found["admins"] = ["id int(10)", "account_id int(10)"]
        found["accounts"] = [column for column in found["accounts"] if not column.startswith(("admin", "phone"))]
    return found


@define
class Upstream:
    """A database of Flexisip Account Manager."""

    url: str
    server: Server
    connection: Any

    @classmethod
    def on_mariadb(cls, server: MariaDb) -> Upstream:
        name = server.create_database()
        connection = server.connect(name)
        with connection.cursor() as cursor:
            cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        return cls(server.url(name), "mariadb", connection)

    @classmethod
    def on_postgresql(cls, dsn: str) -> Upstream:
        connection = psycopg2.connect(dsn)
        connection.autocommit = True
        parts = connection.get_dsn_parameters()
        return cls(
            f"postgresql:///{parts['dbname']}?host={parts['host']}&user={parts['user']}", "postgresql", connection
        )

    def create(self, version: Version) -> None:
        for name, columns in tables(version).items():
            declared = ", ".join(self._column(column) for column in columns)
            # Old tables are in latin1, those that hold what people write in utf8mb4.
            charset = " CHARACTER SET utf8mb4" if name in {"accounts", "vcards_storage"} else ""
            self.run(f"CREATE TABLE {self._quoted(name)} ({declared}){charset if self.server == 'mariadb' else ''}")

    def add(self, table: str, **values: Any) -> None:
        self.add_many(table, tuple(values), [tuple(values.values())])

    def add_many(self, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
        names = [self._quoted(column) for column in columns]
        places = ", ".join(["%s"] * len(names))
        with self.connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {self._quoted(table)} ({', '.join(names)}) VALUES ({places})", list(rows))

    def run(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def close(self) -> None:
        self.connection.close()

    def _quoted(self, name: str) -> str:
        return f"`{name}`" if self.server == "mariadb" else f'"{name}"'

    def _column(self, declared: str) -> str:
        name, kind = declared.split(" ", 1)
        kind, _, default = kind.replace("'", "").partition("=")
        nullable = "NULL" if kind.endswith("?") else "NOT NULL"
        kind = kind.rstrip("?")
        if self.server == "postgresql":
            bare = kind.partition("(")[0]
            kind = POSTGRESQL.get(kind) or POSTGRESQL.get(bare) or ("timestamp(0)" if bare == "datetime" else kind)
            default = {"0": "false", "1": "true"}.get(default, default) if kind == "boolean" else default
        elif kind in {"datetime", "timestamp"} and nullable == "NOT NULL":
            default = default or "0000-00-00 00:00:00"
        given = f" DEFAULT {default if default in {'true', 'false'} else repr(default)}" if default else ""
        return f"{self._quoted(name)} {kind} {nullable}{given}"
