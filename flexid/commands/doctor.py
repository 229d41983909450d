"""`flexid doctor`."""

from __future__ import annotations

from argparse import Namespace

from attrs import asdict

from flexid.commands.command import Command, Outcome, Program
from flexid.domain.errors import DomainError
from flexid.domain.message import DaemonReport
from flexid.services.catalogue import Services
from flexid.services.doctor import Finding, look_at_daemon, look_at_database


async def _examine(program: Program, _: Namespace) -> Outcome:
    configuration = program.configuration
    findings = [Finding("configuration", f"right ({configuration.source})")]
    findings += [Finding("configuration", warning) for warning in configuration.warnings]
    report = None
    try:
        async with program.database() as found:
            findings.append(await look_at_database(found.services))
            report = await _report(found.services)
    except DomainError as error:
        findings.append(Finding("database", str(error), "see database.url in docs/configuration.md"))
    findings.append(await look_at_daemon(program.reactor, configuration.settings.daemon.socket, report))
    return Outcome(
        "\n".join(line for finding in findings for line in _lines(finding)),
        [{**asdict(finding), "well": finding.well} for finding in findings],
        failed=not all(finding.well for finding in findings),
    )


async def _report(services: Services) -> DaemonReport | None:
    return None if (await services.schema.status()).pending else await services.messages.daemon()


def _lines(finding: Finding) -> list[str]:
    told = [f"{'well' if finding.well else 'TROUBLE':8}{finding.subject}: {finding.says}"]
    return [*told, f"{'':8}{finding.advice}"] if finding.advice else told


EXAMINE = Command(_examine)
