"""Accounts from files, and into files."""

from __future__ import annotations

from typing import Any

from twisted.internet.threads import deferToThread

from flexid.base.text import Text
from flexid.domain.account_exports import CONTENT_TYPES
from flexid.domain.account_imports import Format
from flexid.domain.errors import Invalid
from flexid.http import streaming
from flexid.http.answers import Answer
from flexid.http.api.accounts import FILTERS, filters_of, space_for
from flexid.http.bodies import MULTIPART, LargeFile, close, on_disk, read_on_disk
from flexid.http.call import Call
from flexid.http.import_report import ImportAnswer, RefusedImportAnswer, shown_report
from flexid.http.inputs import Flag, Input, Text255, read
from flexid.http.routes import ADMIN, Parameter, Routes

routes = Routes("/api/accounts", title="Accounts")

FORMATS: tuple[Format, ...] = ("csv", "jsonl")
FORMAT = Parameter("format", "`csv`, or `jsonl` for JSON lines.")
DOMAIN = Parameter("domain", "The Space that the accounts go to, for super administrators.")
DRY_RUN = Parameter("dry_run", "Whether the file is only checked.", bool)
FILE = "file"


class ImportQuery(Input):
    """How a file is to be taken."""

    dry_run: Flag = False
    domain: Text255 | None = None


@routes.post(
    "/import",
    caller=ADMIN,
    large=True,
    parameters=(DRY_RUN, FORMAT, DOMAIN),
    answers={200: ImportAnswer, 422: RefusedImportAnswer},
)
async def import_file(call: Call[Any]) -> ImportAnswer:
    """Create the accounts of a CSV file or of JSON lines, all of them, or none if there is any problem: 422 then.

    The body is the file, or a form whose part `file` it is; as JSON lines is read what is declared `application/jsonl`,
    `application/x-ndjson` or `application/json`. 503 where too many files are being imported. The columns are explained
    in docs/operating.md.
    """
    query = read(ImportQuery, dict(reversed(call.queries())))
    space = await space_for(call, query.domain)
    kind = (call.request.header("content-type") or "").partition(";")[0].strip().lower()
    form = _format(call, "jsonl" if "json" in kind or kind.endswith("ndjson") else "csv")
    taken = await deferToThread(_file, call, kind)
    if taken is None:
        raise Invalid.field(FILE, Text("The {field} field is required.", field=FILE))
    with taken.file:
        report = await call.services.account_imports.take(
            space,
            taken.file.fileno(),
            taken.size,
            form,
            call.origin,
            made_by=call.origin.user_agent or space.name,
            dry_run=query.dry_run,
        )
    return shown_report(report, str)


@routes.get("/export", caller=ADMIN, parameters=(FORMAT, *FILTERS), answers={200: tuple(CONTENT_TYPES.values())})
async def export(call: Call[Any]) -> Answer:
    """Write the accounts that all filters leave, by id, as CSV or as JSON lines, without any password.

    It comes as fast as it is taken, however many there are. An import understands it once passwords are filled in; in
    CSV, what a spreadsheet would take for a formula has a `'` before it, phone numbers too.
    """
    _, filters = filters_of(call)
    wish = filters.wish()
    form = _format(call, "csv")
    exports = call.services.account_exports
    domain = exports.whose(call.actor, call.space, wish)
    headers = {"Content-Disposition": f'attachment; filename="accounts.{form}"', "Cache-Control": "no-store"}
    return await streaming.answer(exports.pieces(domain, wish, form), CONTENT_TYPES[form], headers)


def _format(call: Call[Any], otherwise: Format) -> Format:
    asked = call.query("format")
    if not asked:
        return otherwise
    for form in FORMATS:
        if form == asked:
            return form
    raise Invalid.field("format", Text("It must be one of {allowed}", allowed=", ".join(FORMATS)))


def _file(call: Call[Any], kind: str) -> LargeFile | None:
    content: Any = call.request.content
    if kind != MULTIPART:
        return on_disk(content)
    form = read_on_disk(content, call.request.header("content-type") or "")
    part = form.pop(FILE, None)
    close(form)
    return part if isinstance(part, LargeFile) else None
