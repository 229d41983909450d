"""Many accounts at once: what stands in a file of them, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from flexid.base.text import Text
from flexid.domain.errors import Invalid

COLUMNS: Mapping[str, str] = {
    "username": "Username",
    "password": "Password",
    "role": "Role",
    "status": "Status",
    "phone": "Phone",
    "email": "Email",
    "external_username": "External Username",
    "external_domain": "External Domain",
    "external_password": "External Password",
    "external_realm": "External Realm",
    "external_registrar": "External Registrar",
    "external_outbound_proxy": "External Outbound Proxy",
    "external_protocol": "External Protocol",
}
"""The fields of JSON lines, and what they are called in the header of a CSV file, in its order."""

Format = Literal["csv", "jsonl"]
ROLES, STATUSES = ("user", "admin"), ("active", "inactive")
MOST_PROBLEMS = 100
"""Of more, only the number is told."""


@frozen
class Problem:
    """Why a file is refused; `line` counts from 1, None where it is the whole file, `column` None for a whole line."""

    line: int | None
    column: str | None
    reason: Text

    def packed(self) -> list[Any]:
        """Return it as JSON."""
        return [self.line, self.column, self.reason.english, self.reason.values]

    @classmethod
    def unpacked(cls, packed: list[Any]) -> Problem:
        """Return what `packed` was made of."""
        line, column, english, values = packed
        return cls(line, column, Text(english, **values))


@frozen
class ImportLine:
    """A line as it was read: its fields by the names of JSON lines, empty text where there is nothing."""

    number: int
    values: Mapping[str, str]


@frozen
class StagedAccount:
    """A line as it is to be written, hashed; what is wrong is None."""

    line: int
    username: str | None
    ha1: str | None = field(repr=False)
    token: str = field(repr=False)
    activated: bool
    admin: bool
    phone: str | None
    email: str | None
    external_username: str | None
    external_domain: str | None
    external_ha1: str | None = field(repr=False)
    external_realm: str | None
    external_registrar: str | None
    external_outbound_proxy: str | None
    external_protocol: str | None


@frozen
class ImportReport:
    """What was found in a file, and whether its accounts were created; `total` problems, of which some are named."""

    accounts: int = 0
    admins: int = 0
    active: int = 0
    external_accounts: int = 0
    imported: bool = False
    problems: tuple[Problem, ...] = ()
    total: int = 0

    @property
    def more(self) -> int:
        """Return how many problems there are beside those that are named."""
        return self.total - len(self.problems)

    def packed(self) -> dict[str, Any]:
        """Return it as JSON."""
        counts = ("accounts", "admins", "active", "external_accounts", "imported", "total")
        return {name: getattr(self, name) for name in counts} | {"problems": [each.packed() for each in self.problems]}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> ImportReport:
        """Return what `packed` was made of."""
        return cls(**{**packed, "problems": tuple(map(Problem.unpacked, packed["problems"]))})


class ImportRefused(Invalid):
    """Nothing was written; problems are named by line and column: `3.Phone`."""

    def __init__(self, report: ImportReport) -> None:
        errors: dict[str, list[Text]] = {}
        for problem in report.problems:
            place = ".".join(str(part) for part in (problem.line, problem.column) if part is not None)
            errors.setdefault(place or "file", []).append(problem.reason)
        super().__init__(errors)
        self.report = report


State = Literal["checking", "checked", "refused", "writing", "done", "broken"]
RUNNING: tuple[State, ...] = ("checking", "writing")


@frozen
class AccountImport:
    """An import on its way; `done` of `size` bytes have been checked."""

    id: int
    domain: str
    state: State
    done: int
    size: int
    report: ImportReport
    is_alive: bool
    """Whether somebody works on it, or need not."""

    @property
    def is_running(self) -> bool:
        """Say whether it is worth while to wait."""
        return self.state in RUNNING and self.is_alive
