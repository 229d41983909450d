"""Of what settings are made."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

HOST_NAME_LENGTH = 253
HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")

Minutes = Annotated[int, Field(ge=0, le=10 * 366 * 24 * 60)]
Days = Annotated[int, Field(ge=0, le=100 * 366)]


def _host_name(value: str) -> str:
    value = value.lower()
    if len(value) > HOST_NAME_LENGTH or not HOST_NAME.fullmatch(value):
        raise ValueError("a host name is allowed, without scheme and port")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a regular expression is allowed: {error}") from error
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("addresses and networks are allowed, such as 127.0.0.1 and 10.0.0.0/8") from None
    return value


HostName = Annotated[str, AfterValidator(_host_name)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Network = Annotated[str, AfterValidator(_network)]
WebAddress = Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$")]
HeaderName = Annotated[str, Field(pattern="^[A-Za-z0-9-]*$")]
# An empty variable of the environment stands for nothing, as an empty text does.
OptionalPath = Annotated[Path | None, BeforeValidator(lambda value: None if value == "" else value)]


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
