"""Lets twistd know of flexid."""  # noqa: INP001  # Twisted owns the package

from twisted.application.service import ServiceMaker

flexid = ServiceMaker(
    "flexid", "flexid.commands.daemon", "Account manager for SIP operators; flexid --help lists its commands", "flexid"
)
