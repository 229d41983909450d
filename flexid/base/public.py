"""Where people find us, whoever asks: for links in mails, which must not follow the host of some request."""

from __future__ import annotations

import re

from attrs import frozen

from flexid.base.settings import Settings

USUAL = {"http": 80, "https": 443}
_PORT = re.compile(r"tcp6?:(?:port=)?([0-9]+)")


@frozen
class PublicAddress:
    """Scheme and port that are the same for every host."""

    scheme: str
    port: int

    @classmethod
    def read(cls, settings: Settings) -> PublicAddress:
        """Return what the settings say, or what follows from where we listen."""
        scheme = settings.public.scheme or ("https" if settings.listen.https else "http")
        listen = settings.listen.https if scheme == "https" else settings.listen.http
        named = (int(match[1]) for endpoint in listen if (match := _PORT.match(endpoint)))
        return cls(scheme, settings.public.port or next(named, USUAL[scheme]))

    def base_url(self, host: str) -> str:
        """Return scheme, host and port as they are written before a path."""
        return f"{self.scheme}://{host}" + ("" if self.port == USUAL[self.scheme] else f":{self.port}")
