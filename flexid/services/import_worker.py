"""`python -m flexid.services.import_worker`: a process that reads, checks and writes one file of accounts.

Beside the daemon, which answers others meanwhile. It is told what to do on standard input, finds the file at descriptor
3, and says on standard output how many bytes it has read. How it ended stands in the database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Literal

import orjson
from attrs import define, evolve, field, frozen

from flexid.base.clock import random_tokens
from flexid.base.text import Text
from flexid.domain import import_files
from flexid.domain.account_imports import (
    COLUMNS,
    MOST_PROBLEMS,
    Format,
    ImportLine,
    ImportReport,
    Problem,
    StagedAccount,
)
from flexid.domain.import_files import LONGEST_LINE, LineTooLong
from flexid.domain.import_rules import ImportRules
from flexid.store.import_staging import ImportSpace, Staging

FILE = 3
TOKEN_LENGTH = 13
TOKENS_AT_ONCE = 1000
SAID_EVERY = 1 << 18
"""Bytes between two words about how far it is."""
TRIES = 3
NICENESS = 10
"""Others' requests come first."""


@frozen
class Order:
    """What is to be done: `check` a file, `write` one that was checked, or `both`."""

    dsn: str = field(repr=False)
    import_id: int
    work: Literal["check", "write", "both"]
    form: Format
    rules: dict[str, Any]
    """The operator's settings, by the names of `ImportRules`."""
    doer: str = ""
    """SQL that names whoever imports (`flexid.store.doer`)."""

    def packed(self) -> bytes:
        """Return it as it is sent."""
        names = ("dsn", "import_id", "work", "form", "rules", "doer")
        return orjson.dumps({name: getattr(self, name) for name in names})


@define
class _Count:
    """What was met in a file."""

    accounts: int = 0
    admins: int = 0
    active: int = 0
    external_accounts: int = 0
    problems: list[Problem] = field(factory=list)
    total: int = 0

    def refuse(self, problem: Problem) -> None:
        self.total += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)

    def add(self, account: StagedAccount) -> None:
        self.accounts += 1
        self.admins += account.admin
        self.active += account.activated
        self.external_accounts += account.external_username is not None

    def report(self) -> ImportReport:
        return ImportReport(self.accounts, self.admins, self.active, self.external_accounts, total=self.total)


def main() -> None:
    """Do what standard input says."""
    os.nice(NICENESS)
    order = Order(**orjson.loads(sys.stdin.buffer.read()))
    staging = Staging.connect(order.dsn, order.import_id)
    if order.work != "write":
        with os.fdopen(FILE, "rb") as file:
            _check(staging, order, file)
    if order.work != "check":
        _write(staging, order.form, order.doer)


def _check(staging: Staging, order: Order, file: BinaryIO) -> None:
    space = staging.space()
    rules = ImportRules(
        form=order.form,
        realm=space.digest_realm,
        algorithm=space.digest_algorithm,
        calling_codes=staging.calling_codes(),
        **order.rules,
    )
    count = _Count()
    staging.stage(space, _accounts(rules, import_files.read(order.form, _lines(file)), count))
    report = _with_problems(staging, space, order.form, count.report(), count.problems)
    staging.finish("refused" if report.total else "checked", report)


def _write(staging: Staging, form: Format, doer: str) -> None:
    report = staging.report()
    if report.total:
        return
    for _ in range(TRIES):
        space = staging.space()
        refused = _with_problems(staging, space, form, report, _changed(space))
        if refused.total:
            staging.finish("refused", refused)
            return
        if staging.write(evolve(report, imported=True), doer):
            return
    reason = Text("Others create accounts of the same names at the moment: try again")
    staging.finish("refused", evolve(report, problems=(Problem(None, None, reason),), total=1))


def _accounts(rules: ImportRules, lines: Iterator[ImportLine | Problem], count: _Count) -> Iterator[StagedAccount]:
    tokens: list[str] = []
    for line in lines:
        if isinstance(line, Problem):
            count.refuse(line)
            continue
        tokens = tokens or random_tokens(TOKENS_AT_ONCE, TOKEN_LENGTH)
        account, problems = rules.check(line, tokens.pop())
        for problem in problems:
            count.refuse(problem)
        count.add(account)
        yield account
    if not count.accounts and not count.total:
        count.refuse(Problem(None, None, Text("The file holds no accounts")))


def _with_problems(
    staging: Staging, space: ImportSpace, form: Format, report: ImportReport, met: list[Problem]
) -> ImportReport:
    """Return the report with what the database sees as well, in the order of the lines."""
    rows, total = staging.problems(space, MOST_PROBLEMS)
    seen = [Problem(row["line"], _column(form, row["kind"]), _reason(row["kind"], row["other"])) for row in rows]
    if space.room is not None and report.accounts > space.room:
        reason = Text("There is room for {room} further accounts only", room=space.room)
        seen.append(Problem(None, None, reason))
        total += 1
    every = sorted([*met, *seen], key=lambda problem: problem.line or 0)
    return evolve(report, problems=tuple(every[:MOST_PROBLEMS]), total=max(report.total, len(met)) + total)


def _changed(space: ImportSpace) -> list[Problem]:
    if (space.realm, space.algorithm) == (space.digest_realm, space.digest_algorithm):
        return []
    return [Problem(None, None, Text("How the Space stores passwords has changed meanwhile: upload the file again"))]


def _column(form: Format, name: str) -> str:
    return COLUMNS[name] if form == "csv" else name


def _reason(kind: str, other: int | None) -> Text:
    if other is not None:
        return Text("The same stands in line {line}", line=other)
    match kind:
        case "username":
            return Text("The username has already been taken.")
        case "phone":
            return Text("The phone has already been taken.")
        case "email":
            return Text("The email has already been taken.")
    return Text("Another account has this external account")


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines with their ends, as `csv` wants them; what is no UTF-8 is left to be found in them."""
    read = said = 0
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            raise LineTooLong
        text = line.decode(errors="surrogateescape")
        yield text.removeprefix("\ufeff") if read == 0 else text
        read += len(line)
        if read - said >= SAID_EVERY:
            said = read
            _say(read)


def _say(read: int) -> None:
    # Whoever listened may be gone; the work is done all the same.
    with suppress(OSError):
        sys.stdout.write(f"{read}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
