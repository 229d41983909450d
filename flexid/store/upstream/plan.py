"""All that is moved, in the order in which it can be."""

from __future__ import annotations

from flexid.store.upstream import belongings, moves, traffic
from flexid.store.upstream.moves import OUR_SPACE, Move

DIGEST = "space_digest_authentication_configurations"
_OIDC = "space_oidc_authentication_configurations"
_SAME = "SELECT count(*) FROM up_{table} u JOIN {table} t ON {condition}"
_LIST = """
    FROM up_{table} u JOIN up_contacts_lists ul ON ul.id = u.contacts_list_id
    WHERE EXISTS (SELECT FROM {table} t JOIN contacts_lists l ON l.id = t.contacts_list_id
        WHERE t.{column} = u.{column} AND l.title = ul.title)
"""


def plan(present: dict[str, frozenset[str]]) -> list[Move]:
    """Return what is to be done; `present` are the columns of the tables that the other database has."""
    per_space = DIGEST in present
    return [
        Move(
            "spaces",
            (*moves.SPACES, moves.space_fields(present.get("spaces", frozenset()))),
            _same("spaces", "(t.domain, t.host, t.name) = (u.domain, u.host, u.name)"),
        ),
        Move(DIGEST, moves.digest(per_space=per_space), _of_space(DIGEST, "t.realm = u.realm")),
        Move(_OIDC, moves.OIDC, _of_space(_OIDC, "t.server_url = u.server_url AND t.realm = u.realm")),
        Move("space_email_servers", moves.EMAIL_SERVERS, _of_space("space_email_servers", "t.host = u.host")),
        Move("space_carddav_servers", moves.CARDDAV_SERVERS, _of_space("space_carddav_servers", "t.uri = u.uri")),
        Move(
            "phone_countries",
            moves.PHONE_COUNTRIES,
            _same("phone_countries", "t.code = u.code AND t.activated = coalesce(u.activated, t.activated)"),
        ),
        Move(
            "accounts",
            moves.ACCOUNTS,
            f"""
            SELECT count(*) FROM up_accounts u JOIN accounts a ON a.id = u.id AND a.domain = u.domain
            WHERE NOT {moves.DIFFERS}
            """,
        ),
        Move(
            "passwords",
            moves.PASSWORDS,
            _same("passwords", "(t.account_id, t.algorithm, t.password) = (u.account_id, u.algorithm, u.password)"),
        ),
        Move(
            "api_keys",
            moves.API_KEYS,
            _same("api_keys", "t.account_id = u.account_id AND t.key_hash = sha256(convert_to(u.key, 'UTF8'))"),
        ),
        Move(
            "accounts_tombstones",
            moves.TOMBSTONES,
            """
            SELECT count(*) FROM up_accounts_tombstones u
            JOIN account_names n ON n.domain = u.domain AND n.name = u.username AND n.kind = 'tombstone'
            """,
        ),
        *_belongings(),
        *traffic.moves(),
        *traffic.statistics(),
        # What is moved may pass through more than is allowed.
        Move("limits of Spaces", moves.LIMITS, ""),
    ]


def _belongings() -> list[Move]:
    return [
        Move(
            "account_dictionary_entries",
            belongings.DICTIONARY,
            _same("account_dictionary_entries", "(t.account_id, t.key, t.value) = (u.account_id, u.key, u.value)"),
        ),
        Move(
            "account_types",
            belongings.TYPES,
            """
            SELECT count(DISTINCT u.id) FROM up_account_types u JOIN type_spaces p USING (id)
            JOIN spaces s ON s.domain = p.domain JOIN account_types t ON t.space_id = s.id AND t.key = u.key
            """,
        ),
        Move(
            "account_account_type",
            belongings.TYPES_OF_ACCOUNTS,
            """
            SELECT count(*) FROM up_account_account_type u JOIN up_account_types k ON k.id = u.account_type_id
            WHERE EXISTS (SELECT FROM account_account_type x JOIN account_types t ON t.id = x.account_type_id
                WHERE x.account_id = u.account_id AND t.key = k.key)
            """,
        ),
        Move(
            "account_actions",
            belongings.ACTIONS,
            """
            SELECT count(*) FROM up_account_actions u WHERE EXISTS (
                SELECT FROM account_actions t WHERE (t.account_id, t.key, t.code) = (u.account_id, u.key, u.code))
            """,
        ),
        Move(
            "account_carddav_credentials",
            belongings.CARDDAV_CREDENTIALS,
            """
            SELECT count(*) FROM up_account_carddav_credentials u WHERE EXISTS (
                SELECT FROM account_carddav_credentials t
                WHERE t.account_id = u.account_id AND t.password = u.password)
            """,
        ),
        Move(
            "contacts",
            belongings.CONTACTS,
            _same("contacts", "(t.account_id, t.contact_id) = (u.account_id, u.contact_id)"),
        ),
        Move(
            "contacts_lists",
            belongings.LISTS,
            """
            SELECT count(DISTINCT u.id) FROM up_contacts_lists u JOIN list_spaces p USING (id)
            JOIN spaces s ON s.domain = p.domain JOIN contacts_lists t ON t.space_id = s.id AND t.title = u.title
            """,
        ),
        Move(
            "contacts_list_contact",
            belongings.MEMBERS,
            "SELECT count(*)" + _LIST.format(table="contacts_list_contact", column="contact_id"),
        ),
        Move(
            "account_contacts_list",
            belongings.LISTS_OF_ACCOUNTS,
            "SELECT count(*)" + _LIST.format(table="account_contacts_list", column="account_id"),
        ),
        Move(
            "vcards_storage",
            belongings.VCARDS,
            _same("vcards_storage", "(t.account_id, t.uuid, t.vcard) = (u.account_id, u.uuid, u.vcard)"),
        ),
        Move(
            "account_files",
            belongings.FILES,
            _same("account_files", "t.id = u.id::uuid AND t.account_id = u.account_id"),
        ),
        Move(
            "call_forwardings",
            belongings.FORWARDINGS,
            _same("call_forwardings", "(t.account_id, t.type, t.forward_to) = (u.account_id, u.type, u.forward_to)"),
        ),
        Move(
            "external_accounts",
            belongings.EXTERNAL_ACCOUNTS,
            _same(
                "external_accounts",
                "(t.account_id, t.username, t.domain, t.password) = (u.account_id, u.username, u.domain, u.password)",
            ),
        ),
        Move("wizards", belongings.WIZARDS, _same("wizards", "t.token = u.token")),
    ]


def _same(table: str, condition: str) -> str:
    return _SAME.format(table=table, condition=condition)


def _of_space(table: str, condition: str) -> str:
    return (
        f"SELECT count(*) FROM up_{table} u {OUR_SPACE} "
        f"WHERE EXISTS (SELECT FROM {table} t WHERE t.space_id = s.id AND {condition})"
    )
