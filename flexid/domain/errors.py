"""What can go wrong in a use case, in words of the domain.

`flexid.http.router` turns each of these into an answer in its one table; commands print them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flexid.base.text import Text


class DomainError(Exception):
    """A refusal with a reason that may be shown to the caller."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Malformed(DomainError):
    """What was sent cannot be read at all."""


class TooLarge(DomainError):
    """More was sent than is taken."""

    def __init__(self) -> None:
        super().__init__(Text("The body is too large"))


class NotFound(DomainError):
    """No such thing, or none that this caller may see."""

    def __init__(self, reason: Text | None = None) -> None:
        super().__init__(reason or Text("Not found"))


class Unauthenticated(DomainError):
    """Nobody we know; `challenges` tell how to say who it is (values of `WWW-Authenticate`)."""

    def __init__(self, reason: Text, challenges: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.challenges = tuple(challenges)


class Forbidden(DomainError):
    """Known caller, but not allowed."""


class Blocked(Forbidden):
    """The account is blocked."""

    def __init__(self) -> None:
        super().__init__(Text("Account blocked"))


class SpaceExpired(Forbidden):
    """The time of the whole Space is over."""

    def __init__(self) -> None:
        super().__init__(Text("This Space has expired"))


class Conflict(DomainError):
    """It exists already."""


class Expired(DomainError):
    """It was good once."""


class Invalid(DomainError):
    """One or more fields are wrong; all of them are named at once."""

    def __init__(self, errors: Mapping[str, Sequence[Text]]) -> None:
        self.errors = {field: tuple(reasons) for field, reasons in errors.items() if reasons}
        super().__init__(next(iter(self.errors.values()))[0])

    @classmethod
    def field(cls, name: str, reason: Text) -> Invalid:
        """Return the refusal of one field."""
        return cls({name: (reason,)})


class Throttled(DomainError):
    """Too many tries; `retry_after` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(Text("Too many attempts, please try again later"))
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something that we need is away; `retry_after` in seconds."""

    def __init__(self, reason: Text | None = None, retry_after: int = 1) -> None:
        super().__init__(reason or Text("The service is temporarily unavailable, please try again"))
        self.retry_after = retry_after
