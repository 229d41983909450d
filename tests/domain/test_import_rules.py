from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from flexid.domain.account_imports import COLUMNS, ImportLine, StagedAccount
from flexid.domain.import_rules import ImportRules

RULES = ImportRules(
    form="csv",
    realm="sip.example.org",
    algorithm="SHA-256",
    username_regex="^[a-z0-9+_.-]*$",
    username_blacklist=("root", "admin.*"),
    phone_as_username=False,
    password_min_length=8,
    calling_codes=frozenset({"33"}),
)
GOOD = {"username": "alice", "password": "secret_password", "role": "user", "status": "active"}
EXTERNAL = {
    "external_username": "alice2",
    "external_domain": "Provider.example",
    "external_password": "x",
    "external_protocol": "tls",
}


def check(rules: ImportRules = RULES, /, **values: str) -> tuple[StagedAccount, dict[str, str]]:
    line = ImportLine(7, {**dict.fromkeys(COLUMNS, ""), **GOOD, **values})
    account, problems = rules.check(line, "token")
    assert all(problem.line == 7 for problem in problems)
    assert len({problem.column for problem in problems}) == len(problems)
    return account, {str(problem.column): str(problem.reason) for problem in problems}


def test_a_good_line_is_hashed_and_carries_no_password() -> None:
    account, problems = check(role="Admin", status="inactive", phone="+33612345678", email="alice@example.org")
    assert problems == {}
    # printf 'alice:sip.example.org:secret_password' | sha256sum
    assert account.ha1 == "e9dd0bcfe535765f834256bc346730f2f7b13766f48d667de9f5a0e3f64b4ffe"
    assert (account.admin, account.activated, account.phone, account.token) == (True, False, "+33612345678", "token")
    assert "secret_password" not in repr(account)


@pytest.mark.parametrize(
    ("values", "column", "reason"),
    [
        ({"username": ""}, "Username", "The username field is required."),
        ({"username": "a"}, "Username", "The username must have at least 2 characters"),
        ({"username": "Alice"}, "Username", "The username must be in lower case"),
        ({"username": "a b"}, "Username", "The username contains characters that are not allowed"),
        ({"username": "+33612345678"}, "Username", "The username may not be a phone number"),
        ({"username": "administrator"}, "Username", "The username is not allowed"),
        ({"username": "a" * 65}, "Username", "The username may not be longer than 64 characters"),
        ({"password": ""}, "Password", "The password field is required."),
        ({"password": "1234567"}, "Password", "The password must have at least 8 characters"),
        ({"password": "x" * 256}, "Password", "The password may not be longer than 255 bytes"),
        ({"role": ""}, "Role", "It must be one of user, admin"),
        ({"role": "boss"}, "Role", "It must be one of user, admin"),
        ({"status": "blocked"}, "Status", "It must be one of active, inactive"),
        ({"phone": "0612345678"}, "Phone", "The phone must be a valid phone number in E.164 format"),
        ({"phone": "+4915112345678"}, "Phone", "Phone numbers of this country are not allowed"),
        ({"email": "alice"}, "Email", "The email must be a valid email address"),
        ({"username": "al\0ce"}, "Username", "It contains characters that are not allowed"),
        ({"email": "al\udce9@example.org"}, "Email", "It is no text in UTF-8"),
        ({"password": "al\udce9_long_enough"}, "Password", "It is no text in UTF-8"),
    ],
)
def test_what_is_wrong_is_named_by_its_column(values: dict[str, str], column: str, reason: str) -> None:
    account, problems = check(**values)
    assert problems == {column: reason}
    name = column.lower()
    assert getattr(account, name, None) in {None, False}


def test_all_that_is_wrong_with_a_line_is_named_at_once() -> None:
    _, problems = check(username="A", password="x", role="x", status="x", phone="x", email="x", external_domain="-")
    assert set(problems) == {
        *("Username", "Password", "Role", "Status", "Phone", "Email"),
        *("External Username", "External Domain", "External Password", "External Protocol"),
    }


def test_json_lines_name_fields_as_they_are_written_there() -> None:
    _, problems = check(evolve(RULES, form="jsonl"), **EXTERNAL, external_registrar="provider.example")
    assert problems == {"external_registrar": "It must differ from the domain"}


def test_an_external_account_is_hashed_with_its_realm_or_else_its_domain() -> None:
    account, problems = check(**EXTERNAL)
    assert problems == {}
    assert (account.external_domain, account.external_protocol) == ("provider.example", "TLS")
    # printf 'alice2:provider.example:x' | md5sum
    assert account.external_ha1 == "64535c42fe8402a858a32a787e760332"
    assert check(**EXTERNAL, external_realm="other")[0].external_ha1 != account.external_ha1


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        ({"external_username": ""}, {"External Username"}),
        ({"external_password": ""}, {"External Password"}),
        ({"external_protocol": "SCTP"}, {"External Protocol"}),
        ({"external_domain": "not a host"}, {"External Domain"}),
        ({"external_realm": "provider.example"}, {"External Realm"}),
        ({"external_outbound_proxy": "x" * 256}, {"External Outbound Proxy"}),
        ({"external_username": "a\x07"}, {"External Username"}),
        ({"external_password": "x" * 256}, {"External Password"}),
    ],
)
def test_an_external_account_has_to_be_whole(values: dict[str, str], columns: set[str]) -> None:
    assert set(check(**{**EXTERNAL, **values})[1]) == columns


def test_an_external_domain_may_be_an_address() -> None:
    assert check(**{**EXTERNAL, "external_domain": "192.0.2.1"})[1] == {}


def test_a_space_without_digest_wants_and_stores_no_passwords() -> None:
    rules = evolve(RULES, realm=None, algorithm=None)
    assert check(rules, password="") == (check(rules)[0], {})
    assert check(rules)[0].ha1 is None


def test_a_phone_number_may_be_a_username_where_the_operator_says_so() -> None:
    settings: Any = evolve(RULES, phone_as_username=True)
    assert check(settings, username="+33612345678")[1] == {}
