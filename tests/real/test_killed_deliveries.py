"""Mails, webhooks and notices arrive although flexid dies suddenly, again and again, and servers are away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from real.deliveries import Outage, Outside, die_again_and_again, lose_the_mail_server, outside

pytestmark = pytest.mark.real

KILLS = 8
OUTAGE_SECONDS = 2.0


@pytest.fixture(scope="module")
def town() -> Iterator[Outside]:
    with outside() as town:
        yield town


def test_whatever_was_promised_before_a_sudden_death_arrives(town: Outside) -> None:
    figures = die_again_and_again(town, KILLS, impatient=True)
    assert figures.lost == {"mail": 0, "webhook": 0, "b2bua": 0}, town.flexid.log_tail()


def test_a_mail_server_that_is_away_slows_nobody_and_gets_all_mails_later(town: Outside) -> None:
    outage = lose_the_mail_server(town, OUTAGE_SECONDS, impatient=True)
    assert not outage.missing
    # Generous: other tests run on the same machine. The figures are in docs/mail-and-sms.md.
    assert Outage.median(outage.during) < 3 * Outage.median(outage.before) + 20
