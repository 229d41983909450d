"""What a line of an imported file has to be like, as far as the line alone tells; the database knows the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from attrs import define, field, frozen

from flexid.base.text import Text
from flexid.domain import external_account, names, phones
from flexid.domain.account_imports import COLUMNS, ROLES, STATUSES, Format, ImportLine, Problem, StagedAccount
from flexid.domain.passwords import hash_password

SHORTEST_USERNAME = 2
LONGEST_NAME = 64
LONGEST_VALUE = 255
PREFIX = "external_"


@frozen
class ImportRules:
    """The rules of a Space, with the operator's settings; without a `realm` no passwords are stored."""

    form: Format
    realm: str | None
    algorithm: str | None
    username_regex: str
    username_blacklist: Sequence[str]
    phone_as_username: bool
    password_min_length: int
    calling_codes: frozenset[str]
    """Of the countries whose phone numbers may be used."""

    def check(self, line: ImportLine, token: str) -> tuple[StagedAccount, list[Problem]]:
        """Return the account that a line stands for, and all that is wrong with the line."""
        return _Check(self, line).stage(token)


@define
class _Check:
    rules: ImportRules
    line: ImportLine
    problems: list[Problem] = field(factory=list)

    def stage(self, token: str) -> tuple[StagedAccount, list[Problem]]:
        values = self.line.values
        for name, value in values.items():
            self._text(name, value)
        username = self._value("username", self._username(values["username"]))
        password = self._value("password", self._password(values["password"]))
        role = self._word("role", ROLES)
        status = self._word("status", STATUSES)
        phone = self._value("phone", self._phone(values["phone"]))
        email = self._value("email", names.email_fault(values["email"]) if values["email"] else None)
        staged = StagedAccount(
            self.line.number,
            username,
            self._ha1(username, password),
            token,
            status == STATUSES[0],
            role == ROLES[1],
            phone,
            email,
            **self._external(),
        )
        return staged, self.problems

    def _refuse(self, name: str, reason: Text) -> None:
        column = COLUMNS[name] if self.rules.form == "csv" else name
        self.problems.append(Problem(self.line.number, column, reason))

    def _text(self, name: str, value: str) -> None:
        try:
            value.encode()
        except UnicodeEncodeError:
            self._refuse(name, Text("It is no text in UTF-8"))
        else:
            if "\0" in value:
                self._refuse(name, Text("It contains characters that are not allowed"))

    def _value(self, name: str, fault: Text | None) -> str | None:
        """Return what stands in a column, if nothing is wrong with it."""
        column = COLUMNS[name] if self.rules.form == "csv" else name
        if fault and not self._is_refused(column):
            self._refuse(name, fault)
        return None if self._is_refused(column) else self.line.values[name] or None

    def _is_refused(self, column: str) -> bool:
        return any(problem.column == column for problem in self.problems)

    def _username(self, username: str) -> Text | None:
        if not username:
            return _required("username")
        if len(username) < SHORTEST_USERNAME:
            return Text("The username must have at least {length} characters", length=SHORTEST_USERNAME)
        rules = self.rules
        return names.username_fault(
            username, rules.username_regex, rules.username_blacklist, phone_allowed=rules.phone_as_username
        )

    def _password(self, password: str) -> Text | None:
        if not password:
            return _required("password") if self.rules.realm else None
        return names.password_fault(password, self.rules.password_min_length)

    def _word(self, name: str, allowed: Sequence[str]) -> str | None:
        value = self.line.values[name].lower()
        fault = None if value in allowed else Text("It must be one of {allowed}", allowed=", ".join(allowed))
        return value if self._value(name, fault) else None

    def _phone(self, phone: str) -> Text | None:
        if not phone:
            return None
        code = phones.country_of(phone)
        if code is None:
            return Text("The phone must be a valid phone number in E.164 format")
        return None if code in self.rules.calling_codes else Text("Phone numbers of this country are not allowed")

    def _ha1(self, username: str | None, password: str | None) -> str | None:
        rules = self.rules
        if not (username and password and rules.realm and rules.algorithm):
            return None
        return hash_password(rules.algorithm, username, rules.realm, password).ha1

    def _external(self) -> dict[str, str | None]:
        given = {name: value for name, value in self.line.values.items() if name.startswith(PREFIX)}
        if not any(given.values()):
            return dict.fromkeys((*(f"{PREFIX}{name}" for name in _KEPT), f"{PREFIX}ha1"))
        given[f"{PREFIX}domain"] = _host(given[f"{PREFIX}domain"])
        given[f"{PREFIX}protocol"] = given[f"{PREFIX}protocol"].upper()
        faults = _external_faults({name.removeprefix(PREFIX): value for name, value in given.items()})
        good = {name: self._value(name, faults.get(name.removeprefix(PREFIX))) for name in given}
        kept = {name: given[name] if good[name] else None for name in given}
        password, username = kept.pop(f"{PREFIX}password"), kept[f"{PREFIX}username"]
        realm = kept[f"{PREFIX}realm"] or kept[f"{PREFIX}domain"]
        hashed = (
            hash_password(external_account.ALGORITHM, username, realm, password)
            if username and realm and password
            else None
        )
        return {**kept, f"{PREFIX}ha1": hashed.ha1 if hashed else None}


_KEPT = ("username", "domain", "realm", "registrar", "outbound_proxy", "protocol")


def _required(name: str) -> Text:
    return Text("The {field} field is required.", field=name.replace("_", " "))


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return text.lower()


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return names.is_domain(text)
    return True


def _external_faults(given: Mapping[str, str]) -> dict[str, Text]:
    """Return what is wrong with each part of an external account; the rules are those of one that is typed in."""
    faults: dict[str, Text] = {}
    for name in _KEPT:
        most = LONGEST_NAME if name == "username" else LONGEST_VALUE
        if len(given[name]) > most:
            faults[name] = Text("It may not be longer than {length} characters", length=most)
        elif not given[name].isprintable():
            faults[name] = Text("It contains characters that are not allowed")
    if not _is_host(given["domain"]):
        faults.setdefault("domain", Text("It must be a host name such as mail.example.org"))
    if given["protocol"] not in external_account.PROTOCOLS:
        allowed = ", ".join(external_account.PROTOCOLS)
        faults.setdefault("protocol", Text("It must be one of {allowed}", allowed=allowed))
    if len(given["password"].encode(errors="surrogatepass")) > names.PASSWORD_BYTES:
        faults["password"] = Text("The password may not be longer than {length} bytes", length=names.PASSWORD_BYTES)
    others = (given[name] or None for name in ("realm", "registrar", "outbound_proxy"))
    for name, reason in external_account.repeated(given["domain"], *others).items():
        faults.setdefault(name, reason)
    for name in ("username", "domain", "password", "protocol"):
        if not given[name]:
            faults[name] = _required(f"{PREFIX}{name}")
    return faults
