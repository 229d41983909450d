"""Operators' own Python: functions in a file that the settings name, called by name where they are defined."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.defer import TimeoutError as LateError
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.base.text import Text
from flexid.domain.errors import DomainError

SECONDS = 5.0
"""How long an `async` function may take. One that is not holds up the whole process."""

Function = Callable[..., Any]
T = TypeVar("T")


class UnusableHooks(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """A file of hooks cannot be used."""


class HookFile:
    """The functions of one file; what goes wrong in them is logged and counted, and troubles nobody else."""

    log = Logger()

    def __init__(self, reactor: Any, setting: str, path: Path, names: Collection[str]) -> None:
        """`setting` names the file, which may define functions of these `names`; it is read when it is needed."""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """How often each function was called, by its name and `done`, `failed` or `late`."""
        self.failures: dict[str, Failure] = {}
        """What went wrong with each function, the last time that it did."""
        self.path = path
        self._reactor = reactor
        self._setting = setting
        self._names = frozenset(names)
        self._functions: dict[str, Function] | None = None

    def read(self) -> list[str]:
        """Read the file, and return the names of the functions that it defines.

        :raise UnusableHooks: it cannot be read, is no Python, or defines no function that we know.
        """
        self._functions = self._defined()
        return sorted(self._functions)

    def reload(self) -> None:
        """Read the file again; if that cannot be done, the functions that we have stay."""
        try:
            names = self.read()
        except UnusableHooks as error:
            # The reason says it all, a traceback nothing more.
            self.log.error(  # noqa: TRY400
                "The hooks stay as they are: {reason}", reason=error.reason
            )
        else:
            self.log.info("Read hooks from {path}: {names}", path=str(self.path), names=", ".join(names))

    def defines(self, name: str) -> bool:
        """Say whether there is such a function; without any where the file cannot be used."""
        if self._functions is None:
            self._functions = {}
            self.reload()
        return name in self._functions

    async def call(self, name: str, *arguments: object, take: Callable[[], T]) -> T | None:
        """Call a function, and return what `take` makes of what it has left behind.

        None if there is no such function, or it fails, or is late, or `take` raises a ValueError.
        """
        if not self.defines(name) or self._functions is None:
            return None
        try:
            result = self._functions[name](*arguments)
            if inspect.isawaitable(result):
                running: Deferred[Any] = ensureDeferred(_finished(result))
                await running.addTimeout(SECONDS, self._reactor)
            taken = take()
        except (Exception, SystemExit):  # noqa: BLE001  # it is somebody else's code
            failure = Failure()
            self.outcomes[name, "late" if failure.check(LateError) else "failed"] += 1
            self.failures[name] = failure
            self.log.failure("The hook {name} failed", failure, event="hook.failed", name=name)
            return None
        self.outcomes[name, "done"] += 1
        return taken

    def _defined(self) -> dict[str, Function]:
        module = ModuleType(f"flexid_{self._setting.replace('.', '_')}")
        module.__file__ = str(self.path)
        # So that dataclasses and the like find the module of what they decorate.
        sys.modules[module.__name__] = module
        try:
            code = compile(self.path.read_bytes(), str(self.path), "exec")
            exec(code, module.__dict__)  # noqa: S102  # whoever configures flexid may run code in it
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None
        except (Exception, SystemExit) as error:  # noqa: BLE001  # it is somebody else's code
            raise self._unusable(f"{type(error).__name__}: {error}{_line(error, self.path)}") from None
        functions = {name: found for name in self._names if callable(found := getattr(module, name, None))}
        if not functions:
            raise self._unusable(f"it defines none of {', '.join(sorted(self._names))}")
        return functions

    def _unusable(self, reason: str) -> UnusableHooks:
        said = Text("{setting} cannot be used, {path}: {reason}", setting=self._setting, path=self.path, reason=reason)
        return UnusableHooks(said)


def _line(error: BaseException, path: Path) -> str:
    """Return where in the file something went wrong; a SyntaxError says so itself."""
    at = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f" (line {at[-1]})" if at else ""


async def _finished(result: Any) -> Any:
    return await result
