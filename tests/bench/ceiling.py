"""R, by which all rows are judged: what a Klein route without anything behind it can do in one process."""

from __future__ import annotations

import sys
from typing import Any

from klein import Klein
from support.flexid_process import ADDRESS
from twisted.internet import reactor  # this process is nothing else
from twisted.web.server import Site

app = Klein()


@app.route("/")
def ok(request: Any) -> bytes:
    request.setHeader("Content-Type", "application/json")
    return b'{"ok":true}'


class SilentSite(Site):
    """Writes no access log."""

    def log(self, request: object) -> None:
        """Drop it."""


def serve(port: int) -> None:
    """Serve until the end of the process."""
    untyped: Any = reactor
    make_site: Any = SilentSite
    untyped.listenTCP(port, make_site(app.resource()), interface=ADDRESS)
    untyped.run()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
