"""What belongs to accounts and Spaces, from the staging tables into ours."""

from __future__ import annotations

from flexid.store.upstream.moves import OUR_SPACE, STAMPED


def _id(table: str) -> str:
    """Return an expression: the id that a row had, or where somebody has it here one past all."""
    return f"""
        CASE WHEN NOT EXISTS (SELECT FROM {table} x WHERE x.id = u.id) THEN u.id ELSE row_number() OVER () + greatest(
            (SELECT coalesce(max(id), 0) FROM {table}), (SELECT coalesce(max(id), 0) FROM up_{table})
        ) END
    """


DICTIONARY = (
    f"""
    INSERT INTO account_dictionary_entries AS e (account_id, key, value, created_at, updated_at)
    SELECT u.account_id, u.key, u.value, {STAMPED} FROM up_account_dictionary_entries u
    ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
    WHERE e.value <> excluded.value
    """,
)
TYPES = (
    f"""
    INSERT INTO account_types (space_id, key, created_at, updated_at)
    SELECT DISTINCT ON (s.id, u.key) s.id, u.key, {STAMPED}
    FROM up_account_types u JOIN type_spaces p USING (id) JOIN spaces s ON s.domain = p.domain
    ORDER BY s.id, u.key, u.id ON CONFLICT DO NOTHING
    """,
)
TYPES_OF_ACCOUNTS = (
    """
    INSERT INTO account_account_type (account_id, account_type_id)
    SELECT DISTINCT u.account_id, t.id
    FROM up_account_account_type u JOIN up_account_types k ON k.id = u.account_type_id
    JOIN accounts a ON a.id = u.account_id JOIN spaces s ON s.domain = a.domain
    JOIN account_types t ON t.space_id = s.id AND t.key = k.key ON CONFLICT DO NOTHING
    """,
)
# An action has no name of its own: those of the same key are replaced, others of the account are kept.
ACTIONS = (
    """
    DELETE FROM account_actions x USING up_account_actions u WHERE u.account_id = x.account_id AND u.key = x.key
    """,
    f"""
    INSERT INTO account_actions (id, account_id, key, code, created_at, updated_at)
    SELECT {_id("account_actions")}, u.account_id, u.key, u.code, {STAMPED} FROM up_account_actions u
    """,
)
CARDDAV_CREDENTIALS = (
    f"""
    INSERT INTO account_carddav_credentials
        (account_id, space_carddav_server_id, username, password, realm, algorithm, created_at, updated_at)
    SELECT u.account_id, c.id, coalesce(u.username, ''), u.password, coalesce(u.realm, ''), u.algorithm, {STAMPED}
    FROM up_account_carddav_credentials u JOIN (
        SELECT u.id AS there, min(c.id) AS id FROM up_space_carddav_servers u {OUR_SPACE}
        JOIN space_carddav_servers c ON c.space_id = s.id AND c.uri = u.uri GROUP BY u.id
    ) c ON c.there = u.space_carddav_server_id
    ON CONFLICT (account_id, space_carddav_server_id) DO UPDATE SET username = excluded.username,
        password = excluded.password, realm = excluded.realm, algorithm = excluded.algorithm
    """,
)
CONTACTS = (
    """
    INSERT INTO contacts (account_id, contact_id, created_at)
    SELECT u.account_id, u.contact_id, coalesce(u.created_at, now()) FROM up_contacts u ON CONFLICT DO NOTHING
    """,
)
_OUR_LIST = """
    JOIN up_contacts_lists ul ON ul.id = u.contacts_list_id JOIN list_spaces p ON p.id = ul.id
    JOIN spaces s ON s.domain = p.domain JOIN contacts_lists l ON l.space_id = s.id AND l.title = ul.title
"""
LISTS = (
    f"""
    INSERT INTO contacts_lists (id, space_id, title, description, created_at, updated_at)
    SELECT CASE WHEN p.number = 1 AND NOT EXISTS (SELECT FROM contacts_lists x WHERE x.id = u.id) THEN u.id
        ELSE row_number() OVER () + greatest(
            (SELECT coalesce(max(id), 0) FROM contacts_lists), (SELECT max(id) FROM up_contacts_lists)) END,
        s.id, u.title, u.description, {STAMPED}
    FROM up_contacts_lists u JOIN list_spaces p USING (id) JOIN spaces s ON s.domain = p.domain
    ON CONFLICT (space_id, title) DO UPDATE SET description = excluded.description, updated_at = excluded.updated_at
    """,
)
MEMBERS = (
    f"""
    INSERT INTO contacts_list_contact (contacts_list_id, contact_id, created_at)
    SELECT l.id, u.contact_id, coalesce(u.created_at, now()) FROM up_contacts_list_contact u {_OUR_LIST}
    ON CONFLICT DO NOTHING
    """,
)
LISTS_OF_ACCOUNTS = (
    f"""
    INSERT INTO account_contacts_list (account_id, contacts_list_id, created_at)
    SELECT u.account_id, l.id, coalesce(u.created_at, now()) FROM up_account_contacts_list u {_OUR_LIST}
    JOIN accounts a ON a.id = u.account_id AND (ul.space_id IS NOT NULL OR a.domain = p.domain)
    ON CONFLICT DO NOTHING
    """,
)
VCARDS = (
    f"""
    INSERT INTO vcards_storage AS v (account_id, uuid, vcard, created_at, updated_at)
    SELECT u.account_id, u.uuid, u.vcard, {STAMPED} FROM up_vcards_storage u
    ON CONFLICT (account_id, uuid) DO UPDATE SET vcard = excluded.vcard, updated_at = excluded.updated_at
    WHERE v.vcard <> excluded.vcard
    """,
)
# Nobody is told today of a voicemail that lay there for days.
FILES = (
    f"""
    INSERT INTO account_files (id, account_id, name, size, content_type, sip_from, uploaded_at, mail_attempts,
        mail_attempted_at, mail_sent_at, created_at, updated_at)
    SELECT u.id::uuid, u.account_id, u.name, u.size, coalesce(u.content_type, ''), u.sip_from, u.uploaded_at,
        coalesce(u.sending_by_mail_tryouts, 0), u.sending_by_mail_at,
        coalesce(u.sent_by_mail_at, CASE WHEN u.uploaded_at < now() - interval '1 day' THEN u.uploaded_at END),
        {STAMPED}
    FROM up_account_files u
    ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, name = excluded.name, size = excluded.size,
        uploaded_at = excluded.uploaded_at
    """,
)
# All of an account at once: they exclude each other.
FORWARDINGS = (
    "DELETE FROM call_forwardings f USING up_call_forwardings u WHERE u.account_id = f.account_id",
    f"""
    INSERT INTO call_forwardings
        (id, account_id, type, forward_to, sip_uri, contact_id, enabled, created_at, updated_at)
    SELECT {_id("call_forwardings")}, u.account_id, u.type, u.forward_to, u.sip_uri, u.contact_id,
        coalesce(u.enabled, false), {STAMPED} FROM up_call_forwardings u
    """,
)
_EXTERNAL = "username, domain, password, algorithm, realm, registrar, outbound_proxy, protocol"
_THEIRS = ", ".join(f"u.{name}" for name in _EXTERNAL.split(", "))
_OURS = ", ".join(f"x.{name}" for name in _EXTERNAL.split(", "))
# The B2BUA hears of each row that is written: only of what is new to it.
EXTERNAL_ACCOUNTS = (
    f"""
    DELETE FROM external_accounts x USING up_external_accounts u
    WHERE x.account_id = u.account_id AND ({_OURS}) IS DISTINCT FROM ({_THEIRS})
    """,
    f"""
    INSERT INTO external_accounts (id, account_id, {_EXTERNAL}, created_at, updated_at)
    SELECT {_id("external_accounts")}, u.account_id, {_THEIRS}, {STAMPED} FROM up_external_accounts u
    WHERE NOT EXISTS (SELECT FROM external_accounts x WHERE x.account_id = u.account_id)
    """,
)
WIZARDS = (
    f"""
    INSERT INTO wizards (token, account_id, provisioning_account_id, sip, linphone_action, linphone_use_sips, used_at,
        created_at, updated_at)
    SELECT u.token, u.account_id, u.provisioning_account_id, u.sip, u.linphone_action, u.linphone_use_sips, u.used_at,
        {STAMPED} FROM up_wizards u
    ON CONFLICT (token) DO NOTHING
    """,
)
