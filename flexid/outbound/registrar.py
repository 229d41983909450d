"""Flexisip's registrar: a Redis in which it keeps which devices are registered, and over which it hears from us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flexid.domain.devices import Device


class Registrar(Protocol):
    """Knows the devices of accounts; an `address` is `user@domain`."""

    def is_configured(self) -> bool:
        """Say whether there is one at all."""

    async def devices(self, address: str, patience: float | None = None) -> list[Device]:
        """Return the devices of an account, those first that were heard of last.

        :param patience: seconds to wait at most, fewer than usual.
        :raise Unavailable: the registrar does not answer.
        """

    async def remove(self, address: str, uuid: str) -> int:
        """Forget a device; return how many there were.

        :raise Unavailable: the registrar does not answer.
        """

    async def forget(self, address: str, before: int | None = None) -> None:
        """Forget all devices of an account, or those that were last heard of before a time (seconds since 1970).

        :raise Unavailable: the registrar does not answer.
        """

    async def tell_b2bua(self, notice: Mapping[str, str]) -> None:
        """Let the B2BUA look at an external account again.

        :raise Unavailable: the registrar does not answer.
        """

    async def stop(self) -> None:
        """Close the connection."""


class NoRegistrar:
    """Stands where none is configured: nobody has a device that we know of, and nobody is told anything."""

    def is_configured(self) -> bool:
        """Say no."""
        return False

    async def devices(self, address: str, patience: float | None = None) -> list[Device]:  # noqa: ARG002  # as all have it
        """Return none."""
        return []

    async def remove(self, address: str, uuid: str) -> int:  # noqa: ARG002  # as above
        """Find nothing to forget."""
        return 0

    async def forget(self, address: str, before: int | None = None) -> None:
        """Do nothing."""

    async def tell_b2bua(self, notice: Mapping[str, str]) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""
