"""How a refusal looks: JSON, or a plain page for browsers."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.account_imports import ImportRefused
from flexid.domain.errors import DomainError, Invalid, Throttled, Unauthenticated, Unavailable
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.import_report import shown_report
from flexid.http.pages import page

BROKEN = Text("Something went wrong on our side")


def answer(call: Call[Any], error: DomainError, status: int, page_status: int) -> Answer:
    """Return the answer that tells of an error."""
    if isinstance(error, Unauthenticated):
        for challenge in error.challenges:
            call.request.responseHeaders.addRawHeader("WWW-Authenticate", challenge)
    body: dict[str, Any] = {"message": _translated(call, summary(error))}
    if isinstance(error, Invalid):
        body["errors"] = {
            field: [_translated(call, reason) for reason in reasons] for field, reasons in error.errors.items()
        }
    if isinstance(error, ImportRefused):
        body |= shown_report(error.report, lambda reason: _translated(call, reason))
    return _rendered(call, (status, page_status), body, headers(error))


def headers(error: DomainError) -> dict[str, str]:
    """Return what the headers of an answer say of an error."""
    told = {}
    if isinstance(error, Throttled | Unavailable):
        told["Retry-After"] = str(error.retry_after)
    if allowed := getattr(error, "allowed", None):
        told["Allow"] = allowed
    return told


def broken(call: Call[Any]) -> Answer:
    """Return the answer to a request that our own mistake has spoilt: it tells nothing of it."""
    return _rendered(call, (500, 500), {"message": _translated(call, BROKEN)}, {})


def _rendered(call: Call[Any], statuses: tuple[int, int], body: dict[str, Any], further: dict[str, str]) -> Answer:
    status, page_status = statuses
    if "text/html" not in (call.request.header("accept") or ""):
        told = answers.json(body, status)
        return Answer(told.body, told.content_type, status, further)
    return page(call, "error.html", page_status, further, status=page_status, message=body["message"])


def _translated(call: Call[Any], text: Text) -> str:
    return call.templates.languages.translate(text, call.language)


def summary(error: DomainError) -> Text:
    """Return what is said of an error as a whole."""
    if not isinstance(error, Invalid):
        return error.reason
    further = sum(len(reasons) for reasons in error.errors.values()) - 1
    if further == 0:
        return error.reason
    if further == 1:
        return Text("{first} (and 1 more error)", first=error.reason)
    return Text("{first} (and {count} more errors)", first=error.reason, count=further)
