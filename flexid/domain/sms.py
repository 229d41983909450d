"""SMS with codes. American operators have to approve their texts beforehand, so these never change."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from attrs import asdict, field, frozen

from flexid.domain.outbox import Outgoing

Purpose = Literal["creation", "recovery", "validation"]
LONGEST_PATIENCE = timedelta(hours=1)


@frozen
class CodeSms:
    """A code for a phone number in E.164 form; `minutes` is how long a validation code holds, 0 = for ever."""

    to: str
    purpose: Purpose
    code: str = field(repr=False)
    minutes: int = 0

    def text(self, app_name: str) -> str:
        """Return what the phone shows."""
        text = f"Your {app_name} {self.purpose} code is {self.code}"
        if self.purpose != "validation" or not self.minutes:
            return text
        return f"{text}. The code is available for {self.minutes} minutes"

    @property
    def patience(self) -> timedelta:
        """Return how long after it was asked for it is still worth sending."""
        return min(LONGEST_PATIENCE, timedelta(minutes=self.minutes)) if self.minutes else LONGEST_PATIENCE

    def outgoing(self, domain: str) -> Outgoing:
        """Return what goes into the outbox of the Space that sends it."""
        return Outgoing("sms", asdict(self), domain)


@frozen
class ShortMessage:
    """An SMS, written. `reference` tells it from all others, and is the same when it is sent again."""

    reference: str
    recipient: str
    text: str = field(repr=False)
