"""Contacts of the registrar, which applications write."""

from __future__ import annotations

from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.redis_server import contact

from flexid.domain import devices
from flexid.domain.devices import Device

UUID = "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"
FIELD = f'"<{UUID}>"'.encode()


def _read(value: str, field: bytes = FIELD) -> Device | None:
    return devices.read(field, value.encode())


def test_a_contact_tells_who_registered_when_and_with_what() -> None:
    agent = "LinphoneAndroid%2F5.2.0%20(Pixel%206)%20LinphoneSDK%2F5.3"
    assert _read(contact(UUID, agent=agent)) == Device(
        UUID,
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        "LinphoneAndroid/5.2.0 (Pixel 6) LinphoneSDK/5.3",
        "LinphoneAndroid",
        "5.2.0",
        "Pixel 6",
    )


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (
            "Linphone%20Desktop/5.0.1 (PC of Ann (2nd), Qt 5) LinphoneSDK/5",
            ("Linphone Desktop", "5.0.1", "PC of Ann (2nd), Qt 5"),
        ),
        ("Yealink/1.2", ("Yealink", "1.2", None)),
        ("Yealink SIP-T46S 66.84.0.10", (None, None, None)),
        ("App/ (x)", (None, None, None)),
        ("App/1 (never closed", ("App", "1", None)),
        ("App/1 ()", ("App", "1", None)),
        ("", (None, None, None)),
        ("%00%0d%0aEvil%2F1%20%28a%1bb%29", ("Evil", "1", "a b")),
        ("%ff%fe", (None, None, None)),
    ],
)
def test_what_an_application_calls_itself_is_taken_apart_where_it_can_be(
    agent: str, told: tuple[str | None, ...]
) -> None:
    device = _read(contact(UUID, agent=agent))
    assert device is not None
    assert (device.app, device.version, device.device_name) == told
    assert (device.user_agent or "").isprintable()


def test_a_device_without_an_instance_goes_by_its_field() -> None:
    device = _read("<sip:desk@192.0.2.8;updatedAt=1700000001>;q=1", b"desk-phone")
    assert device == Device("desk-phone", datetime(2023, 11, 14, 22, 13, 21, tzinfo=UTC))
    quoted = _read("<sip:desk@192.0.2.8>", FIELD)
    assert quoted == Device(UUID)


def test_what_flexisip_notes_counts_whatever_an_application_writes_before_it() -> None:
    forged = "<sip:a;updatedAt=1@b;updatedAt=2;updatedAt=1700000000?user-agent=Evil/1&user-agent=App/2>"
    device = _read(forged)
    assert device is not None
    assert (device.updated_at, device.app) == (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "App")


@pytest.mark.parametrize("moment", ["", "x", "-1", "99999999999999", "1e9", "٣"])
def test_a_time_that_is_none_is_unknown(moment: str) -> None:
    device = _read(f"<sip:a@b;updatedAt={moment}>")
    assert device is not None
    assert device.updated_at is None


@pytest.mark.parametrize("value", ["", "<", ">", "<>", "alice", "<http://a>", "sip:a@b", '"<sip:a@b>', "<sip:a" * 3])
def test_what_is_no_contact_is_no_device(value: str) -> None:
    assert _read(value) is None


def test_an_overlong_contact_is_none() -> None:
    assert _read(contact(UUID) + ";x=" + "y" * devices.LONGEST_VALUE) is None


@pytest.mark.parametrize("written", [UUID, f"<{UUID}>", f'"<{UUID}>"', f' "<{UUID}>" '])
def test_a_uuid_may_be_written_with_its_quotes_and_brackets(written: str) -> None:
    assert devices.bare(written) == UUID


_PIECES = st.sampled_from(
    [
        *(
            "<sip:",
            "<sips:a@b",
            ">",
            '"',
            "\\",
            ";updatedAt=",
            "17",
            "?",
            "&user-agent=",
            "A/1 (",
            ")",
            "%2",
            "\0",
            "é",
        ),
        *(';+sip.instance="<', '>"', " ", ";", "😀"),
    ]
)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=40).map("".join), st.binary(max_size=30))
def test_any_text_is_read_or_refused(value: str, field: bytes) -> None:
    _check(devices.read(field, value.encode("utf-8", "replace")))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    _check(devices.read(b"f", b"<sip:" + value))


def _check(device: Device | None) -> None:
    if device:
        for text in (device.uuid, device.user_agent, device.app, device.version, device.device_name):
            assert text is None or (text.isprintable() and len(text) <= devices.LONGEST_NAME)
        assert device.updated_at is None or device.updated_at.tzinfo is UTC


def test_hostile_contacts_take_no_time() -> None:
    began = process_time()
    for piece in ('"', '"\\', "<sip:", ";updatedAt=1", "?user-agent=", "A/1 (", "(", "/", ';+sip.instance="<'):
        devices.read(b"f", (contact(UUID) + piece * 4000).encode()[: devices.LONGEST_VALUE])
        devices.read(b"f", (piece * 8000).encode()[: devices.LONGEST_VALUE])
        agent = (piece * 8000)[:15_000].replace("&", "").replace("<", "").replace(">", "")
        devices.read(b"f", contact(UUID, agent=agent).encode())
    assert process_time() - began < 1
