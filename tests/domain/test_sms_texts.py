"""Texts that operators have approved: they never change."""

from __future__ import annotations

import pytest

from flexid.domain.sms import CodeSms, Purpose


@pytest.mark.parametrize(
    ("purpose", "minutes", "text"),
    [
        ("creation", 10, "Your Example Telecom creation code is 0042"),
        ("recovery", 10, "Your Example Telecom recovery code is 0042"),
        ("validation", 0, "Your Example Telecom validation code is 0042"),
        (
            "validation",
            10,
            "Your Example Telecom validation code is 0042. The code is available for 10 minutes",
        ),
    ],
)
def test_an_sms_has_its_approved_text(purpose: Purpose, minutes: int, text: str) -> None:
    assert CodeSms("+33612320692", purpose, "0042", minutes).text("Example Telecom") == text
