"""How far an administrator reaches among what belongs to a Space, and what lies beyond."""

from __future__ import annotations

from typing import TypeVar

from flexid.domain.account import Actor
from flexid.domain.errors import NotFound
from flexid.domain.space import Space

T = TypeVar("T")


def space_within_reach(actor: Actor, space: Space) -> int | None:
    """Return the id of the one Space whose objects an administrator reaches on its host, None for all."""
    return None if actor.super_admin else space.id


def found(value: T | None) -> T:
    """Return what the store has found.

    :raise NotFound: nothing, or nothing within reach.
    """
    if value is None:
        raise NotFound
    return value
