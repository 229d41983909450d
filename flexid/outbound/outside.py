"""All outside parties, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.base.settings import Settings
from flexid.outbound.carriers import MailCarrier, SmsCarrier
from flexid.outbound.files import MailFiles, SmsFiles
from flexid.outbound.oidc_keys import HttpKeyServer, KeyServer
from flexid.outbound.pusher import FlexisipPusher, NoPusher, Pusher


@frozen
class Outside:
    """Each party by its interface."""

    mail: MailCarrier
    sms: SmsCarrier
    pusher: Pusher
    oidc_keys: KeyServer


def connect(reactor: Any, settings: Settings, environment: Mapping[str, str]) -> Outside:
    """Return the parties; programs are run with `environment`, but for our own settings, which may be secret."""
    path = settings.pusher.path
    kept = {name: value for name, value in environment.items() if not name.startswith("FLEXID_")}
    return Outside(
        MailFiles(settings.data_dir / "mail"),
        SmsFiles(settings.data_dir / "sms"),
        FlexisipPusher(reactor, path, settings.pusher.keys(), kept) if path else NoPusher(),
        HttpKeyServer(reactor),
    )
