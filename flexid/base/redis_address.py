"""Where a Redis is, as a URL says it."""

from __future__ import annotations

import re
from urllib.parse import unquote

from attrs import field, frozen

FORMS = (
    "redis://user:password@host:6379/0, rediss://… for TLS, unix:///path/of/socket,"
    " and redis-sentinel://user:password@host:26379,host:26379/name/0 (rediss-sentinel for TLS) are allowed"
)
PORT = 6379
SENTINEL_PORT = 26379
MOST_DATABASES = 1_000_000

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SCHEMES = {
    "redis": (False, False),
    "rediss": (True, False),
    "redis-sentinel": (False, True),
    "rediss-sentinel": (True, True),
}


@frozen
class RedisAddress:
    """A Redis server, or the Sentinels that know which server is the master of a name.

    Either `socket` is the path of a UNIX socket, or `servers` are hosts with ports: one server, or, with a `master`,
    Sentinels.
    """

    servers: tuple[tuple[str, int], ...] = ()
    socket: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    tls: bool = False
    master: str = ""

    def __str__(self) -> str:
        """Return what may be logged of it."""
        if self.socket:
            return self.socket
        servers = ", ".join(f"{host}:{port}" for host, port in self.servers)
        return f"{self.master} of {servers}" if self.master else servers


def read(url: str) -> RedisAddress:
    """Return the address in a URL; user, password and the database's number may be absent.

    :raise ValueError: it is none of these.
    """
    scheme, _, rest = url.partition("://")
    credentials, _, place = rest.rpartition("@")
    username, password = (unquote(part) or None for part in credentials.partition(":")[::2])
    if username and not password:
        raise ValueError("a user without a password cannot sign in to Redis")
    if scheme == "unix" and place.startswith("/"):
        return RedisAddress(socket=unquote(place), username=username, password=password)
    if scheme not in _SCHEMES:
        raise ValueError(FORMS)
    tls, is_sentinel = _SCHEMES[scheme]
    hosts, *path = place.split("/")
    master = path.pop(0) if is_sentinel and path else ""
    database = path.pop(0) if path else ""
    if path or is_sentinel != bool(_NAME.fullmatch(master)) or ("," in hosts and not is_sentinel):
        raise ValueError(FORMS)
    default = SENTINEL_PORT if is_sentinel else PORT
    servers = tuple(_server(host, default) for host in hosts.split(","))
    return RedisAddress(servers, "", username, password, _number(database), tls, master)


def _server(text: str, default: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    port = int(found[3] or default) if found else 0
    if not found or not 0 < port < 1 << 16:
        raise ValueError(FORMS)
    return found[1] or found[2], port


def _number(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdecimal() or int(text[:9]) > MOST_DATABASES:
        raise ValueError(FORMS)
    return int(text)
