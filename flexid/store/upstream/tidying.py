"""Rows of Flexisip Account Manager as our tables take them: what one row alone shows to be wrong is mended here.

Each function changes the row that it is given, notes what it did, and returns False where the row is to be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flexid.domain import names, phones
from flexid.domain import oidc as openid
from flexid.domain import vcard as vcards
from flexid.domain.call_forwardings import TARGETS, TYPES
from flexid.domain.external_account import PROTOCOLS
from flexid.domain.wizard import ACTIONS
from flexid.store.upstream.findings import Fate
from flexid.store.upstream.ini_mending import mended_ini

Row = dict[str, Any]
Note = Callable[[str, Fate], None]

DEFAULT_ALGORITHM = "SHA-256"
HIGHEST_PORT = 65_535
EPOCH = "1970-01-01 00:00:00"
HASH_LENGTHS = {"MD5": 32, "SHA-256": 64}
DTMF = {None, "sipinfo", "rfc2833", "sipmessage"}
STATES = {None, "error", "declined", "canceled", "accepted_elsewhere", "declined_elsewhere", "accepted"}
_HEX = re.compile(r"[0-9a-f]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_IN_KEYS = re.compile(r"[^a-z0-9_-]")


def space(row: Row, note: Note) -> bool:
    """Domain and host in lower case; what is missing is named after the domain; the ini text as we read it."""
    row["domain"] = (row["domain"] or "").lower()
    if not names.is_domain(row["domain"]):
        note("its domain is no domain name", "refused")
    row["host"] = (row["host"] or row["domain"]).lower()
    if not names.is_domain(row["host"]):
        note("its host is no host name", "refused")
    row["name"] = row["name"] or row["domain"]
    row["theme_hue"] = _within(row["theme_hue"], 0, 360, note, "theme_hue")
    for limit in ("max_account", "max_accounts"):
        row[limit] = _within(row[limit], 0, None, note, limit)
    if row["custom_provisioning_entries"]:
        row["custom_provisioning_entries"], reasons = mended_ini(row["custom_provisioning_entries"])
        readable = row["custom_provisioning_entries"] is not None
        for reason in reasons:
            note(
                f"custom_provisioning_entries: {reason}" + ("; the line became a remark" if readable else ""),
                "mended" if readable else "refused",
            )
    if row["logo"]:
        note("its logo is a file that has to be uploaded once more", "told")
        row["logo"] = None
    return True


def digest(row: Row, note: Note) -> bool:
    """A realm, and one of two algorithms."""
    algorithm = "default_password_algorithm"
    if not row["realm"]:
        note("it has no realm", "left out")
        return False
    if row[algorithm] not in HASH_LENGTHS:
        note("an unknown algorithm became SHA-256", "mended")
        row[algorithm] = DEFAULT_ALGORITHM
    return True


def oidc(row: Row, note: Note) -> bool:
    """The URL ends in a slash, and the key is one in PEM; many servers show it without its first and last line."""
    if not row["server_url"] or not row["realm"]:
        note("it has no server or no realm", "left out")
        return False
    row["server_url"] = row["server_url"].rstrip("/") + "/"
    row["sip_identifier"] = row["sip_identifier"] or "sip_identity"
    if key := row["public_key"]:
        wrapped = f"-----BEGIN PUBLIC KEY-----\n{key.strip()}\n-----END PUBLIC KEY-----\n"
        row["public_key"] = next((pem for pem in (key, wrapped) if openid.public_key_fault(pem) is None), None)
        if row["public_key"] is None:
            note("its public key is no RSA key in PEM, and was left out", "mended")
    return True


def email_server(row: Row, note: Note) -> bool:
    """A port, and an address that is one."""
    if not row["host"] or not 1 <= (row["port"] or 0) <= HIGHEST_PORT:
        note("it has no host or no port", "left out")
        return False
    if row["from_address"] and names.email_fault(row["from_address"]):
        note("its from_address is no email address, and was left out", "mended")
        row["from_address"] = None
    return True


def carddav_server(row: Row, note: Note) -> bool:
    """Numbers within our bounds."""
    if not row["uri"]:
        note("it has no address", "left out")
        return False
    for name, least in (("min_characters", 1), ("results_limit", 0), ("timeout", 1), ("delay", 100)):
        row[name] = _within(row[name], least, None, note, name)
    return True


def account(row: Row, note: Note) -> bool:
    """Names in lower case; addresses that are none are left out of the account."""
    given = row["username"] or ""
    row["username"], row["domain"] = given.lower(), (row["domain"] or "").lower()
    if not row["username"] or names.NEVER_IN_USERNAMES.search(row["username"]):
        note("its username is empty, or has characters that no SIP address can hold", "refused")
    if row["username"] != given:
        note("its username became lower case; it signs in as it was spelt when its password was hashed", "mended")
    if not names.is_domain(row["domain"]):
        note("its domain is no domain name", "refused")
    if row["email"] and names.email_fault(row["email"]):
        note("its email address is none, and was left out", "mended")
        row["email"] = None
    if row["phone"] and phones.country_of(row["phone"]) is None:
        note("its phone number is no valid number in E.164 form, and was left out", "mended")
        row["phone"] = None
    if row["dtmf_protocol"] not in DTMF:
        note("its dtmf_protocol is unknown, and was left out", "mended")
        row["dtmf_protocol"] = None
    if row["expire_time"]:
        note("its expire_time is left out: here only Spaces expire", "told")
    if not row["created_at"]:
        note("it had no date of creation: took that of its last change, or 1970", "mended")
        row["created_at"] = row["updated_at"] or EPOCH
    row["email"], row["phone"] = row["email"] or None, row["phone"] or None
    return True


def hashed(row: Row, note: Note) -> bool:
    """A hash as long as its algorithm makes it, in lower case."""
    row["algorithm"] = {"SHA256": "SHA-256"}.get(row["algorithm"] or "MD5", row["algorithm"] or "MD5")
    row["password"] = (row["password"] or "").lower()
    if HASH_LENGTHS.get(row["algorithm"]) != len(row["password"]) or not _HEX.fullmatch(row["password"]):
        note("its password is no hash by MD5 or SHA-256", "left out")
        return False
    return True


password = hashed


def api_key(row: Row, note: Note) -> bool:
    """A key; times that are missing are those of its making."""
    if not row["key"]:
        note("it is empty", "left out")
        return False
    row["requests"] = row["requests"] or 0
    row["last_used_at"] = row["last_used_at"] or row["updated_at"] or row["created_at"]
    return True


def tombstone(row: Row, _: Note) -> bool:
    """In lower case."""
    row["username"], row["domain"] = (row["username"] or "").lower(), (row["domain"] or "").lower()
    return bool(row["username"])


def entry(row: Row, _: Note) -> bool:
    """An empty value is an empty text."""
    row["value"] = row["value"] or ""
    return bool(row["key"])


def account_type(row: Row, note: Note) -> bool:
    """Small letters, digits, `_` and `-`."""
    given = row["key"] or ""
    row["key"] = _NOT_IN_KEYS.sub("_", given.lower())
    if row["key"] != given:
        note(f"its key {given!r} became {row['key']!r}", "mended")
    return bool(row["key"])


def action(row: Row, _: Note) -> bool:
    """Texts."""
    row["code"] = row["code"] or ""
    return bool(row["key"])


def vcard(row: Row, note: Note) -> bool:
    """Lines end in a line feed."""
    if not row["uuid"] or not row["vcard"]:
        note("it is empty", "left out")
        return False
    try:
        row["vcard"] = vcards.read(row["vcard"]).text
    except vcards.NotAVCard as fault:
        note(f"{fault}; it is kept as it is", "told")
    return True


def file(row: Row, note: Note) -> bool:
    """Known by a UUID, and somebody's."""
    row["id"] = (row["id"] or "").lower()
    if not _UUID.fullmatch(row["id"]) or row["account_id"] is None:
        note("it belongs to nobody, or its id is no UUID", "left out")
        return False
    if row["uploaded_at"] and not row["name"]:
        note("it has no name", "left out")
        return False
    return True


def call_forwarding(row: Row, note: Note) -> bool:
    """To somewhere."""
    target = {"sip_uri": row["sip_uri"], "contact": row["contact_id"]}.get(row["forward_to"], True)
    if row["type"] not in TYPES or row["forward_to"] not in TARGETS or not target:
        note("it leads nowhere, or at no time that we know", "left out")
        return False
    return True


def external_account(row: Row, note: Note) -> bool:
    """As the B2BUA reads it."""
    row["protocol"] = (row["protocol"] or "UDP").upper()
    if row["protocol"] not in PROTOCOLS:
        note("its protocol is unknown, and became UDP", "mended")
        row["protocol"] = "UDP"
    row["domain"] = (row["domain"] or "").lower()
    return hashed(row, note)


def wizard(row: Row, note: Note) -> bool:
    """An action that Linphone knows."""
    if row["linphone_action"] and row["linphone_action"] not in ACTIONS:
        note("its action is unknown, and was left out", "mended")
        row["linphone_action"] = None
    row["linphone_action"] = row["linphone_action"] or None
    return bool(row["token"])


def call(row: Row, note: Note) -> bool:
    """Begun at some time."""
    return _dated(row, "initiated_at", note)


def call_device(row: Row, note: Note) -> bool:
    """In a state that we know."""
    row["invite_terminated_state"] = row["invite_terminated_state"] or None
    if row["invite_terminated_state"] not in STATES:
        note("its invite_terminated_state is unknown, and was left out", "mended")
        row["invite_terminated_state"] = None
    return True


def message(row: Row, note: Note) -> bool:
    """Sent at some time."""
    return _dated(row, "sent_at", note)


def _dated(row: Row, name: str, note: Note) -> bool:
    row[name] = row[name] or row["created_at"]
    if not row[name]:
        note("it has no date", "left out")
    return bool(row[name])


def _within(value: int | None, least: int, most: int | None, note: Note, name: str) -> int | None:
    if value is None:
        return None
    fitting = max(least, value) if most is None else min(max(least, value), most)
    if fitting != value:
        note(f"{name} was out of bounds, and became {fitting}", "mended")
    return fitting
