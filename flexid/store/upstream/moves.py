"""Spaces and accounts, from the staging tables into ours: what is here already is replaced where it differs."""

from __future__ import annotations

from attrs import frozen

from flexid.store.upstream import quiet
from flexid.store.upstream.tables import SPACE_FLAGS, SPACE_TEXTS


@frozen
class Move:
    """What brings the rows of one table here, and a query that counts those that arrived as they should be."""

    table: str
    statements: tuple[str, ...]
    arrived: str


STAMPED = "coalesce(u.created_at, now()), coalesce(u.updated_at, u.created_at, now())"
OUR_SPACE = "JOIN up_spaces us ON us.id = u.space_id JOIN spaces s ON s.domain = us.domain"
_NUMBERS = ("max_account", "theme_hue")
_KEPT = (*SPACE_FLAGS, *_NUMBERS)

# Limits come at the end: what is moved may pass through more than is allowed.
SPACES = (
    """
    INSERT INTO spaces (domain, host, name, created_at)
    SELECT u.domain, u.host, u.name, coalesce(u.created_at, now()) FROM up_spaces u ON CONFLICT (domain) DO NOTHING
    """,
    """
    UPDATE spaces s SET unique_email = false, max_accounts = 0 FROM up_spaces u
    WHERE u.domain = s.domain AND (s.unique_email OR s.max_accounts > 0)
    """,
)


def space_fields(present: frozenset[str]) -> str:
    """Return the statement that writes the fields of Spaces, as far as the other database has them."""
    kept = [f"{name} = coalesce(u.{name}, s.{name})" for name in _KEPT if name != "unique_email"]
    texts = [f"{name} = u.{name}" for name in (*SPACE_TEXTS, "expire_at") if name in present]
    return f"""
        UPDATE spaces s SET {", ".join([*kept, *texts])}, host = u.host, name = u.name,
            updated_at = coalesce(u.updated_at, s.updated_at)
        FROM up_spaces u WHERE u.domain = s.domain
    """


LIMITS = (
    """
    UPDATE spaces s SET max_accounts = coalesce(u.max_accounts, s.max_accounts),
        unique_email = coalesce(u.unique_email, true)
    FROM up_spaces u WHERE u.domain = s.domain
    """,
)


def digest(*, per_space: bool) -> tuple[str, ...]:
    """Return what writes realms and algorithms; before 2.1 they stood elsewhere, and are given on the command line."""
    if not per_space:
        return (
            """
            INSERT INTO space_digest_authentication_configurations (space_id, realm, default_password_algorithm)
            SELECT s.id, coalesce(%(realm)s, s.domain), %(algorithm)s FROM up_spaces u JOIN spaces s USING (domain)
            ON CONFLICT (space_id) DO UPDATE SET realm = excluded.realm
            """,
        )
    return (
        """
        DELETE FROM space_digest_authentication_configurations d USING up_spaces u JOIN spaces s USING (domain)
        WHERE d.space_id = s.id AND NOT EXISTS (
            SELECT FROM up_space_digest_authentication_configurations c WHERE c.space_id = u.id)
        """,
        f"""
        INSERT INTO space_digest_authentication_configurations
            (space_id, realm, default_password_algorithm, created_at, updated_at)
        SELECT s.id, u.realm, u.default_password_algorithm, {STAMPED}
        FROM up_space_digest_authentication_configurations u {OUR_SPACE}
        ON CONFLICT (space_id) DO UPDATE SET realm = excluded.realm,
            default_password_algorithm = excluded.default_password_algorithm
        """,
    )


OIDC = (
    f"""
    INSERT INTO space_oidc_authentication_configurations (space_id, server_url, realm, sip_identifier, client_id,
        client_secret, public_key, role_provisioning, auto_provisioning, created_at, updated_at)
    SELECT s.id, u.server_url, u.realm, u.sip_identifier, u.client_id, u.client_secret, u.public_key,
        u.role_provisioning, coalesce(u.auto_provisioning, false), {STAMPED}
    FROM up_space_oidc_authentication_configurations u {OUR_SPACE}
    ON CONFLICT (space_id) DO UPDATE SET server_url = excluded.server_url, realm = excluded.realm,
        sip_identifier = excluded.sip_identifier, client_id = excluded.client_id,
        client_secret = excluded.client_secret, public_key = excluded.public_key,
        role_provisioning = excluded.role_provisioning, auto_provisioning = excluded.auto_provisioning,
        updated_at = excluded.updated_at
    """,
)
EMAIL_SERVERS = (
    f"""
    INSERT INTO space_email_servers
        (space_id, host, port, username, password, from_address, from_name, signature, created_at, updated_at)
    SELECT s.id, u.host, u.port, u.username, u.password, u.from_address, u.from_name, u.signature, {STAMPED}
    FROM up_space_email_servers u {OUR_SPACE}
    ON CONFLICT (space_id) DO UPDATE SET host = excluded.host, port = excluded.port, username = excluded.username,
        password = excluded.password, from_address = excluded.from_address, from_name = excluded.from_name,
        signature = excluded.signature, updated_at = excluded.updated_at
    """,
)
# Accounts know a server by its id: the same one, by its address, keeps what it has here.
CARDDAV_SERVERS = (
    f"""
    UPDATE space_carddav_servers c SET enabled = coalesce(u.enabled, true),
        min_characters = coalesce(u.min_characters, 3), results_limit = coalesce(u.results_limit, 0),
        timeout = coalesce(u.timeout, 5), delay = coalesce(u.delay, 500),
        use_exact_match_policy = coalesce(u.use_exact_match_policy, false),
        fields_for_user_input = u.fields_for_user_input, fields_for_domain = u.fields_for_domain
    FROM up_space_carddav_servers u {OUR_SPACE} WHERE c.space_id = s.id AND c.uri = u.uri
    """,
    f"""
    INSERT INTO space_carddav_servers (space_id, uri, enabled, min_characters, results_limit, timeout, delay,
        use_exact_match_policy, fields_for_user_input, fields_for_domain, created_at, updated_at)
    SELECT DISTINCT ON (s.id, u.uri) s.id, u.uri, coalesce(u.enabled, true), coalesce(u.min_characters, 3),
        coalesce(u.results_limit, 0), coalesce(u.timeout, 5), coalesce(u.delay, 500),
        coalesce(u.use_exact_match_policy, false), u.fields_for_user_input, u.fields_for_domain, {STAMPED}
    FROM up_space_carddav_servers u {OUR_SPACE}
    WHERE NOT EXISTS (SELECT FROM space_carddav_servers c WHERE c.space_id = s.id AND c.uri = u.uri)
    ORDER BY s.id, u.uri, u.id
    """,
)
PHONE_COUNTRIES = (
    """
    UPDATE phone_countries c SET activated = u.activated, updated_at = now()
    FROM up_phone_countries u WHERE u.code = c.code AND u.activated IS NOT NULL AND c.activated <> u.activated
    """,
)

_FIELDS = (
    "email",
    "phone",
    "display_name",
    "activated",
    "admin",
    "blocked",
    "dtmf_protocol",
    "ip_address",
    "user_agent",
)
_VALUES = """
    u.email, u.phone, u.display_name, coalesce(u.activated, false), coalesce(u.admin, false),
    coalesce(u.blocked, false), u.dtmf_protocol, u.ip_address, u.user_agent
"""
DIFFERS = f"""
    (a.username, {", ".join(f"a.{name}" for name in _FIELDS)}) IS DISTINCT FROM (u.username, {_VALUES})
"""
# Names that change hands among accounts are given back first, whatever the order of the rows.
ACCOUNTS = (
    "DELETE FROM accounts WHERE id IN (SELECT id FROM gone_upstream)",
    """
    DELETE FROM account_names n USING up_accounts u
    WHERE n.domain = u.domain AND n.name = u.username AND n.kind = 'tombstone'
    """,
    """
    DELETE FROM account_names n USING up_accounts u JOIN accounts a ON a.id = u.id
    WHERE n.account_id = a.id AND (a.username, a.phone, a.email) IS DISTINCT FROM (u.username, u.phone, u.email)
    """,
    """
    UPDATE accounts a SET username = 'moving ' || a.id FROM up_accounts u
    WHERE u.id = a.id AND u.username <> a.username AND EXISTS (
        SELECT FROM up_accounts o WHERE o.username = a.username AND o.domain = a.domain)
    """,
    f"""
    UPDATE accounts a SET (username, {", ".join(_FIELDS)}, updated_at) =
        (SELECT u.username, {_VALUES}, coalesce(u.updated_at, a.updated_at))
    FROM up_accounts u WHERE u.id = a.id AND {DIFFERS}
    """,
    f"""
    INSERT INTO accounts (id, username, domain, {", ".join(_FIELDS)}, created_at, updated_at)
    SELECT u.id, u.username, u.domain, {_VALUES}, u.created_at, coalesce(u.updated_at, u.created_at)
    FROM up_accounts u WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.id = u.id) ORDER BY u.id
    """,
    *quiet.NAMES,
    "INSERT INTO upstream_accounts (account_id) SELECT id FROM up_accounts ON CONFLICT DO NOTHING",
    "ANALYZE accounts, account_names, upstream_accounts",
)
PASSWORDS = (
    """
    DELETE FROM passwords p USING up_accounts a WHERE a.id = p.account_id AND NOT EXISTS (
        SELECT FROM up_passwords u WHERE u.account_id = p.account_id AND u.algorithm = p.algorithm)
    """,
    """
    INSERT INTO passwords AS p (account_id, algorithm, password)
    SELECT u.account_id, u.algorithm, u.password FROM up_passwords u ORDER BY u.account_id
    ON CONFLICT (account_id, algorithm) DO UPDATE SET password = excluded.password
    WHERE p.password <> excluded.password
    """,
)
# The key of somebody else in the meantime is no reason to keep two.
API_KEYS = (
    """
    DELETE FROM api_keys k USING up_api_keys u JOIN accounts a ON a.id = u.account_id
    WHERE k.account_id = a.id AND k.kind = 'user' AND NOT a.admin
        AND k.key_hash <> sha256(convert_to(u.key, 'UTF8'))
    """,
    f"""
    INSERT INTO api_keys (account_id, kind, key_hash, key_start, name, ip, requests,
        expires_after_last_used_minutes, last_used_at, created_at, updated_at)
    SELECT u.account_id, CASE WHEN a.admin THEN 'admin' ELSE 'user' END, sha256(convert_to(u.key, 'UTF8')),
        left(u.key, 6), coalesce(u.name, CASE WHEN a.admin THEN 'Flexisip Account Manager' END), u.ip, u.requests,
        greatest(coalesce(u.expires_after_last_used_minutes, CASE WHEN a.admin THEN 0 ELSE %(user_api_key)s END), 0),
        coalesce(u.last_used_at, now()), {STAMPED}
    FROM up_api_keys u JOIN accounts a ON a.id = u.account_id
    ON CONFLICT (key_hash) DO UPDATE SET account_id = excluded.account_id, kind = excluded.kind,
        name = excluded.name, ip = excluded.ip, requests = excluded.requests, last_used_at = excluded.last_used_at,
        expires_after_last_used_minutes = excluded.expires_after_last_used_minutes
    """,
)
TOMBSTONES = (
    """
    INSERT INTO account_names (domain, name, kind, created_at)
    SELECT u.domain, u.username, 'tombstone', coalesce(u.created_at, now()) FROM up_accounts_tombstones u
    ON CONFLICT (domain, name) DO NOTHING
    """,
)
