"""What must never happen on a page, whatever somebody does there."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from attrs import define, field
from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

TELLS_OF_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (e) =>
  console.error(`policy ${e.effectiveDirective} violated by ${e.blockedURI}, ${e.sourceFile}:${e.lineNumber}`));
"""
ABORTED = "net::ERR_ABORTED"
"""What became of a request whose page was left, or whose answer nobody waits for any more."""


@define(slots=False)  # Playwright notes on a listener that it is one
class Watch:
    """Notes what goes wrong in a browser; `refused` are paths that are meant to be answered by 4xx."""

    site: str
    refused: Collection[str] = ()
    elsewhere: str = ""
    problems: list[str] = field(factory=list)

    def follow(self, context: BrowserContext) -> None:
        """Look at everything that happens from now on."""
        context.add_init_script(TELLS_OF_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failure)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # Answers are judged by themselves, below: Chromium complains of each refused form, too.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource: the server"):
            self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"script: {error.error}")

    def _request(self, request: Request) -> None:
        sites = (f"{self.site}/", f"{self.elsewhere or self.site}/")
        if urlsplit(request.url).scheme not in {"data", "blob"} and not request.url.startswith(sites):
            self.problems.append(f"asked another host: {request.url}")

    def _failure(self, request: Request) -> None:
        if request.failure != ABORTED:
            self.problems.append(f"no answer: {request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        is_form = response.request.method == "POST" and response.request.is_navigation_request()
        may_refuse = is_form or urlsplit(response.url).path in self.refused
        if response.status >= (500 if may_refuse else 400):
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")
