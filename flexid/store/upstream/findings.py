"""What is wrong with rows that are to be moved, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from attrs import define, field, frozen

NAMED = 20
"""Of so many rows with the same trouble each is named, the rest are counted."""

Fate = Literal["refused", "left out", "mended", "told"]
"""`refused`: nothing at all is moved before somebody decides; `told`: it is moved as it is."""


@frozen
class Finding:
    """Rows of one table with the same trouble; `count` of them, `ids` of the first."""

    table: str
    reason: str
    fate: Fate
    count: int
    ids: tuple[str, ...]


@define
class _Rows:
    count: int = 0
    ids: list[str] = field(factory=list)


@define
class Findings:
    """All that was found."""

    _found: dict[tuple[str, str, Fate], _Rows] = field(factory=dict)

    def __iter__(self) -> Iterator[Finding]:
        """Yield the worst first."""
        order = ("refused", "left out", "mended", "told")
        for (table, reason, fate), rows in sorted(self._found.items(), key=lambda item: order.index(item[0][2])):
            yield Finding(table, reason, fate, rows.count, tuple(rows.ids))

    @property
    def refused(self) -> bool:
        """Whether something is in the way of all."""
        return any(fate == "refused" for _, _, fate in self._found)

    def add(self, table: str, reason: str, fate: Fate, ids: Sequence[object] = (), count: int | None = None) -> None:
        """Add rows: `count` in all if more than `ids` names."""
        rows = self._found.setdefault((table, reason, fate), _Rows())
        rows.count += len(ids) if count is None else count
        rows.ids += [str(each) for each in ids[: NAMED - len(rows.ids)]]
