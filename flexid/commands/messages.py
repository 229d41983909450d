"""`flexid messages …`."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.domain.message import Outgoing, Unsendable, recipient
from flexid.domain.sip_address import SipAddress
from flexid.services.catalogue import Services

HOUR = 60 * 60


def _address(text: str) -> SipAddress:
    if (found := recipient(text)) is None:
        raise ArgumentTypeError(f"{text!r} is no SIP address such as alice@sip.example.org")
    return found


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("to", metavar="TO", type=_address, help="a SIP address, of any domain")
    parser.add_argument("body", metavar="BODY", help="the text")
    parser.add_argument("--domain", type=str.lower, help="the Space that sends; else the recipient's, or the first one")
    parser.add_argument("--queue", action="store_true", help="let it wait for an hour where it cannot be sent at once")


async def _send(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        messages = services.messages
        if not messages.is_configured:
            raise Problem("there is no SIP daemon: daemon.socket is empty, see docs/messages.md")
        messages.watch()
        domain = await _sender(services, options)
        outgoing = Outgoing(options.to, options.body, HOUR if options.queue else None)
        try:
            message = await messages.put(domain, None, outgoing)
        except Unsendable as unsendable:
            raise Problem(f"the text cannot be sent: {unsendable.reason}") from None
    data = {"id": message.call_id or str(message.id), "state": message.state}
    return Outcome(f"{'Sent' if message.call_id else message.state}: {data['id']}", data)


async def _sender(services: Services, options: Namespace) -> str:
    known = [space.domain for space in await services.spaces.every()]
    if not known:
        raise Problem("there is no Space yet, make one with: flexid spaces create-update")
    if options.domain and options.domain not in known:
        raise Problem(f"no Space has the domain {options.domain}")
    domain: str = options.domain or (options.to.domain if options.to.domain in known else known[0])
    return domain


SEND = Command(_send, _arguments)
