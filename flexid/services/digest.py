"""Signing in by Digest (RFC 7616): challenges that store nothing, and answers that pass once."""

from __future__ import annotations

import hmac

from attrs import define, evolve, field, frozen

from flexid.base.clock import Clock, random_bytes
from flexid.base.text import Text
from flexid.domain import nonces as nonce_rules
from flexid.domain.account import Actor
from flexid.domain.decoys import Proportions, decoy_passwords
from flexid.domain.digest import Expected, Verdict, judge
from flexid.domain.digest_header import DigestAnswer, challenge_header
from flexid.domain.errors import Unauthenticated
from flexid.domain.nonces import Holder
from flexid.domain.passwords import StoredPassword
from flexid.domain.sip_address import SipAddress
from flexid.domain.space import Space
from flexid.services.limits import Limits
from flexid.services.space_directory import SpaceDirectory
from flexid.store import digest_accounts, nonces
from flexid.store.database import Database
from flexid.store.digest_accounts import Found

PROPORTIONS_MINUTES = 10
UNAUTHENTICATED = Text("Unauthenticated request")


@frozen
class Request:
    """What of a request Digest binds: where it came to, by whom, and what it asks for."""

    space: Space
    address: SipAddress
    ip: str
    method: str
    target: str


@frozen
class SignedIn:
    """Who answered rightly, and the challenges to repeat in the answer."""

    actor: Actor
    challenges: tuple[str, ...]


@frozen
class _Candidate:
    """The account of a name, or a decoy that looks like one."""

    actor: Actor | None
    passwords: tuple[StoredPassword, ...] = field(repr=False)
    realm: str
    nonce_key: bytes = field(repr=False)
    nonce_used_at: float | None = None


@define
class Digest:
    """Challenges names and judges their answers; nothing tells which of the names exist."""

    database: Database
    clock: Clock
    directory: SpaceDirectory
    limits: Limits
    nonce_minutes: int
    _key: bytes | None = field(default=None, init=False, repr=False)
    _proportions: dict[str, tuple[float, Proportions]] = field(factory=dict, init=False)

    async def challenge(self, request: Request) -> tuple[str, ...]:
        """Return one challenge for each hash that the account has, SHA-256 first."""
        name = (request.address.username, request.address.domain)
        found = await digest_accounts.find(self.database, *name)
        if found.epoch is None:
            await nonces.new_epoch(self.database)
            found = await digest_accounts.find(self.database, *name)
        return self._challenges(request, await self._candidate(request, found))

    async def sign_in(self, request: Request, answer: DigestAnswer) -> SignedIn:
        """Judge an answer and count it.

        :raise Unauthenticated: with a fresh challenge.
        :raise Throttled: too many wrong answers for this name, or from this address.
        """
        budget = self.limits.sign_in(str(request.address), request.ip)
        found = await digest_accounts.find_and_count(
            self.database, request.address.username, request.address.domain, answer.opaque, budget.windows
        )
        budget.refuse_if_spent(found.hits, self.clock.now())
        candidate = await self._candidate(request, found)
        holder = self._holder(request, candidate, answer.opaque)
        now = self.clock.seconds()
        unused_for = nonce_rules.age(candidate.nonce_key, now, answer.nonce, holder)
        if unused_for is not None and candidate.nonce_used_at is not None:
            unused_for = now - candidate.nonce_used_at
        expected = Expected(
            request.method,
            request.target,
            request.address.username,
            candidate.realm,
            {password.algorithm: password.ha1 for password in candidate.passwords},
        )
        verdict = judge(answer, expected, unused_for, self.nonce_minutes * 60)
        if verdict is Verdict.WRONG:
            await self.limits.count(self.database, budget)
        if verdict is not Verdict.RIGHT or candidate.actor is None:
            raise Unauthenticated(UNAUTHENTICATED, self._challenges(request, candidate, stale=verdict is Verdict.STALE))
        whole = await nonces.count(
            self.database,
            found.epoch,
            answer.opaque,
            candidate.actor.account_id,
            answer.nonce_count,
            self.clock.now(),
        )
        if whole is None:
            await nonces.kill(self.database, answer.opaque)
            raise Unauthenticated(Text("Nonce replayed"), self._challenges(request, candidate))
        repeated = tuple(
            challenge_header(candidate.realm, password.algorithm, answer.nonce, answer.opaque)
            for password in candidate.passwords
        )
        return SignedIn(evolve(candidate.actor, account=whole), repeated)

    async def _candidate(self, request: Request, found: Found) -> _Candidate:
        space = await self._space_of(request)
        key = await self._server_key()
        # A crash of the server forgets which answers have passed, so what was issued before it must not pass again.
        nonce_key = hmac.digest(key, (found.epoch or random_bytes(16).hex()).encode(), "sha256")
        decoys = decoy_passwords(key, str(request.address), space.realm, await self._shares(space))
        account = found.account
        if not account or not account.passwords or not self._may_sign_in(account.actor, request):
            return _Candidate(None, decoys, space.realm, nonce_key)
        used_at = account.nonce_used_at.timestamp() if account.nonce_used_at else None
        return _Candidate(account.actor, account.passwords, space.realm, nonce_key, used_at)

    async def _space_of(self, request: Request) -> Space:
        """Return the Space whose realm is challenged with: names of a super Space may come to any host."""
        known = await self.directory.by_domain(request.address.domain)
        return known.space if known and known.space.super else request.space

    def _may_sign_in(self, actor: Actor, request: Request) -> bool:
        return actor.domain == request.space.domain or actor.super_admin

    async def _shares(self, space: Space) -> Proportions:
        now = self.clock.seconds()
        kept_at, proportions = self._proportions.get(space.domain, (0.0, {}))
        if now - kept_at > PROPORTIONS_MINUTES * 60:
            proportions = await digest_accounts.proportions(self.database, space.domain)
            self._proportions[space.domain] = (now, proportions)
        if proportions:
            return proportions
        return {(space.digest.default_password_algorithm if space.digest else "SHA-256",): 1}

    def _challenges(self, request: Request, candidate: _Candidate, *, stale: bool = False) -> tuple[str, ...]:
        opaque = random_bytes(32).hex()
        holder = self._holder(request, candidate, opaque)
        nonce = nonce_rules.issue(candidate.nonce_key, self.clock.seconds(), holder)
        return tuple(
            challenge_header(candidate.realm, password.algorithm, nonce, opaque, stale=stale)
            for password in candidate.passwords
        )

    def _holder(self, request: Request, candidate: _Candidate, opaque: str) -> Holder:
        return Holder(opaque, request.ip, str(request.address), candidate.realm)

    async def _server_key(self) -> bytes:
        if self._key is None:
            self._key = await nonces.key(self.database)
        return self._key
