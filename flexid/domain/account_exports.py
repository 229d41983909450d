"""Accounts as they leave: what an export says of each, in a form that an import understands."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime

from attrs import asdict, frozen

from flexid.domain.account_imports import COLUMNS, Format
from flexid.domain.import_files import escaped

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


@frozen
class ExportedAccount:
    """An account with its external one, and without any secret."""

    id: int
    username: str
    domain: str
    admin: bool
    activated: bool
    blocked: bool
    phone: str | None
    email: str | None
    display_name: str | None
    dtmf_protocol: str | None
    created_at: datetime
    updated_at: datetime
    external_username: str | None
    external_domain: str | None
    external_realm: str | None
    external_registrar: str | None
    external_outbound_proxy: str | None
    external_protocol: str | None

    @property
    def role(self) -> str:
        """Return what an import calls it."""
        return "admin" if self.admin else "user"

    @property
    def status(self) -> str:
        """Return what an import calls it."""
        return "active" if self.activated else "inactive"


def heading(form: Format) -> bytes:
    """Return what stands before all accounts."""
    return _csv([list(COLUMNS.values())]) if form == "csv" else b""


def written(form: Format, accounts: Iterable[ExportedAccount]) -> bytes:
    """Return a line for each account."""
    if form == "csv":
        return _csv([[escaped(getattr(each, name, None) or "") for name in COLUMNS] for each in accounts])
    return b"".join(json.dumps(_shown(each), ensure_ascii=False).encode() + b"\n" for each in accounts)


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _shown(account: ExportedAccount) -> dict[str, object]:
    fields = asdict(account, filter=lambda attribute, _: attribute.name not in {"admin", "activated"})
    times = {name: fields[name].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for name in ("created_at", "updated_at")}
    return {**fields, **times, "role": account.role, "status": account.status}
