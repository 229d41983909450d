"""Proof that a form comes from a person, where the operator asks for it."""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen

from flexid.base.text import Text
from flexid.domain.errors import Invalid, Unavailable
from flexid.outbound.captcha import Captcha

FIELD = "h-captcha-response"
"""As the widget names what it adds to a form."""
MOST_AT_ONCE = 100
NOT_PASSED = Text("Please confirm once more that you are a person")
AWAY = Text("Nobody can check at the moment whether you are a person. Wait a little, then send the form once more.")


@frozen
class PersonCheck:
    """The use case, with what came of it so far."""

    captcha: Captcha
    outcomes: Counter[str] = field(factory=Counter)
    """How often it was passed, failed, away, or had too much to do (`busy`)."""
    _asking: set[object] = field(factory=set)

    @property
    def site_key(self) -> str | None:
        """Return what the widget on a page is told; None where nobody is asked."""
        return self.captcha.site_key

    async def check(self, response: str, ip: str) -> None:
        """Let only people pass.

        :raise Invalid: it is no person, or the response is too old.
        :raise Unavailable: nobody can tell at the moment.
        """
        if self.site_key is None:
            return
        if len(self._asking) >= MOST_AT_ONCE:
            self.outcomes["busy"] += 1
            raise Unavailable(AWAY)
        question = object()
        self._asking.add(question)
        try:
            is_passed = await self.captcha.is_passed(response, ip)
        except Unavailable:
            self.outcomes["away"] += 1
            raise Unavailable(AWAY) from None
        finally:
            self._asking.remove(question)
        self.outcomes["passed" if is_passed else "failed"] += 1
        if not is_passed:
            raise Invalid.field(FIELD, NOT_PASSED)
