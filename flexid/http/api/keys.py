"""The words that programs call things by, and the codes that people dial."""

from __future__ import annotations

import re
from typing import Annotated

from flexid.base.text import Text
from flexid.http.inputs import Rule, Text64, Text255, refuse


def _only(characters: str) -> Rule:
    pattern = re.compile(f"[{characters}]+")

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise refuse(Text("It contains characters that are not allowed"))
        return value

    return Rule(check, {"pattern": f"^[{characters}]+$"})


TypeKey = Annotated[Text64, _only("a-z0-9_-")]
ActionKey = Annotated[Text255, _only("a-z0-9_-")]
ActionCode = Annotated[Text255, _only("a-z0-9")]
