"""The settings of programs beside flexid."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from flexid.base import redis_address
from flexid.base.setting_types import HostName, OptionalPath, Section


def _keys(value: str) -> str:
    if not all(project and key for project, _, key in (pair.partition(":") for pair in value.split())):
        raise ValueError("pairs such as project:key are allowed, with blanks between them")
    return value


class PusherSettings(Section):
    """Flexisip's pusher, a program that sends push notifications to phones."""

    path: OptionalPath = Field(None, description="the program `flexisip_pusher`; empty = no push notifications")
    keysmap: Annotated[str, AfterValidator(_keys)] = Field(
        "", description="keys of Firebase projects: `project:key` pairs with blanks between them"
    )

    def keys(self) -> dict[str, str]:
        """Return the keys by project."""
        pairs = (pair.partition(":") for pair in self.keysmap.split())
        return {project: key for project, _, key in pairs}


class RedisSettings(Section):
    """Flexisip's Redis, in which it keeps which devices are registered."""

    url: str = Field(
        "", description=f"{redis_address.FORMS}; empty = no list of devices, and Flexisip hears of no changes"
    )
    sentinel_password: str = Field("", description="what the Sentinels ask for; that of the server stands in `url`")
    ca: OptionalPath = Field(
        None, description="PEM file with the authorities of Redis' certificate; empty = those of the operating system"
    )
    certificate: OptionalPath = Field(None, description="PEM file with our certificate, where Redis wants to see one")
    key: OptionalPath = Field(None, description="PEM file with its key, without passphrase")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        # What is said of a whole section does not repeat its values: the URL holds a password.
        if self.url:
            try:
                redis_address.read(self.url)
            except ValueError as error:
                raise ValueError(f"redis.url: {error}") from None
        if (self.certificate is None) != (self.key is None):
            raise ValueError("redis.certificate and redis.key are allowed together only")
        return self


class DaemonSettings(Section):
    """linphone-daemon, which sends SIP messages; see docs/messages.md."""

    socket: Annotated[str, Field(pattern=r"^(/[!-~]+)?$", max_length=107)] = Field(
        "", description="the full path of its socket, `/tmp/ld` of `--pipe ld`; empty = no SIP messages"
    )
    command: tuple[str, ...] = Field(
        (), description="a program and its arguments: flexid runs linphone-daemon itself; `--pipe` is added to them"
    )
    allowed_domains: tuple[HostName, ...] = Field(
        (), description="domains beside those of Spaces to which administrators of any Space may write"
    )
    newlines: Literal["line-separator", "refuse"] = Field(
        "line-separator",
        description="ends of lines, which the daemon cannot carry: `line-separator` makes them U+2028, or `refuse`",
    )
    longest_message: Annotated[int, Field(ge=1, le=15_000)] = Field(
        15_000, description="bytes of a message's text in UTF-8; 1,300 suit networks that lose larger UDP datagrams"
    )
    longest_queue: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="messages of one Space that may wait to be sent"
    )
    messages_per_second: Annotated[int, Field(ge=1, le=200)] = Field(
        30, description="how many are sent; from 45 a second on the daemon repeats itself and falls behind"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.command and not self.socket:
            raise ValueError("daemon.command needs daemon.socket")
        return self


class TurnSettings(Section):
    """The TURN server that lets calls through firewalls; applications get credentials that it can check by itself."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]*$")] = Field(
        "", description="its host, with a port or without; empty = there is none"
    )
    secret: str = Field("", description="what it shares with flexid: `static-auth-secret` of coturn")
    ttl_minutes: Annotated[int, Field(ge=1, le=10 * 366 * 24 * 60)] = Field(
        1440, description="how long credentials hold"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.host) != bool(self.secret):
            raise ValueError("turn.host and turn.secret are allowed together only")
        return self


class HooksSettings(Section):
    """Python of your own, called at certain moments; see docs/hooks.md."""

    provisioning: OptionalPath = Field(
        None, description="a file with `proxy_section`, `auth_section` or `additional_sections`, for documents"
    )
    accounts: OptionalPath = Field(
        None, description="a file with `account_created`, `account_edited` or `account_deleted`"
    )
