"""`flexid hooks check`."""

from __future__ import annotations

from argparse import Namespace

from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.domain.errors import DomainError
from flexid.services.hook_trial import try_hooks


async def _check(program: Program, _: Namespace) -> Outcome:
    settings = program.configuration.settings.hooks
    if not settings.provisioning and not settings.accounts:
        raise Problem("no hooks are configured: see hooks.provisioning and hooks.accounts in docs/hooks.md")
    try:
        trial = await try_hooks(program.reactor, settings)
    except DomainError as error:
        raise Problem(str(error.reason)) from None
    lines: list[str] = []
    for setting, functions in trial.functions.items():
        lines += [setting, *(f"  {name}: {how}" for name, how in functions.items())]
    if trial.document:
        lines += ["The document of a sample account:", trial.document.rstrip()]
    data = {"functions": trial.functions, "document": trial.document}
    return Outcome("\n".join(lines), data, failed=trial.failed)


CHECK = Command(_check)
