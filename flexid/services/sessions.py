"""Sessions of the portal: who is signed in, and the secrets that protect what visitors send."""

from __future__ import annotations

import hashlib
import hmac

from attrs import define, field, frozen

from flexid.base.clock import random_token
from flexid.domain.account import Origin
from flexid.domain.passwords import StoredPassword
from flexid.domain.session import Session
from flexid.domain.space import Space
from flexid.store import sessions
from flexid.store.database import Database

ID_LENGTH = 43
"""256 bits in letters and digits."""


@frozen
class Signer:
    """Says of a text what only we can say: the same on all nodes, another thing for each purpose."""

    _key: bytes = field(repr=False)

    def sign(self, purpose: str, text: str) -> str:
        """Return the signature of a text, 32 hexadecimal digits."""
        return hmac.digest(self._key, f"{purpose}\0{text}".encode(), "sha256").hex()[:32]

    def is_signed(self, purpose: str, text: str, signature: str) -> bool:
        """Tell whether a signature is ours, in constant time."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode("utf-8", "surrogatepass"))


@define
class Sessions:
    """The sessions; each holds on the host of the Space where it began."""

    database: Database
    minutes: int
    _signer: Signer | None = field(default=None, init=False)

    async def begin(
        self, space: Space, account_id: int, origin: Origin, password: StoredPassword | None = None
    ) -> str | None:
        """Return the id of a new session; None if `password` is no longer the account's."""
        session_id = random_token(ID_LENGTH)
        is_begun = await sessions.begin(self.database, _hash(session_id), space.domain, account_id, origin, password)
        return session_id if is_begun else None

    async def begin_by_openid(self, space: Space, account_id: int, origin: Origin, id_token: str) -> str | None:
        """Return the id of a new session; None if the account may not sign in by an OpenID server."""
        session_id = random_token(ID_LENGTH)
        is_begun = await sessions.begin_by_openid(
            self.database, _hash(session_id), space.domain, account_id, origin, id_token
        )
        return session_id if is_begun else None

    async def find(self, space: Space, session_id: str) -> Session | None:
        """Return a session and note its use; None if there is none, or it was unused for too long."""
        id_hash = _hash(session_id)
        session = await sessions.find(self.database, id_hash, space.domain, self.minutes)
        if session and session.is_resting:
            await sessions.use(self.database, id_hash)
        return session

    async def end(self, session_id: str) -> str | None:
        """End a session; return the ID token of the OpenID server that it began with, None if it began otherwise."""
        return await sessions.end(self.database, _hash(session_id))

    async def signer(self) -> Signer:
        """Return what signs for all nodes."""
        if self._signer is None:
            self._signer = Signer(await sessions.key(self.database))
        return self._signer


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).digest()
