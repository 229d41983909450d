"""A Space's own mail server."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class MailServer:
    """Where mails of a Space are handed in, and from whom they come."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    from_address: str | None
    from_name: str | None
    signature: str | None
