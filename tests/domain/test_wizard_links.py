"""What opens Linphone, and on what."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.platforms import platform_of
from flexid.domain.sip_address import parse
from flexid.domain.wizard import Intent

URL = "https://sip.example.org/provisioning/abc?x=1&y"


@pytest.mark.parametrize(
    ("intent", "fetch_config", "link"),
    [
        (Intent(), None, "sip-linphone:"),
        (Intent("sip:bob@sip.example.com"), None, "sip-linphone:bob@sip.example.com"),
        (
            Intent("bob@sip.example.com", "call", use_sips=True),
            None,
            "sip-linphone:bob@sip.example.com?linphone-action=call&linphone-use-sips=1",
        ),
        (Intent(action="show", use_sips=False), None, "sip-linphone:?linphone-action=show"),
        (
            Intent(action="bye"),
            URL,
            f"sip-linphone:?linphone-fetch-config={quote(URL, safe='')}&linphone-action=bye",
        ),
        (Intent("sip:a?b&c/d@sip.example.com"), None, "sip-linphone:a%3Fb%26c%2Fd@sip.example.com"),
        (Intent("sip:%2B33@sip.example.com"), None, "sip-linphone:+33@sip.example.com"),
    ],
)
def test_a_link_says_where_to_get_the_account_and_what_to_do(
    intent: Intent, fetch_config: str | None, link: str
) -> None:
    assert intent.link(fetch_config) == link


@given(st.from_regex(r"[A-Za-z0-9_.!~*'()&=+$,?/-]{1,64}", fullmatch=True))
def test_whatever_an_address_holds_it_is_the_one_that_is_called(username: str) -> None:
    sip = f"{username}@sip.example.com"
    address, _, query = Intent(sip, "call").link(URL).removeprefix("sip-linphone:").partition("?")
    assert parse(address) == parse(sip)
    assert unquote(address) == sip
    assert parse_qsl(query) == [("linphone-fetch-config", URL), ("linphone-action", "call")]


@pytest.mark.parametrize(
    ("user_agent", "platform"),
    [
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36", "android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15", "ios"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120 Safari/537.36", "desktop"),
        ("", "desktop"),
    ],
)
def test_a_browser_tells_what_it_runs_on(user_agent: str, platform: str) -> None:
    assert platform_of(user_agent) == platform
