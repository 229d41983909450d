"""The provisioning document of a Space and of an account."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain import ini
from flexid.domain.carddav import CardDavCredentials, CardDavSettings
from flexid.domain.provisioning import Credentials, Document, UserInterface, compile_document, reg_identity

INTERFACE = UserInterface(
    super=False,
    disable_chat_feature=False,
    disable_meetings_feature=False,
    disable_broadcast_feature=True,
    hide_settings=False,
    hide_account_settings=False,
    disable_call_recordings_feature=False,
    only_display_sip_uri_username=False,
    assistant_hide_create_account=False,
    assistant_disable_qr_code=False,
    assistant_hide_third_party_account=False,
    max_account=0,
)
ALICE = Credentials(
    username="alice",
    domain="twin.example.org",
    ha1="53bddd7fe476b6aca059eb97021efd80a7606effa76eef49225d87030f3c1a54",
    realm="twin.example.org",
    algorithm="SHA-256",
)
IDENTITY = '"Alice" <sip:alice@twin.example.org>'
CONTACTS = "http://twin.localhost/contacts/vcard"

BASE = b"""<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
<section name="misc">
  <entry name="contacts-vcard-list">http://twin.localhost/contacts/vcard</entry>
</section>
</config>
"""

ME = b"""<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
<section name="misc">
  <entry name="contacts-vcard-list">http://twin.localhost/contacts/vcard</entry>
</section>
<section name="ui">
  <entry name="super">0</entry>
  <entry name="disable_chat_feature">0</entry>
  <entry name="disable_meetings_feature">0</entry>
  <entry name="disable_broadcast_feature">1</entry>
  <entry name="hide_settings">0</entry>
  <entry name="hide_account_settings">0</entry>
  <entry name="disable_call_recordings_feature">0</entry>
  <entry name="only_display_sip_uri_username">0</entry>
  <entry name="assistant_hide_create_account">0</entry>
  <entry name="assistant_disable_qr_code">0</entry>
  <entry name="assistant_hide_third_party_account">0</entry>
  <entry name="max_account">0</entry>
</section>
<section name="proxy_0">
  <entry name="reg_identity">"Alice" &lt;sip:alice@twin.example.org&gt;</entry>
</section>
<section name="auth_info_0">
  <entry name="username">alice</entry>
  <entry name="domain">twin.example.org</entry>
  <entry name="ha1">53bddd7fe476b6aca059eb97021efd80a7606effa76eef49225d87030f3c1a54</entry>
  <entry name="realm">twin.example.org</entry>
  <entry name="algorithm">SHA-256</entry>
</section>
</config>
"""

FULL = b"""<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
<section name="app">
  <entry name="foo" overwrite="true">bar</entry>
  <entry name="quoted" overwrite="true">a b</entry>
</section>
<section name="misc">
  <entry name="x" overwrite="true">1</entry>
</section>
<section name="proxy_0">
  <entry name="reg_expires" overwrite="true">600</entry>
  <entry name="reg_identity" overwrite="true">&lt;sip:alice@full.example.org&gt;</entry>
</section>
<section name="misc">
  <entry name="contacts-vcard-list" overwrite="true">http://full.localhost/contacts/vcard</entry>
</section>
<section name="ui">
  <entry name="super" overwrite="true">0</entry>
  <entry name="disable_chat_feature" overwrite="true">1</entry>
  <entry name="disable_meetings_feature" overwrite="true">0</entry>
  <entry name="disable_broadcast_feature" overwrite="true">1</entry>
  <entry name="hide_settings" overwrite="true">1</entry>
  <entry name="hide_account_settings" overwrite="true">0</entry>
  <entry name="disable_call_recordings_feature" overwrite="true">0</entry>
  <entry name="only_display_sip_uri_username" overwrite="true">0</entry>
  <entry name="assistant_hide_create_account" overwrite="true">0</entry>
  <entry name="assistant_disable_qr_code" overwrite="true">0</entry>
  <entry name="assistant_hide_third_party_account" overwrite="true">0</entry>
  <entry name="max_account" overwrite="true">3</entry>
</section>
<section name="auth_info_0">
  <entry name="username" overwrite="true">alice</entry>
  <entry name="domain" overwrite="true">full.example.org</entry>
  <entry name="ha1" overwrite="true">6d0f1f009b974b2ac77821fce6d1fd5ed009dfc0c3b08b39e3a4a8eed5e07f5d</entry>
  <entry name="realm" overwrite="true">full.example.org</entry>
  <entry name="algorithm" overwrite="true">SHA-256</entry>
</section>
</config>
"""


DIRECTORY = CardDavSettings(
    uri="https://carddav.example.org/dav",
    enabled=True,
    min_characters=3,
    results_limit=0,
    timeout=6,
    delay=500,
    use_exact_match_policy=False,
    fields_for_user_input="FN,N,IMPP",
    fields_for_domain="IMPP",
)
ALICE_DAV = CardDavCredentials("alice_dav", "dav.example.org", "MD5", "d" * 32)


def document_of(entries: str = "", *, overwrite: bool = False) -> Document:
    return compile_document(ini.parse(entries), CONTACTS, INTERFACE, overwrite=overwrite)


def sections_in(document: bytes) -> dict[str, dict[str, str]]:
    root = ET.fromstring(document)  # noqa: S314  # our own document
    return {section.get("name", ""): {entry.get("name", ""): entry.text or "" for entry in section} for section in root}


def test_a_space_without_entries_has_a_base_document() -> None:
    assert document_of().without_account == BASE


def test_an_account_adds_interface_identity_and_credentials() -> None:
    assert document_of().with_account(IDENTITY, [ALICE]) == ME


def test_a_space_may_have_entries_and_overwrite_all() -> None:
    document = compile_document(
        ini.parse('[app]\nfoo=bar\nquoted="a b"\n[misc]\nx=on\n[proxy_0]\nreg_expires=600'),
        "http://full.localhost/contacts/vcard",
        evolve(INTERFACE, disable_chat_feature=True, hide_settings=True, max_account=3),
        overwrite=True,
    )
    alice = Credentials(
        username="alice",
        domain="full.example.org",
        ha1="6d0f1f009b974b2ac77821fce6d1fd5ed009dfc0c3b08b39e3a4a8eed5e07f5d",
        realm="full.example.org",
        algorithm="SHA-256",
    )
    assert document.with_account("<sip:alice@full.example.org>", [alice]) == FULL


def test_the_space_s_own_ui_stands_for_ours() -> None:
    document = document_of("[ui]\ncolour=blue")
    assert sections_in(document.with_account(IDENTITY, []))["ui"] == {"colour": "blue"}
    assert document.with_account(IDENTITY, []).count(b'name="ui"') == 1


def test_without_an_account_the_space_s_own_proxy_is_whole_and_there_is_no_interface() -> None:
    sections = sections_in(document_of("[proxy_0]\nreg_identity=sip:guest@a\n[z]").without_account)
    assert list(sections) == ["proxy_0", "z", "misc"]
    assert sections["proxy_0"] == {"reg_identity": "sip:guest@a"}


def test_the_account_s_identity_replaces_the_space_s() -> None:
    written = document_of("[proxy_0]\nreg_identity=sip:guest@a\nreg_expires=60").with_account(IDENTITY, [])
    assert written.count(b"reg_identity") == 1
    assert sections_in(written)["proxy_0"] == {"reg_expires": "60", "reg_identity": IDENTITY}


def test_credentials_take_the_numbers_that_the_space_leaves_free() -> None:
    document = document_of("[auth_info_1]\nusername=a\n[auth_info_3]\nusername=b\n[auth_info_x]\n")
    md5 = evolve(ALICE, algorithm="MD5", ha1="5" * 32)
    sections = sections_in(document.with_account(IDENTITY, [ALICE, md5, ALICE]))
    numbered = [name for name in sections if name.startswith("auth_info_")]
    assert numbered == ["auth_info_1", "auth_info_3", "auth_info_x", "auth_info_0", "auth_info_2", "auth_info_4"]
    assert sections["auth_info_1"] == {"username": "a"}
    assert sections["auth_info_2"]["algorithm"] == "MD5"


def test_an_account_without_passwords_has_no_credentials() -> None:
    assert b"auth_info" not in document_of().with_account(IDENTITY, [])


@pytest.mark.parametrize(
    ("display_name", "identity"),
    [
        (None, "<sip:alice@a.org>"),
        ("", "<sip:alice@a.org>"),
        ("Alice", '"Alice" <sip:alice@a.org>'),
        ('Al "Ace" \\o/', '"Al \\"Ace\\" \\\\o/" <sip:alice@a.org>'),
    ],
)
def test_an_identity_quotes_the_display_name(display_name: str | None, identity: str) -> None:
    assert reg_identity(display_name, "alice", "a.org") == identity


def test_a_display_name_cannot_write_configuration() -> None:
    identity = reg_identity('x"\n[misc]\nconfig-uri=</entry></section>& 😀\0\ud83d', "alice", "a.org")
    written = document_of().with_account(identity, [])
    assert sections_in(written)["proxy_0"] == {
        "reg_identity": '"x\\" [misc] config-uri=</entry></section>& 😀" <sip:alice@a.org>',
    }


def _names(document: bytes) -> list[str]:
    return [section.get("name", "") for section in ET.fromstring(document)]  # noqa: S314  # our own document


def test_directories_follow_the_space_s_entries_and_their_credentials_follow_them() -> None:
    document = compile_document(ini.parse("[app]\nfoo=bar"), CONTACTS, INTERFACE, [DIRECTORY] * 2, overwrite=False)
    directories = ["remote_contact_directory_0", "remote_contact_directory_1"]
    assert _names(document.without_account) == ["app", *directories, "misc"]
    assert _names(document.with_account(IDENTITY, [ALICE], [ALICE_DAV] * 2)) == [
        "app", *directories, "auth_info_0", "auth_info_1", "misc", "ui", "proxy_0", "auth_info_2",
    ]  # fmt: skip
    sections = sections_in(document.with_account(IDENTITY, [ALICE], [ALICE_DAV]))
    assert list(sections["auth_info_0"].items()) == [
        ("username", "alice_dav"),
        ("realm", "dav.example.org"),
        ("ha1", "d" * 32),
        ("algorithm", "MD5"),
    ]
    assert sections["auth_info_1"]["username"] == "alice"
    assert list(sections["remote_contact_directory_1"].items()) == [
        ("enabled", "1"),
        ("type", "carddav"),
        ("uri", "https://carddav.example.org/dav"),
        ("min_characters", "3"),
        ("results_limit", "0"),
        ("timeout", "6"),
        ("delay", "500"),
        ("carddav_fields_for_user_input", "FN,N,IMPP"),
        ("carddav_fields_for_domain", "IMPP"),
        ("carddav_use_exact_match_policy", "0"),
    ]


def test_directories_stand_behind_a_proxy_of_the_space_s_own() -> None:
    entries = ini.parse("[a]\nx=1\n[proxy_0]\nreg_expires=600\n[z]\nx=1")
    document = compile_document(entries, CONTACTS, INTERFACE, [DIRECTORY], overwrite=True)
    written = document.with_account(IDENTITY, [ALICE], [ALICE_DAV])
    assert _names(written) == [
        "a", "proxy_0", "z", "remote_contact_directory_0", "auth_info_0", "misc", "ui", "auth_info_1",
    ]  # fmt: skip
    assert sections_in(written)["proxy_0"] == {"reg_expires": "600", "reg_identity": IDENTITY}
    assert written.count(b"<entry") == written.count(b'overwrite="true"')


def test_directories_and_their_credentials_take_the_numbers_that_the_space_leaves_free() -> None:
    entries = ini.parse("[remote_contact_directory_0]\nx=1\n[auth_info_1]\nx=1\n[remote_contact_directory_2]\nx=1")
    document = compile_document(entries, CONTACTS, INTERFACE, [DIRECTORY] * 2, overwrite=False)
    names = _names(document.with_account(IDENTITY, [ALICE], [ALICE_DAV] * 2))
    assert names[3:7] == ["remote_contact_directory_1", "remote_contact_directory_3", "auth_info_0", "auth_info_2"]
    assert names[-1] == "auth_info_3"


def test_a_directory_without_fields_has_empty_entries() -> None:
    bare = evolve(DIRECTORY, enabled=False, fields_for_domain=None, uri="https://a.org/?a=1&b=2", delay=100)
    document = compile_document((), CONTACTS, INTERFACE, [bare], overwrite=False)
    section = sections_in(document.without_account)["remote_contact_directory_0"]
    assert (section["enabled"], section["carddav_fields_for_domain"]) == ("0", "")
    assert section["uri"] == "https://a.org/?a=1&b=2"


def test_no_hash_is_in_a_repr() -> None:
    assert ALICE.ha1 not in repr(ALICE)
    assert ALICE_DAV.ha1 not in repr(ALICE_DAV)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_display_name_gives_one_line(display_name: str) -> None:
    written = document_of().with_account(reg_identity(display_name, "alice", "twin.example.org"), [ALICE])
    (identity,) = sections_in(written)["proxy_0"].values()
    assert identity.endswith("<sip:alice@twin.example.org>")
    assert len(written.decode().splitlines()) == len(ME.decode().splitlines())
