"""`make audit`: holes in packages, dangerous code, secrets; pyproject.toml says what is excused, and why."""

from __future__ import annotations

import sys
from collections.abc import Callable

from audit.code import dangerous_code
from audit.findings import Finding, exceptions
from audit.packages import OutOfReachError, vulnerable_packages
from audit.secrets import kept_secrets

AUDITS: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
    ("code", dangerous_code),
    ("secrets", kept_secrets),
    ("packages", vulnerable_packages),
)


def main() -> int:
    """Audit everything and tell what was found; return the exit code."""
    failed = False
    for name, audit in AUDITS:
        try:
            found = audit()
        except OutOfReachError as problem:
            print(f"{name}: NOT AUDITED, since nobody could be asked: {problem}")  # noqa: T201  # what it is for
            continue
        left, unused = exceptions(name).left(found)
        lines = [*map(str, left), *(f"the exception {pattern!r} excuses nothing any more" for pattern in unused)]
        failed |= bool(left)
        print("\n".join([f"{name}: {len(found)} findings, {len(left)} not excused", *lines]))  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
