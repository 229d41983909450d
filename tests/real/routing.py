"""How a linphone-daemon is told to send everything to one place."""

from __future__ import annotations

from real.answering_machine import AnsweringMachine
from real.linphone import Sections


def routed_to(machine: AnsweringMachine, domain: str) -> Sections:
    """Return the configuration of a daemon that sends everything to the machine, as a notifier of a domain."""
    server = f"sip:127.0.0.1:{machine.port}"
    identity = {"reg_identity": f"sip:notifier@{domain}", "reg_proxy": server}
    return {"proxy_0": {**identity, "reg_route": f"<{server};lr>", "reg_sendregister": "0"}}
