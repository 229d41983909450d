"""What the API tells of a file of accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from flexid.base.text import Text
from flexid.domain.account_imports import ImportReport


class ImportProblem(TypedDict):
    """What is wrong: `line` counts from 1 and is null for the whole file, `column` is null for a whole line."""

    line: int | None
    column: str | None
    message: str


class ImportAnswer(TypedDict):
    """What is in a file, and whether its accounts were created; of many problems the first, and how many `more`."""

    accounts: int
    admins: int
    active: int
    external_accounts: int
    imported: bool
    problems: list[ImportProblem]
    more: int


class _Refusal(TypedDict):
    message: str
    errors: dict[str, list[str]]


class RefusedImportAnswer(_Refusal, total=False):
    """Why nothing was created: `errors` by line and column, such as `3.Phone`, and the report of what was read."""

    accounts: int
    admins: int
    active: int
    external_accounts: int
    imported: bool
    problems: list[ImportProblem]
    more: int


def shown_report(report: ImportReport, translate: Callable[[Text], str]) -> ImportAnswer:
    """Return a report as the API shows it."""
    return ImportAnswer(
        accounts=report.accounts,
        admins=report.admins,
        active=report.active,
        external_accounts=report.external_accounts,
        imported=report.imported,
        problems=[
            ImportProblem(line=problem.line, column=problem.column, message=translate(problem.reason))
            for problem in report.problems
        ],
        more=report.more,
    )
