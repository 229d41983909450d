"""What others may let us connect to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.error import DNSLookupError
from twisted.internet.protocol import Factory, Protocol

from flexid.outbound.guard import Guard, NotPublic, is_public

PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4007:80e::200e"]
PRIVATE = [
    "0.0.0.0",  # noqa: S104  # what must not be reached
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_open(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_else_is(address: str) -> None:
    assert not is_public(address)


def test_an_address_that_wraps_a_public_one_is_public() -> None:
    assert is_public("::ffff:1.1.1.1")
    assert is_public("64:ff9b::101:101")


class _Names:
    """Answers look-ups, the first with the first answer, and so on; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [*answers]
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@ensureDeferred
async def test_one_private_address_among_several_is_enough() -> None:
    names = _Names(["1.1.1.1", "10.0.0.1"])
    with pytest.raises(NotPublic):
        await Guard(reactor, resolve=names).addresses("hooks.example.org")
    allowed = Guard(reactor, allow_private=True, resolve=names)
    assert await allowed.addresses("hooks.example.org") == ["1.1.1.1", "10.0.0.1"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "::ffff:127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"]
)
@ensureDeferred
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises((NotPublic, DNSLookupError)):
        await Guard(reactor).addresses(host)


@ensureDeferred
async def test_a_name_without_addresses_is_unknown() -> None:
    with pytest.raises(DNSLookupError):
        await Guard(reactor, resolve=_Names([])).addresses("hooks.example.org")


@ensureDeferred
async def test_what_is_connected_to_is_what_was_looked_at() -> None:
    names = _Names(["127.0.0.1"], ["192.0.2.1"])
    net: Any = reactor
    port = net.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    try:
        guard = Guard(reactor, allow_private=True, resolve=names)
        endpoint = guard.endpoint("hooks.example.org", port.getHost().port, 5)
        protocol = await endpoint.connect(Factory.forProtocol(Protocol))
        assert protocol.transport.getPeer().host == "127.0.0.1"
        assert names.asked == ["hooks.example.org"]
        protocol.transport.abortConnection()
    finally:
        await port.stopListening()


@ensureDeferred
async def test_a_name_that_leads_elsewhere_the_next_time_gains_nothing() -> None:
    names = _Names(["1.1.1.1"], ["127.0.0.1"])
    guard = Guard(reactor, resolve=names)
    assert await guard.addresses("hooks.example.org") == ["1.1.1.1"]
    with pytest.raises(NotPublic):
        await guard.endpoint("hooks.example.org", 80, 5).connect(Factory.forProtocol(Protocol))
