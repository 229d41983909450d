"""What stands around flexid on an operator's machines: looked at by `flexid doctor`; in English, for a terminal."""

from __future__ import annotations

import os
import shutil
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet.threads import deferToThread

from flexid.base import smtp_address
from flexid.base.clock import Clock
from flexid.base.settings import Settings
from flexid.base.smtp_address import SmtpAddress
from flexid.domain.errors import Unavailable
from flexid.outbound.registrar import Registrar
from flexid.services.catalogue import Services
from flexid.services.conditions import NOBODY
from flexid.services.doctor import Finding

PATIENCE = 5.0
"""Seconds for a server to answer."""
EXPIRES_SOON = timedelta(days=14)
CLOCKS_APART = 2.0
"""Seconds; tokens and codes are compared with both clocks."""
SCARCE_BYTES, SCARCE_SHARE = 1 << 30, 0.05
SHARED_CONNECTIONS = 10
"""Of the server, for others: superusers, backups, commands."""


async def look_at_redis(registrar: Registrar) -> Finding:
    """Say whether Flexisip's Redis answers."""
    if not registrar.is_configured():
        return Finding("Redis", "none is configured (redis.url)")
    try:
        await registrar.devices(NOBODY, PATIENCE)
    except Unavailable as error:
        return Finding("Redis", f"does not answer: {error}", "start it, or mend redis.url; see docs/flexisip.md")
    return Finding("Redis", "answers")


async def look_at_mail(settings: Settings) -> Finding:
    """Say whether the mail server takes connections as they are configured; no mail is sent."""
    if not settings.mail.url:
        return Finding("mail", f"no server is configured (mail.url): mails are written to {settings.data_dir / 'mail'}")
    address = smtp_address.read(settings.mail.url)
    try:
        says = await deferToThread(_greet, address, settings.mail.ca)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", None) or error.reason or "TLS failed"
        return Finding("mail", f"{address}: {reason}", "the name in mail.url must be the certificate's; see mail.ca")
    except smtplib.SMTPAuthenticationError as error:
        return Finding("mail", f"{address} refuses our user ({error.smtp_code})", "mend user and password in mail.url")
    except smtplib.SMTPException as error:
        return Finding("mail", f"{address}: {type(error).__name__}", "see mail.url and docs/mail-and-sms.md")
    except OSError as error:
        return Finding("mail", f"{address}: {error.strerror or error}", "start the server, or mend mail.url")
    return Finding("mail", says)


def _greet(address: SmtpAddress, authorities: Path | None) -> str:
    context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    if address.tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL(address.host, address.port, timeout=PATIENCE, context=context)
    else:
        client = smtplib.SMTP(address.host, address.port, timeout=PATIENCE)
    with client:
        client.ehlo()
        if address.tls == "starttls":
            client.starttls(context=context)
        if address.username:
            client.login(address.username, address.password or "")
    secured = "without TLS" if address.tls == "none" else "by verified TLS"
    return f"{address} answers {secured}{', and knows our user' if address.username else ''}"


def look_at_pusher(settings: Settings) -> Finding:
    """Say whether the program for push notifications can be run."""
    path = settings.pusher.path
    if not path:
        return Finding("pusher", "none is configured (pusher.path)")
    if not os.access(path, os.X_OK):
        return Finding("pusher", f"{path} cannot be run", "install flexisip_pusher, or mend pusher.path")
    return Finding("pusher", f"{path} can be run")


def look_at_certificate(settings: Settings, hosts: Iterable[str], now: datetime) -> Finding:
    """Say until when the certificate holds, and whether it has the names of all Spaces."""
    if settings.tls.certificate is None:
        return Finding("TLS", "none of our own (tls.certificate)")
    try:
        own = x509.load_pem_x509_certificates(settings.tls.certificate.read_bytes())[0]
    except (OSError, ValueError, IndexError) as error:
        return Finding("TLS", f"{settings.tls.certificate}: {error}", "mend tls.certificate")
    until = own.not_valid_after_utc
    if until <= now + EXPIRES_SOON:
        says = f"the certificate {'ended' if until <= now else 'ends'} on {until:%Y-%m-%d}"
        return Finding("TLS", says, "renew it, then reload flexid (SIGHUP)")
    missing = sorted(host for host in hosts if not _is_named(own, host))
    if missing:
        return Finding("TLS", f"the certificate does not name {', '.join(missing)}", "get one that names all hosts")
    return Finding("TLS", f"the certificate fits its key and holds until {until:%Y-%m-%d}")


def _is_named(certificate: x509.Certificate, host: str) -> bool:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    wildcard = "*." + host.partition(".")[2]
    return any(name.lower() in {host, wildcard} for name in names.get_values_for_type(x509.DNSName))


async def look_at_clock(services: Services, clock: Clock) -> Finding:
    """Say whether this machine and the database's agree what time it is."""
    before = clock.now()
    then = (await services.processes.server())["now"]
    apart = max((before - then).total_seconds(), (then - clock.now()).total_seconds(), 0.0)
    if apart > CLOCKS_APART:
        return Finding(
            "clock", f"{apart:.0f} seconds from the database's", "let both machines follow the same time (NTP)"
        )
    return Finding("clock", "agrees with the database's")


def look_at_disk(settings: Settings) -> Finding:
    """Say whether there is room for files and the embedded database."""
    scarce, free = list[str](), list[str]()
    for folder in dict.fromkeys((settings.data_dir, settings.uploads_dir)):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        usage = shutil.disk_usage(there)
        said = f"{folder}: {usage.free / (1 << 30):.1f} GB free"
        (scarce if usage.free < max(SCARCE_BYTES, SCARCE_SHARE * usage.total) else free).append(said)
    if scarce:
        return Finding("disk", "; ".join(scarce), "make room, or move data_dir or files_dir")
    return Finding("disk", "; ".join(free))


async def look_at_connections(services: Services, settings: Settings) -> Finding:
    """Say whether the database server has connections enough for all processes of this node."""
    server = await services.processes.server()
    # Each process has one more for listening, one for the lock of the timers, and one for the daemon's.
    wanted = settings.worker_count * (settings.database.pool_size + 3)
    most: Any = server["most_connections"]
    if wanted + SHARED_CONNECTIONS > most:
        says = f"this node keeps up to {wanted} of the {most} that PostgreSQL allows"
        return Finding("connections", says, "raise max_connections, or lower database.pool_size or workers")
    return Finding("connections", f"{server['connections']} of {most} are in use; this node keeps up to {wanted}")


def contradictions(settings: Settings) -> Iterator[Finding]:
    """Yield what in the configuration does not go together."""
    listen, public = settings.listen, settings.public
    if settings.tls.certificate and not listen.https:
        yield Finding(
            "configuration", "there is a certificate, and nobody uses it", "set listen.https, or leave [tls] out"
        )
    if public.scheme == "https" and not listen.https and not settings.trusted_proxies:
        says = "links say https, which must be a proxy's, but no proxy is trusted"
        yield Finding("configuration", says, "name it in trusted_proxies: else its address counts for every client")
    if public.scheme == "http" and listen.https and not listen.http:
        yield Finding("configuration", "links say http, and only https is served", "leave public.scheme out")
    if settings.tls.proxy_verified_header and not settings.trusted_proxies:
        says = "client certificates are told by a proxy, and none is trusted"
        yield Finding("configuration", says, "name it in trusted_proxies")
    if any("interface=" not in endpoint for endpoint in listen.metrics if endpoint.startswith("tcp:")):
        says = "metrics are served on all addresses of this machine, without a key"
        yield Finding(
            "configuration", says, "add interface=127.0.0.1 to listen.metrics, or keep others out by a firewall"
        )
    if settings.throttling.factor > 1:
        says = f"all limits against guessing are multiplied by {settings.throttling.factor}"
        yield Finding("configuration", says, "leave throttling.factor out but for load tests")
