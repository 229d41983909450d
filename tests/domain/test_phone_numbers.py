from __future__ import annotations

import pytest

from flexid.domain.phones import grouped


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("+33612345678", "+33 6 12 34 56 78"), ("+12025550123", "+1 202-555-0123"), ("12", "12"), ("+", "+")],
)
def test_a_number_is_shown_as_its_country_writes_it(stored: str, shown: str) -> None:
    assert grouped(stored) == shown
