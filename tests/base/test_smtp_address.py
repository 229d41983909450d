"""Where a mail server is."""

from __future__ import annotations

import pytest

from flexid.base import smtp_address
from flexid.base.configuration import ConfigurationError, load
from flexid.base.smtp_address import SmtpAddress


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("smtp://mail.example.org", SmtpAddress("mail.example.org", 587, "starttls")),
        ("smtp://mail.example.org:25/", SmtpAddress("mail.example.org", 25, "starttls")),
        ("smtps://mail.example.org", SmtpAddress("mail.example.org", 465, "implicit")),
        ("smtp://h:2465?tls=implicit", SmtpAddress("h", 2465, "implicit")),
        ("smtp://[2001:db8::1]:25?tls=none", SmtpAddress("2001:db8::1", 25, "none")),
        (
            "smtp://user:password@host:587?tls=starttls",
            SmtpAddress("host", 587, "starttls", "user", "password"),
        ),
        ("smtps://a%40b.org:p%40ss%3A%2F%25@h", SmtpAddress("h", 465, "implicit", "a@b.org", "p@ss:/%")),
    ],
)
def test_a_url_says_where_it_is_and_how_to_sign_in(url: str, address: SmtpAddress) -> None:
    assert smtp_address.read(url) == address


@pytest.mark.parametrize(
    "url",
    [
        *(
            "mail.example.org",
            "http://a",
            "smtp://",
            "smtp://a:0",
            "smtp://a:70000",
            "smtp://a/b",
            "smtp://a?tls=maybe",
        ),
        *("smtp://user@a", "smtp://user:@a", "smtp://:secret@a", "smtp://user@b.org:secret@a", "smtp://u:se/cret@a"),
        *("smtps://a?tls=none", "smtps://a?tls=starttls", "smtp://u:secret@a?tls=none", "smtp://a b", "smtp://a\n"),
    ],
)
def test_anything_else_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"FLEXID_MAIL_URL": url})
    assert "mail.url" in str(caught.value)
    assert "cret" not in str(caught.value).replace("user or password", "")


def test_its_password_does_not_show() -> None:
    assert "secret" not in repr(smtp_address.read("smtp://user:secret@a"))
    assert str(smtp_address.read("smtp://user:secret@a")) == "a:587"


@pytest.mark.parametrize(
    "settings",
    [
        {"FLEXID_SMS_PROVIDER": "ovh", "FLEXID_SMS_OVH_SERVICE": "sms-1"},
        {"FLEXID_SMS_PROVIDER": "http"},
        {"FLEXID_SMS_PROVIDER": "pigeon"},
        {"FLEXID_SMS_HTTP_HEADER": "no header"},
    ],
)
def test_half_a_provider_of_sms_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"(?i)sms"):
        load(settings)
