"""`flexid doctor`."""

from __future__ import annotations

from argparse import Namespace

from attrs import asdict

from flexid.base.settings import Settings
from flexid.commands.command import Command, Outcome, Program
from flexid.domain.errors import DomainError
from flexid.services import surroundings
from flexid.services.doctor import Finding, look_at_daemon, look_at_database


async def _examine(program: Program, _: Namespace) -> Outcome:
    configuration = program.configuration
    settings = configuration.settings
    findings = [Finding("configuration", f"right ({configuration.source})")]
    findings += [Finding("configuration", warning) for warning in configuration.warnings]
    findings += surroundings.contradictions(settings)
    report, hosts = None, [settings.root_host]
    try:
        async with program.database() as found:
            services = found.services
            findings.append(await look_at_database(services))
            if not (await services.schema.status()).pending:
                report = await services.messages.daemon()
                hosts = [space.host for space in await services.spaces.every()] or hosts
            findings.append(await surroundings.look_at_connections(services, settings))
            findings.append(await surroundings.look_at_clock(services, program.clock))
            findings.append(await surroundings.look_at_redis(services.conditions.outside.registrar))
            await services.conditions.outside.registrar.stop()
    except DomainError as error:
        findings.append(Finding("database", str(error), "see database.url in docs/configuration.md"))
    findings.append(await look_at_daemon(program.reactor, settings.daemon.socket, report))
    findings.append(await surroundings.look_at_mail(settings))
    findings.append(surroundings.look_at_pusher(settings))
    findings.append(_look_at_tls(settings, hosts, program))
    findings.append(surroundings.look_at_disk(settings))
    return Outcome(
        "\n".join(line for finding in findings for line in _lines(finding)),
        [{**asdict(finding), "well": finding.well} for finding in findings],
        failed=not all(finding.well for finding in findings),
    )


def _look_at_tls(settings: Settings, hosts: list[str], program: Program) -> Finding:
    if settings.tls.certificate:
        from flexid.service import check_certificates  # noqa: PLC0415  # it takes long, and few need it

        try:
            check_certificates(settings)
        except DomainError as error:
            return Finding("TLS", str(error), "mend the files of [tls]; see docs/installing.md")
    return surroundings.look_at_certificate(settings, hosts, program.clock.now())


def _lines(finding: Finding) -> list[str]:
    told = [f"{'well' if finding.well else 'TROUBLE':8}{finding.subject}: {finding.says}"]
    return [*told, f"{'':8}{finding.advice}"] if finding.advice else told


EXAMINE = Command(_examine)
