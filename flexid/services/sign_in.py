"""Signing in to the portal with a password."""

from __future__ import annotations

import re

from attrs import frozen
from twisted.logger import Logger

from flexid.base.text import Text
from flexid.domain import passwords
from flexid.domain.account import Origin
from flexid.domain.errors import Blocked, Invalid
from flexid.domain.passwords import StoredPassword
from flexid.domain.space import Space
from flexid.services.limits import Limits
from flexid.services.sessions import Sessions
from flexid.services.space_directory import SpaceDirectory
from flexid.store import credentials
from flexid.store.credentials import Credentials
from flexid.store.database import Database

NAME_LENGTH = 255
NO_MATCH = Text("That did not match. Check the username and the password, then try again.")
DECOY = StoredPassword("SHA-256", "0" * 64)
"""No password has this hash: what is given for a name that nobody has is compared with it."""
_PHONE = re.compile(r"\+[0-9 ().-]+")


@frozen
class SignIn:
    """Finds out who somebody is; unknown names and wrong passwords take the same path."""

    log = Logger()

    database: Database
    directory: SpaceDirectory
    limits: Limits
    sessions: Sessions

    async def by_password(self, space: Space, name: str, password: str, origin: Origin) -> str:
        """Return the id of a new session on a Space's host.

        :param name: a username or phone number of the Space, or `username@domain`; administrators of a super Space may
            sign in with the latter on any host.
        :raise Invalid: nobody has the name, or the password is another.
        :raise Blocked: the account is blocked.
        :raise Throttled: too many wrong passwords for this account, or from this address.
        """
        username, domain = _parts(name, space)
        realm_space = await self._space_of(space, domain)
        found = await credentials.find(self.database, username, domain)
        known = f"{found.actor.username}@{domain}" if found else f"{username}@{domain}"
        budget = self.limits.sign_in(known, origin.ip)
        await self.limits.refuse_if_spent(self.database, budget)
        matching = _matching(found, username, realm_space.realm, password)
        session_id = None
        if found and matching and (domain == space.domain or found.actor.super_admin):
            if found.actor.blocked:
                raise Blocked
            session_id = await self.sessions.begin(space, found.actor.account_id, origin, matching)
        if session_id is None:
            await self.limits.count(self.database, budget)
            # Not what was typed: people type passwords into the wrong field.
            account = found.actor.account_id if found else None
            self.log.info("A sign-in failed", event="sign_in.failed", account_id=account, ip=origin.ip)
            raise Invalid.field("sign_in", NO_MATCH)
        self.log.info(
            "A session began", event="session.created", account_id=found and found.actor.account_id, ip=origin.ip
        )
        return session_id

    async def _space_of(self, space: Space, domain: str) -> Space:
        known = await self.directory.by_domain(domain)
        return known.space if known else space


def _parts(name: str, space: Space) -> tuple[str, str]:
    """Return name and domain of what somebody typed."""
    name = name.strip().removeprefix("sip:").lower()[:NAME_LENGTH]
    name, _, domain = name.partition("@")
    if _PHONE.fullmatch(name):
        name = "+" + re.sub("[^0-9]", "", name)
    return name, domain or space.domain


def _matching(found: Credentials | None, name: str, realm: str, password: str) -> StoredPassword | None:
    stored = found.passwords if found and found.passwords else (DECOY,)
    # The hash holds for the username, with whatever name somebody signs in.
    username = found.actor.username if found else name
    return next((each for each in stored if passwords.matches(each, username, realm, password)), None)
