"""A Space's ini text that PHP took and we do not: lines in the way become remarks, so that nothing of it is lost."""

from __future__ import annotations

from flexid.domain import ini
from flexid.domain.errors import Invalid

ROUNDS = 5
"""What is behind a wrong line may be wrong in its turn: so often it is looked at."""


def mended_ini(text: str) -> tuple[str | None, list[str]]:
    """Return a text that we can read, and what was wrong with it; None if nothing can be made of it."""
    reasons: list[str] = []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for _ in range(ROUNDS):
        try:
            ini.parse("\n".join(lines))
        except Invalid as invalid:
            for fault in invalid.errors[ini.FIELD]:
                reasons.append(str(fault))
                match fault.values:
                    case {"line": int(number)}:
                        lines[number - 1] = f";{lines[number - 1]}"
                    case {"keys": str(keys)}:
                        lines = [_without(line, set(keys.split(", "))) for line in lines]
                    case _:
                        return None, reasons
        else:
            return "\n".join(lines), reasons
    return None, reasons


def _without(line: str, keys: set[str]) -> str:
    return f";{line}" if line.partition("=")[0].strip() in keys else line
