"""Which name a certificate's subject holds, as proxies write it."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.certificate_subject import common_name, sip_address

ALICE = "sip:alice@example.org"


@pytest.mark.parametrize(
    "subject",
    [
        f"CN={ALICE}",
        f"cn={ALICE}",
        f"CN={ALICE},OU=Phones,O=Example\\, Inc.,C=FR",
        f"C=FR, O=Example, CN={ALICE}",
        f"O=Example+CN={ALICE},C=FR",
        f"2.5.4.3={ALICE}",
        f"CN={ALICE},O=x\\,CN=sip:bob@example.org",
        f"CN={ALICE},O=CN=sip:bob@example.org",
        f"CN={ALICE},O=",
        "CN=sip:\\61lice@example.org",
        f"/CN={ALICE}",
    ],
)
def test_the_one_common_name_is_found(subject: str) -> None:
    assert common_name(subject) == ALICE


def test_what_is_escaped_stands_for_itself() -> None:
    assert common_name("CN=sip:\\+33612345678@example.org") == "sip:+33612345678@example.org"
    assert common_name("O=x,CN=\\C3\\A9\\, \\\\") == "é, \\"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "/",
        ALICE,
        "O=Example",
        f"O=x\\,CN={ALICE}",
        f"O=CN={ALICE}",
        f"CN={ALICE},CN=sip:bob@example.org",
        f"CN={ALICE}+CN=sip:bob@example.org",
        f"CN={ALICE},commonName=sip:bob@example.org",
        f"CN={ALICE},2.5.4.3=sip:bob@example.org",
        f"CN={ALICE},OID.2.5.4.3=sip:bob@example.org",
        f'O="x,CN={ALICE}"',
        f'CN="{ALICE}"',
        f"CN={ALICE};O=x",
        f"CN={ALICE},",
        f",CN={ALICE}",
        f"CN={ALICE}\\",
        f"CN={ALICE}\nO=x",
        "CN=\\FF",
        f"/O=Example/CN={ALICE}",
        f"/CN={ALICE}/O=Example",
        f"/CN={ALICE}/CN=sip:bob@example.org",
        f"/cn={ALICE}",
        "/CN=",
        f"CN={ALICE},O={'x' * 5000}",
    ],
)
def test_no_name_is_found_where_it_is_not_the_only_one_for_certain(subject: str) -> None:
    assert common_name(subject) is None


@given(st.lists(st.tuples(st.sampled_from([NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME]), st.text(min_size=1))))
def test_the_name_that_is_found_is_the_one_that_the_certificate_has(
    parts: list[tuple[x509.ObjectIdentifier, str]],
) -> None:
    try:
        subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
    except ValueError:
        return  # too long for what it is
    names = [value for kind, value in parts if kind == NameOID.COMMON_NAME]
    found = common_name(subject.rfc4514_string())
    assert found is None or [found] == names


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    common_name(text)
    common_name(f"CN={text}")


@pytest.mark.parametrize(
    "name",
    [
        "alice@example.org",
        "sips:alice@example.org",
        "SIP:alice@example.org",
        "sip:alice",
        "sip:sip:alice@example.org",
        "sip:%61lice@example.org",
        "sip:alice@example.org:5060",
        "sip:alice@example.org;transport=tls",
        "<sip:alice@example.org>",
        "sip:alice@example.org\0.evil.org",
        "sip:alice@example.org ",
        "sip:alice@bob@example.org",
    ],
)
def test_only_a_bare_sip_uri_is_an_address(name: str) -> None:
    assert sip_address(name) is None
    assert str(sip_address(ALICE)) == "alice@example.org"
