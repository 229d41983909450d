"""How a refusal looks: JSON, or a plain page for browsers."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from flexid.base.languages import Languages
from flexid.base.templates import Templates
from flexid.base.text import Text
from flexid.domain.errors import DomainError, Invalid, Throttled, Unauthenticated, Unavailable
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.request import FlexidRequest

BROKEN = Text("Something went wrong on our side")


@frozen
class Refusals:
    """Writes refusals in the language of the client."""

    languages: Languages
    templates: Templates

    def answer(self, request: FlexidRequest, error: DomainError, status: int, page_status: int) -> Answer:
        """Return the answer that tells of an error."""
        language = self.languages.choose(request.header("accept-language"))
        if isinstance(error, Unauthenticated):
            for challenge in error.challenges:
                request.responseHeaders.addRawHeader("WWW-Authenticate", challenge)
        body: dict[str, Any] = {"message": self.languages.translate(_summary(error), language)}
        if isinstance(error, Invalid):
            body["errors"] = {
                field: [self.languages.translate(reason, language) for reason in reasons]
                for field, reasons in error.errors.items()
            }
        headers = {}
        if isinstance(error, Throttled | Unavailable):
            headers["Retry-After"] = str(error.retry_after)
        if allowed := getattr(error, "allowed", None):
            headers["Allow"] = allowed
        return self._rendered(request, (status, page_status), body, headers, language)

    def broken(self, request: FlexidRequest) -> Answer:
        """Return the answer to a request that our own mistake has spoilt: it tells nothing of it."""
        language = self.languages.choose(request.header("accept-language"))
        return self._rendered(
            request, (500, 500), {"message": self.languages.translate(BROKEN, language)}, {}, language
        )

    def _rendered(
        self,
        request: FlexidRequest,
        statuses: tuple[int, int],
        body: dict[str, Any],
        headers: dict[str, str],
        language: str,
    ) -> Answer:
        status, page_status = statuses
        if "text/html" not in (request.header("accept") or ""):
            answer = answers.json(body, status)
            return Answer(answer.body, answer.content_type, status, headers)
        return page(self.templates, request, "error.html", language, page_status, headers, message=body["message"])


def page(  # what a page consists of
    templates: Templates,
    request: FlexidRequest,
    name: str,
    language: str,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: object,
) -> Answer:
    """Return a page for people, with the headers that protect it."""
    protection = {
        "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Vary": "Accept, Accept-Language",
    }
    if request.isSecure():
        protection["Strict-Transport-Security"] = "max-age=31536000"
    html = templates.render(name, language, status=status, **values)
    return Answer(html.encode(), answers.HTML, status, {**protection, **(headers or {})})


def _summary(error: DomainError) -> Text:
    if not isinstance(error, Invalid):
        return error.reason
    further = sum(len(reasons) for reasons in error.errors.values()) - 1
    if further == 0:
        return error.reason
    if further == 1:
        return Text("{first} (and 1 more error)", first=error.reason)
    return Text("{first} (and {count} more errors)", first=error.reason, count=further)
