"""The configuration: every key with its type, its default and what it means.

`flexid.base.configuration` reads a file and the environment into these; `docs/configuration.md` is generated from them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from flexid.base.mail_settings import Mail, SmsSettings
from flexid.base.peer_settings import DaemonSettings, HooksSettings, PusherSettings, RedisSettings, TurnSettings
from flexid.base.setting_types import (
    Days,
    HeaderName,
    HostName,
    Minutes,
    Network,
    OptionalPath,
    Pattern,
    Section,
    WebAddress,
)


class Listen(Section):
    """Where flexid listens: Twisted endpoint strings."""

    http: tuple[str, ...] = Field(
        ("tcp:8080:interface=127.0.0.1",), description="plain HTTP; a unix: endpoint works too"
    )
    https: tuple[str, ...] = Field(
        (), description="HTTP/1.1 and HTTP/2 over TLS, with the certificate of `[tls]`; such as `tcp:443`"
    )
    metrics: tuple[str, ...] = Field(
        (), description="`/metrics` for Prometheus, without a key; such as `tcp:9464:interface=127.0.0.1`"
    )
    drain_seconds: Annotated[int, Field(ge=0, le=600)] = Field(
        0,
        description="after SIGTERM, how long `/health/ready` answers 503 while all else goes on, so that a balancer "
        "sends nobody here any more when the ports close",
    )

    def endpoints(self) -> Iterator[tuple[str, str]]:
        """Yield scheme and endpoint of all ports."""
        yield from (("http", endpoint) for endpoint in self.http)
        yield from (("https", endpoint) for endpoint in self.https)


class Tls(Section):
    """TLS of our own, and what a proxy before us tells of client certificates."""

    certificate: OptionalPath = Field(None, description="PEM file with our certificate and those between it and a root")
    key: OptionalPath = Field(None, description="PEM file with its key, without passphrase")
    client_ca: OptionalPath = Field(
        None, description="PEM file with the authorities whose certificates sign devices in, see docs/provisioning.md"
    )
    proxy_verified_header: HeaderName = Field(
        "", description="the header in which `trusted_proxies` say SUCCESS of a client certificate that they verified"
    )
    proxy_subject_header: HeaderName = Field("", description="the header in which they give its subject")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("tls.certificate and tls.key are allowed together only")
        if bool(self.proxy_verified_header) != bool(self.proxy_subject_header):
            raise ValueError("tls.proxy_verified_header and tls.proxy_subject_header are allowed together only")
        return self


class DatabaseSettings(Section):
    """PostgreSQL."""

    url: str = Field("", description="postgresql://… of an external server; empty = the embedded one under `data_dir`")
    pool_size: Annotated[int, Field(ge=2, le=200)] = Field(10, description="connections that one process keeps open")

    def is_external(self) -> bool:
        """Say whether somebody else looks after the server."""
        return bool(self.url)


class Lifetimes(Section):
    """How long things live, in minutes; 0 = for ever."""

    creation_token: Minutes = Field(0, description="account creation tokens")
    provisioning_token: Minutes = Field(0, description="provisioning tokens")
    password_reset_token: Minutes = Field(1440, description="links in mails that lead to a new password")
    push_retry: Minutes = Field(
        60, description="after a token that a device got by push was used, until it gets another one"
    )
    recovery_token: Minutes = Field(60, description="tokens of apps whose users recover an account by phone number")
    user_api_key: Minutes = Field(60, description="API keys of users, counted from their last use")
    email_code: Minutes = Field(10, description="codes that confirm a new email address")
    phone_code: Minutes = Field(10, description="codes that confirm a new phone number")
    recovery_code: Minutes = Field(10, description="codes of those who have forgotten their password")
    registration: Minutes = Field(
        60, description="how long a username is kept for somebody who registers on the portal and has typed no code yet"
    )
    auth_token: Minutes = Field(5, description="auth tokens, which let one device sign in another")
    file: Minutes = Field(0, description="voicemails, counted from when their slot was opened")
    audit: Minutes = Field(525_600, description="entries of the audit log; 525,600 are a year")
    nonce: Minutes = Field(60, description="Digest nonces, counted from their last use")
    session: Minutes = Field(120, description="sessions of the portal, counted from their last use")


class Accounts(Section):
    """Rules for accounts."""

    username_regex: Pattern = Field("^[a-z0-9+_.-]*$", description="what a username must match")
    username_blacklist: tuple[Pattern, ...] = Field((), description="names, or regular expressions, that nobody gets")
    allow_phone_number_username_admin_api: bool = Field(
        default=False, description="whether an administrator may give a phone number as username"
    )
    password_min_length: Annotated[int, Field(ge=1, le=255)] = Field(
        8, description="characters in a password, at least"
    )


class Blocking(Section):
    """When accounts that ask for too many codes are blocked; an administrator unblocks them."""

    time_period_check: Minutes = Field(30, description="minutes in which the codes that an account asked for count")
    amount_events_authorized_during_period: Annotated[int, Field(ge=0, le=10_000)] = Field(
        5, description="codes by mail or SMS in that time; who asks for one more is blocked, 0 = nobody is"
    )


class Public(Section):
    """How the hosts of Spaces are reached: links in mails are made of it."""

    scheme: Annotated[str, Field(pattern="^(http|https)?$")] = Field(
        "", description="http or https; empty = https where `listen.https` is set"
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        0, description="0 = the port that `listen` names first; behind a proxy, the proxy's"
    )


class Portal(Section):
    """The web portal."""

    show_account_count: bool = Field(
        default=False, description="whether the sign-in page tells how many accounts of the Space are active"
    )
    terms_url: WebAddress = Field("", description="the terms of use, which everybody accepts who registers")
    privacy_url: WebAddress = Field("", description="what becomes of personal data, shown to who registers")


class CaptchaSettings(Section):
    """hCaptcha, which keeps programs from registering and from asking for codes; see docs/portal.md."""

    site_key: str = Field("", description="what hCaptcha calls the sitekey; empty = nobody is asked")
    secret: str = Field("", description="the secret that belongs to it")
    url: WebAddress = Field("https://api.hcaptcha.com/siteverify", description="where answers are checked")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.site_key) != bool(self.secret):
            raise ValueError("captcha.site_key and captcha.secret are allowed together only")
        return self


class HousekeepingSettings(Section):
    """What is deleted by itself once it is so many days old; 0 = nothing is."""

    unconfirmed_accounts_days: Days = Field(
        0, description="accounts that were never activated, but no administrators; their names are free again"
    )
    tombstones_days: Days = Field(0, description="what keeps the names of deleted accounts from being taken again")
    statistics_days: Days = Field(0, description="calls and messages that Flexisip told of")


class OutboundSettings(Section):
    """Servers that administrators of Spaces name: those of webhooks, and OpenID servers. See docs/webhooks.md."""

    allow_private: bool = Field(
        default=False,
        description="whether their URLs may lead to private addresses, those of this machine among them",
    )
    allow_http: bool = Field(default=False, description="whether webhooks may have http URLs")


class Throttling(Section):
    """Limits against guessing."""

    factor: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1, description="multiplies every rate limit; for load tests and test suites"
    )


class Limits(Section):
    """Bounds on what a request may carry."""

    max_body_size: Annotated[int, Field(ge=1024, le=1 << 30)] = Field(1 << 20, description="bytes of a request's body")
    max_upload_size: Annotated[int, Field(ge=1024, le=1 << 40)] = Field(
        10 << 20, description="bytes of an uploaded file, such as a voicemail"
    )
    max_import_size: Annotated[int, Field(ge=1024, le=1 << 32)] = Field(
        64 << 20, description="bytes of a file of accounts: 100,000 of them take about 10 MB"
    )


class Api(Section):
    """The REST API."""

    allow_origin: str = Field("*", description="which web pages' scripts may call it: `*`, or one origin")


class Logging(Section):
    """What is written, and how."""

    level: Annotated[str, Field(pattern="^(debug|info|warn|error)$")] = Field(
        "info", description="debug, info, warn or error"
    )
    format: Annotated[str, Field(pattern="^(auto|text|json)$")] = Field(
        "auto", description="text, json, or auto: text on a terminal and JSON lines elsewhere"
    )


class Settings(Section):
    """Everything that can be configured."""

    root_host: HostName = Field("localhost", description="the host of the first Space; every other host is below it")
    data_dir: Path = Field(Path("var"), description="the embedded database and other files of this node")
    workers: Annotated[int, Field(ge=0, le=256)] = Field(
        1, description="processes that serve; 0 = one for each processor"
    )
    files_dir: OptionalPath = Field(
        None, description="uploaded files; all nodes share this folder; empty = `files` in `data_dir`"
    )
    development: bool = Field(
        default=False, description="for who works on the portal: templates are read anew, `/styleguide` shows its parts"
    )
    templates_dir: Path | None = Field(
        None,
        description="a folder whose templates replace ours of the same name; "
        "empty = `templates` beside the configuration file",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="addresses or networks whose X-Forwarded-* headers are believed"
    )
    listen: Listen = Field(default_factory=Listen)
    tls: Tls = Field(default_factory=Tls)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    lifetimes: Lifetimes = Field(default_factory=Lifetimes)
    accounts: Accounts = Field(default_factory=Accounts)
    blocking: Blocking = Field(default_factory=Blocking)
    public: Public = Field(default_factory=Public)
    mail: Mail = Field(default_factory=Mail)
    sms: SmsSettings = Field(default_factory=SmsSettings)
    pusher: PusherSettings = Field(default_factory=PusherSettings)
    api: Api = Field(default_factory=Api)
    portal: Portal = Field(default_factory=Portal)
    captcha: CaptchaSettings = Field(default_factory=CaptchaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    daemon: DaemonSettings = Field(default_factory=DaemonSettings)
    turn: TurnSettings = Field(default_factory=TurnSettings)
    housekeeping: HousekeepingSettings = Field(default_factory=HousekeepingSettings)
    hooks: HooksSettings = Field(default_factory=HooksSettings)
    outbound: OutboundSettings = Field(default_factory=OutboundSettings)
    throttling: Throttling = Field(default_factory=Throttling)
    limits: Limits = Field(default_factory=Limits)
    log: Logging = Field(default_factory=Logging)

    @property
    def worker_count(self) -> int:
        """Return how many processes serve."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def uploads_dir(self) -> Path:
        """Return where uploaded files lie."""
        return self.files_dir or self.data_dir / "files"

    @model_validator(mode="after")
    def _has_certificate(self) -> Self:
        if self.listen.https and self.tls.certificate is None:
            raise ValueError("listen.https needs tls.certificate and tls.key")
        return self
