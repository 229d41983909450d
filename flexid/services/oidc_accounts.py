"""Which account of a Space an OpenID server means, and what becomes of it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from attrs import evolve, frozen

from flexid.base.text import Text
from flexid.domain import names, provisioned_names
from flexid.domain.account import NewAccount, Origin
from flexid.domain.acting import acting, who
from flexid.domain.errors import Blocked, Forbidden
from flexid.domain.space import Space
from flexid.services.account_rules import AccountRules
from flexid.services.accounts import new_provisioning_token
from flexid.services.sign_up import FULL
from flexid.store import account_changes, oidc_accounts
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.oidc_accounts import Named
from flexid.store.query import Runner

TRIES = 5
"""How often a name may be taken by somebody else between the look and the creation."""
NOBODY = Text("No account here has the email address that the sign-in service tells of you.")
SEVERAL = Text("More than one account here has your email address. Ask an administrator to tell them apart.")
SUPER = Text("Administrators of all Spaces sign in with their password only.")
WITHOUT_ROLE = Text("The sign-in service does not name you as somebody who has an account here.")
ROLE_IS_GONE = Text("The sign-in service does not name you as a user any more: your account is not active now.")
NO_NAME = Text("No username can be made of your email address. Ask an administrator for an account.")


@frozen
class OidcAccounts:
    """The use case."""

    database: Database
    rules: AccountRules

    async def settle(self, space: Space, email: str, origin: Origin, *, has_role: bool | None) -> int:
        """Return the id of the one account of a Space with an email address, created if it has to be.

        :param has_role: whether the server names the role that users of the Space have; None where that is nothing to
            go by, and accounts are neither created nor deactivated.
        :raise Forbidden: there is none, or more than one, or it may not sign in in this way.
        :raise Blocked: it is blocked.
        """
        with _acting(f"OpenID server {space.sign_in_service}"):
            return await self._settle(space, email, origin, has_role=has_role)

    async def _settle(self, space: Space, email: str, origin: Origin, *, has_role: bool | None) -> int:
        for _ in range(TRIES):
            try:
                async with self.database.transaction() as transaction:
                    await oidc_accounts.lock(transaction, space.domain, email)
                    found = await self._existing(transaction, space, email)
                    if found is None and has_role:
                        return await self._create(transaction, space, email, origin)
                    if found and has_role:
                        await oidc_accounts.reactivate(transaction, found.id)
                    elif found and has_role is False:
                        await oidc_accounts.deactivate(transaction, found.id)
                return _allowed(found, has_role=has_role)
            except ConstraintViolated as violation:
                if violation.constraint == "spaces_full":
                    raise Forbidden(FULL) from None
        raise Forbidden(NO_NAME)

    async def _existing(self, transaction: Runner, space: Space, email: str) -> Named | None:
        found = await oidc_accounts.find(transaction, space.domain, email)
        if len(found) > 1:
            raise Forbidden(SEVERAL)
        # Who sets up the server of a Space is not to rule every Space by it.
        if found and found[0].super_admin:
            raise Forbidden(SUPER)
        if found and found[0].blocked:
            raise Blocked
        return found[0] if found else None

    async def _create(self, transaction: Runner, space: Space, email: str, origin: Origin) -> int:
        fault = names.email_fault(email)
        candidates = [] if fault else [*provisioned_names.candidates(email, self.rules.allow_username)]
        username = await oidc_accounts.free_name(transaction, space.domain, candidates)
        if username is None:
            raise Forbidden(fault or NO_NAME)
        new = NewAccount(username=username, domain=space.domain, email=email, activated=True)
        account = await account_changes.create(transaction, new, new_provisioning_token(), origin, space.name)
        return account.id


def _acting(name: str) -> AbstractContextManager[None]:
    """Let the audit log name a server: nobody has signed in yet."""
    doer = who()
    return acting(evolve(doer(), name=name)) if doer else nullcontext()


def _allowed(found: Named | None, *, has_role: bool | None) -> int:
    if found is None:
        raise Forbidden(NOBODY if has_role is None else WITHOUT_ROLE)
    if has_role is False:
        raise Forbidden(ROLE_IS_GONE)
    return found.id
