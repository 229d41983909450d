"""One request, as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

from attrs import define, field

from flexid.base.settings import Settings
from flexid.base.templates import Templates
from flexid.base.text import Text
from flexid.domain.account import Actor, Origin
from flexid.domain.space import Space
from flexid.http import visits
from flexid.http.inputs import Input
from flexid.http.intake import Received
from flexid.http.peers import Peer
from flexid.http.request import FlexidRequest
from flexid.http.visits import Visit
from flexid.services.catalogue import Services
from flexid.services.space_directory import KnownSpace

I = TypeVar("I", bound=Input)  # noqa: E741  # the field's usual name for an input


@define
class Call(Generic[I]):
    """Who calls what, where, and with which input."""

    request: FlexidRequest
    services: Services
    settings: Settings
    templates: Templates
    peer: Peer
    origin: Origin
    known_space: KnownSpace | None = None
    caller: Actor | None = None
    given_input: I | None = None
    by_certificate: bool = False
    """Whether a client certificate has decided who the caller is."""
    request_id: str = ""
    received: Received | None = None
    """The form with a file, where the route takes one."""
    visit: Visit = field(factory=Visit)
    typed: dict[str, str] = field(factory=dict)
    """What somebody typed into a form that is shown once more."""
    errors: Mapping[str, Sequence[Text]] = field(factory=dict)
    """What is wrong with it, by the names of the fields."""

    @property
    def space(self) -> Space:
        """Return the Space of the request's host."""
        return self.known.space

    @property
    def known(self) -> KnownSpace:
        """Return the Space of the request's host with what was worked out from it."""
        if self.known_space is None:
            raise TypeError("the route was declared to need no Space")
        return self.known_space

    @property
    def actor(self) -> Actor:
        """Return the account that calls."""
        if self.caller is None:
            raise TypeError("the route was declared public")
        return self.caller

    @property
    def input(self) -> I:
        """Return what was sent, validated."""
        if self.given_input is None:
            raise TypeError("the route was declared without an input")
        return self.given_input

    @property
    def is_secure(self) -> bool:
        """Say whether the client came by TLS, to us or to a proxy of ours."""
        return self.peer.scheme == "https"

    @property
    def language(self) -> str:
        """Return the language that was chosen on a page, else the one of ours that the client likes best."""
        languages = self.templates.languages
        if (chosen := self.visit.language) in languages.installed:
            return chosen
        return languages.choose(self.request.header("accept-language"))

    def cookie(self, name: str) -> str | None:
        """Return a cookie of a value that is a word of ours; None if it is absent, or anything else."""
        return visits.cookie(self.request, name)

    def query(self, name: str) -> str | None:
        """Return the first value of a parameter of the query string, empty if it has none; None if it is absent."""
        return next((value for key, value in self.queries() if key == name), None)

    def queries(self) -> list[tuple[str, str]]:
        """Return all parameters of the query string with their values."""
        query = self.request.uri.partition(b"?")[2].decode(errors="replace")
        return parse_qsl(query, keep_blank_values=True)
