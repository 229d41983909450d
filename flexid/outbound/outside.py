"""All outside parties, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.base import redis_address, smtp_address
from flexid.base.clock import Clock
from flexid.base.peer_settings import RedisSettings
from flexid.base.settings import CaptchaSettings, Settings
from flexid.domain.hooks import OF_ACCOUNTS, OF_DOCUMENTS
from flexid.outbound.captcha import Captcha, HCaptcha, NoCaptcha
from flexid.outbound.carriers import MailCarrier, SmsCarrier
from flexid.outbound.files import MailFiles, SmsFiles
from flexid.outbound.guard import Guard
from flexid.outbound.hooks import HookFile
from flexid.outbound.oidc_keys import HttpKeyServer, KeyServer
from flexid.outbound.post import Post
from flexid.outbound.pusher import FlexisipPusher, NoPusher, Pusher
from flexid.outbound.registrar import NoRegistrar, Registrar
from flexid.outbound.sms_http import HttpSms
from flexid.outbound.sms_ovh import OvhSms
from flexid.outbound.sms_request import SmsServer
from flexid.outbound.smtp import SmtpCarrier
from flexid.outbound.trust import Trust
from flexid.outbound.web import Web


@frozen
class Outside:
    """Each party by its interface."""

    mail: MailCarrier
    sms: SmsCarrier
    pusher: Pusher
    oidc_keys: KeyServer
    registrar: Registrar
    web: Web
    captcha: Captcha
    document_hooks: HookFile | None
    account_hooks: HookFile | None


def connect(reactor: Any, settings: Settings, environment: Mapping[str, str]) -> Outside:
    """Return the parties; programs are run with `environment`, but for our own settings, which may be secret."""
    path = settings.pusher.path
    hooks = settings.hooks
    kept = {name: value for name, value in environment.items() if not name.startswith("FLEXID_")}
    web = Web(reactor, Guard(reactor, settings.outbound.allow_private))
    return Outside(
        Post(_smtp(reactor, settings), MailFiles(settings.data_dir / "mail")),
        _sms(reactor, settings),
        FlexisipPusher(reactor, path, settings.pusher.keys(), kept) if path else NoPusher(),
        HttpKeyServer(web),
        _registrar(reactor, settings.redis) if settings.redis.url else NoRegistrar(),
        web,
        _captcha(reactor, settings.captcha),
        HookFile(reactor, "hooks.provisioning", hooks.provisioning, OF_DOCUMENTS) if hooks.provisioning else None,
        HookFile(reactor, "hooks.accounts", hooks.accounts, OF_ACCOUNTS) if hooks.accounts else None,
    )


def _smtp(reactor: Any, settings: Settings) -> SmtpCarrier:
    mail = settings.mail
    shared = smtp_address.read(mail.url) if mail.url else None
    return SmtpCarrier(reactor, Trust(mail.ca), settings.root_host, mail.timeout, shared)


def _captcha(reactor: Any, captcha: CaptchaSettings) -> Captcha:
    # The operator has named this server, so it may stand anywhere.
    web = Web(reactor, Guard(reactor, allow_private=True))
    return HCaptcha(web, captcha.url, captcha.site_key, captcha.secret) if captcha.site_key else NoCaptcha()


def _sms(reactor: Any, settings: Settings) -> SmsCarrier:
    sms = settings.sms
    server = SmsServer(reactor, sms.timeout)
    if sms.provider == "ovh":
        keys = (sms.ovh_application_key, sms.ovh_application_secret, sms.ovh_consumer_key)
        return OvhSms(server, Clock(), sms.ovh_url, sms.ovh_service, *keys, sms.sender)
    if sms.provider == "http":
        request = (sms.http_method, sms.http_url, sms.http_body, sms.http_content_type, sms.http_header)
        return HttpSms(server, *request, sms.sender, sms.http_secret)
    return SmsFiles(settings.data_dir / "sms")


def _registrar(reactor: Any, settings: RedisSettings) -> Registrar:
    from flexid.outbound.redis import Redis  # noqa: PLC0415  # not everybody needs it, and its import takes long
    from flexid.outbound.redis_registrar import RedisRegistrar  # noqa: PLC0415

    tls = Trust(settings.ca, settings.certificate, settings.key)
    return RedisRegistrar(Redis(reactor, redis_address.read(settings.url), tls, settings.sentinel_password))
