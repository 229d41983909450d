"""Where links in mails lead."""

from __future__ import annotations

from typing import Any

import pytest

from flexid.base.public import PublicAddress
from flexid.base.settings import Settings

SECURED = {"certificate": "a", "key": "b"}


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://a.org:8080"),
        ({"listen": {"http": ["unix:/run/flexid"]}}, "http://a.org"),
        ({"listen": {"http": ["tcp:80"]}}, "http://a.org"),
        ({"listen": {"http": ["unix:/run/flexid", "tcp6:9000:interface=::1"]}}, "http://a.org:9000"),
        ({"listen": {"https": ["tcp:443"]}, "tls": SECURED}, "https://a.org"),
        ({"listen": {"https": ["tcp:port=8443"]}, "tls": SECURED}, "https://a.org:8443"),
        ({"listen": {"https": ["tcp:443"]}, "tls": SECURED, "public": {"scheme": "http"}}, "http://a.org:8080"),
        ({"public": {"scheme": "https"}}, "https://a.org"),
        ({"public": {"scheme": "https", "port": 8443}}, "https://a.org:8443"),
        ({"public": {"port": 80}}, "http://a.org"),
    ],
)
def test_links_lead_where_we_listen_or_where_the_settings_say(settings: dict[str, Any], url: str) -> None:
    assert PublicAddress.read(Settings(**settings)).base_url("a.org") == url
