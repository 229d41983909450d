"""vCards as applications fetch them: of one's contacts, and those that one has stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.threads import deferToThread

from flexid.domain.contact_cards import card_of
from flexid.domain.contacts import Contact
from flexid.domain.errors import NotFound
from flexid.domain.sip_address import parse
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.etags import tagged
from flexid.http.routes import USER, Routes

contact_routes = Routes("/contacts/vcard", title="vCards of contacts")
stored_routes = Routes("/vcards-storage", title="Stored vCards")

VCARD = "text/vcard; charset=utf-8"


@contact_routes.get(caller=USER)
async def contacts(call: Call[Any]) -> Answer:
    """Return one's contacts, each as a vCard 4.0."""
    known = await call.services.contacts.own(call.actor)
    # Ten thousand cards take a tenth of a second, in which others want their answers too.
    return tagged(call.request, await deferToThread(_written, known), VCARD)


@contact_routes.get("/{sip}", caller=USER)
async def contact(call: Call[Any], sip: str) -> Answer:
    """Return one's contact with a SIP address as a vCard 4.0."""
    address = parse(sip, parameters=True)
    if address is None:
        raise NotFound
    known = await call.services.contacts.own_by_address(call.actor, address)
    return tagged(call.request, card_of(known).encode(), VCARD)


@stored_routes.get(caller=USER)
async def stored(call: Call[Any]) -> Answer:
    """Return the vCards that one has stored, the oldest first."""
    cards = await call.services.vcards.list_of(call.actor, call.actor.account_id)
    # The empty line between two is how applications have always got them.
    return _text(call, "\n".join(each.card.text for each in cards))


@stored_routes.get("/{uuid}", caller=USER)
async def stored_one(call: Call[Any], uuid: str) -> Answer:
    """Return the vCard of a UID that one has stored."""
    return _text(call, (await call.services.vcards.show(call.actor, call.actor.account_id, uuid)).card.text)


def _written(contacts: Iterable[Contact]) -> bytes:
    return "".join(map(card_of, contacts)).encode()


def _text(call: Call[Any], lines: str) -> Answer:
    return tagged(call.request, lines.replace("\n", "\r\n").encode(), VCARD)
