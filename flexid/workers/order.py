"""What a worker is told before it serves."""

from __future__ import annotations

from typing import Any

import orjson
from attrs import field, frozen

from flexid.base.configuration import Configuration
from flexid.base.settings import Settings

LONGEST = 1 << 17
"""Bytes of a packed order."""


@frozen
class Order:
    """Who the worker is, and what it needs."""

    number: int
    """From 1 on; one that replaces another has its number."""
    of: int
    """How many there are."""
    dsn: str = field(repr=False)
    endpoints: tuple[tuple[str, str], ...]
    """Scheme and endpoint of all that its parent listens on."""
    configuration: Configuration = field(repr=False)
    """As the parent has read it: the file may have changed since."""

    def packed(self) -> bytes:
        """Return it as it is sent."""
        return orjson.dumps(
            {
                "number": self.number,
                "of": self.of,
                "dsn": self.dsn,
                "endpoints": self.endpoints,
                "source": self.configuration.source,
                "settings": self.configuration.settings.model_dump(mode="json"),
            }
        )

    @classmethod
    def unpacked(cls, packed: bytes) -> Order:
        """Return what was sent. The warnings are the parent's to give."""
        sent: dict[str, Any] = orjson.loads(packed)
        return cls(
            sent["number"],
            sent["of"],
            sent["dsn"],
            tuple((scheme, endpoint) for scheme, endpoint in sent["endpoints"]),
            Configuration(Settings.model_validate(sent["settings"]), sent["source"]),
        )
