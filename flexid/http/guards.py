"""Which Space a request is for, who makes it, and whether that one may."""

from __future__ import annotations

import re

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.digest_header import parse_authorization
from flexid.domain.errors import Blocked, Forbidden, NotFound, SpaceExpired, Unauthenticated
from flexid.domain.sip_address import parse_from
from flexid.http.client_certificates import Shown
from flexid.http.peers import Peer
from flexid.http.request import FlexidRequest
from flexid.http.routes import ADMIN, SUPER_ADMIN, USER, Caller
from flexid.services import digest
from flexid.services.catalogue import Services
from flexid.services.space_directory import KnownSpace

USER_AGENT_LENGTH = 255
UNAUTHORIZED = Text("Unauthorized area")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@frozen
class Guards:
    """What stands before a handler."""

    services: Services

    async def space(self, peer: Peer) -> KnownSpace:
        """Return the Space of the request's host.

        :raise NotFound: no Space has this host.
        :raise SpaceExpired: its time is over.
        """
        known = await self.services.directory.by_host(peer.host)
        if known is None:
            raise NotFound(Text("Host not configured"))
        if known.space.expire_at and known.space.is_expired(self.services.clock.now()):
            raise SpaceExpired
        return known

    async def caller(
        self, kind: Caller, request: FlexidRequest, known: KnownSpace, peer: Peer, certificate: Shown | None = None
    ) -> Actor:
        """Return the account that makes a request, if it may call routes of this kind.

        `certificate` is what a route that takes client certificates was shown.

        :raise Unauthenticated: nobody we know.
        :raise Forbidden: somebody, but not allowed.
        :raise Throttled: too many wrong answers.
        """
        if certificate:
            # The first of the methods that is there decides.
            actor = await self.services.client_certificates.identify(known.space, certificate.address)
        else:
            actor = await self._identify(kind, request, known, peer)
        if actor.domain != known.space.domain and not actor.super_admin:
            raise Forbidden(UNAUTHORIZED)
        if actor.blocked:
            raise Blocked
        if (kind is not USER and not actor.admin) or (kind is SUPER_ADMIN and not actor.super_admin):
            raise Forbidden(UNAUTHORIZED)
        return actor

    async def _identify(self, kind: Caller, request: FlexidRequest, known: KnownSpace, peer: Peer) -> Actor:
        # The first credential decides.
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if kind is USER and scheme.lower() == "bearer":
            return await self.services.bearer.identify(known.space, token.strip())
        if key := request.header("x-api-key"):
            return await self.services.api_keys.identify(key, peer.ip)
        if kind in {ADMIN, SUPER_ADMIN}:
            raise Unauthenticated(digest.UNAUTHENTICATED)
        return await self._by_digest(request, known, peer)

    async def _by_digest(self, request: FlexidRequest, known: KnownSpace, peer: Peer) -> Actor:
        others = self.services.bearer.challenges(known.space)
        address = parse_from(request.header("from") or "")
        if address is None:
            missing = Text("From header is required or invalid")
            raise Unauthenticated(digest.UNAUTHENTICATED if others else missing, others)
        asked = digest.Request(
            known.space, address, peer.ip, request.method.decode(), request.uri.decode(errors="replace")
        )
        answer = parse_authorization(request.header("authorization") or "")
        if answer is None:
            challenges = await self.services.digest.challenge(asked)
            raise Unauthenticated(digest.UNAUTHENTICATED, [*challenges, *others])
        signed_in = await self.services.digest.sign_in(asked, answer)
        # Repeated on whatever answer follows, a refusal too.
        for challenge in signed_in.challenges:
            request.responseHeaders.addRawHeader("WWW-Authenticate", challenge)
        return signed_in.actor


def user_agent(request: FlexidRequest) -> str:
    """Return what a client calls itself, fit to be stored."""
    return _CONTROL.sub("", request.header("user-agent") or "")[:USER_AGENT_LENGTH]
