"""Somebody before a browser: cookies are kept, and forms are sent with the secret of the page that they stand on."""

from __future__ import annotations

import re
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from attrs import define, field
from support.web import Browser, Reply

HTML = "text/html,application/xhtml+xml"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]*)"')


@define
class Visitor:
    """A browser with its cookies; redirects are shown, not followed."""

    browser: Browser
    cookies: dict[str, str] = field(factory=dict)
    csrf_token: str = ""

    async def open(self, path: str, **headers: str) -> Reply:
        """Look at a page."""
        return self._remember(await self.browser.get(path, Accept=HTML, **self._cookie(), **headers))

    async def submit(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Reply:
        """Send a form with the secret of the page that was opened last."""
        content = urlencode({"csrf_token": self.csrf_token, **(fields or {})}).encode()
        named = {"Accept": HTML, "Content-Type": "application/x-www-form-urlencoded", **self._cookie(), **headers}
        return self._remember(await self.browser.ask("POST", path, content, **named))

    async def sign_in(self, username: str, password: str) -> Reply:
        """Sign in on the page for it."""
        await self.open("/login")
        return await self.submit("/login", {"username": username, "password": password})

    async def follow(self, reply: Reply) -> Reply:
        """Go where an answer sends the browser."""
        assert reply.status == 303, (reply.status, reply.text)
        return await self.open(reply.headers["Location"].partition("#")[0])

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _remember(self, reply: Reply) -> Reply:
        for header in reply.all("Set-Cookie"):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        if token := _TOKEN.search(reply.text if reply.headers.get_content_maintype() == "text" else ""):
            self.csrf_token = unescape(token[1])
        return reply
