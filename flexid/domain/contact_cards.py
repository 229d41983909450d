"""Contacts as vCards, for applications that fetch them as a list."""

from __future__ import annotations

from flexid.domain.contacts import Contact
from flexid.domain.vcard import escape, write


def card_of(contact: Contact) -> str:
    """Return the vCard of a contact: its name and address, and what Linphone can do with it."""
    name = contact.display_name or contact.sip_uri.removeprefix("sip:")
    properties = [("KIND", "individual"), ("IMPP", contact.sip_uri), ("FN", escape(name))]
    if contact.dtmf_protocol:
        properties.append(("X-LINPHONE-ACCOUNT-DTMF-PROTOCOL", contact.dtmf_protocol))
    properties += [("X-LINPHONE-ACCOUNT-TYPE", escape(each["key"])) for each in contact.types]
    properties += [
        ("X-LINPHONE-ACCOUNT-ACTION", f"{escape(each['key'])};{escape(each['code'])}") for each in contact.actions
    ]
    return write(properties)
