"""Hooks: your own Python at certain moments of flexid. A working example; copy it, and keep what you need.

Name the file in the configuration, then look at what it does with `flexid hooks check`:

    [hooks]
    provisioning = "/etc/flexid/hooks.py"
    accounts = "/etc/flexid/hooks.py"

Leave out the functions that you do not need. Each may be `async` and await Twisted's Deferreds (not asyncio's futures).
One that fails or takes longer than five seconds is logged and counted, and troubles nobody. After a change of the file:
`systemctl reload flexid`, or SIGHUP.

`request` has `host`, `path`, `ip`, `user_agent` and `headers` (a dictionary with names in lower case).
`account` has `id`, `username`, `domain`, `email`, `phone`, `display_name`, `dictionary`, `activated`, `admin`, ….
"""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger("hooks")


# What applications get


def proxy_section(section: dict[str, Any], request: Any, account: Any) -> None:
    """Change the section `proxy_0` of an account's document: a dictionary of entries."""
    # Applications of this Space reach the server through the proxy that is near them.
    section["reg_proxy"] = f"<sip:proxy.{account.domain};transport=tls>"
    # Whoever is in the office registers for longer: True and False become 1 and 0.
    if request.ip.startswith("192.168."):
        section["reg_expires"] = 3600
        section["publish"] = True


def auth_section(section: dict[str, Any], request: Any, password: Any) -> None:  # noqa: ARG001
    """Change a section `auth_info_N`; `password.algorithm` says which of the stored passwords it is."""
    if password.algorithm == "SHA-256":
        section["available_algorithms"] = "SHA-256"


async def additional_sections(config: dict[str, dict[str, Any]], request: Any, account: Any) -> None:  # noqa: ARG001
    """Add sections, or entries to sections of the same name; `account` is None where the document has no account."""
    config["sound"]["echocancellation"] = True
    if account and (language := account.dictionary.get("language")):
        config["ui"]["language"] = language


# What happens to accounts


def account_created(request: Any, account: Any) -> None:
    """Do something after an account was created; `request` is None where nobody asked for it over HTTP."""
    log.info("%s was created from %s", account.sip_uri, request.ip if request else "the command line")


def account_edited(request: Any, account: Any) -> None:  # noqa: ARG001
    """Do something after an account was changed: `account` is how it is now."""
    log.info("%s was changed", account.sip_uri)


def account_deleted(request: Any, account: Any) -> None:  # noqa: ARG001
    """Do something after an account was deleted: `account` is how it was."""
    log.info("%s was deleted", account.sip_uri)
