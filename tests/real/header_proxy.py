"""A proxy that completes what an old Linphone sends, as the proxy of an operator may have to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import field, frozen
from support.flexid_process import ADDRESS, PATIENCE, Caller

IDLE = 5.0
"""Seconds after which a connection is closed on which nothing comes; Linphone keeps its open until it ends."""
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}


@frozen
class Exchange:
    """A request that went through, and what became of it."""

    path: str
    authorization: str
    status: int


@frozen
class HeaderProxy:
    """Forwards to a Space's host, with the header that Linphone 5.1 does not know yet; notes what goes through."""

    port: int
    exchanges: list[Exchange] = field(factory=list)

    def url(self, path: str) -> str:
        """Return the address by which a path is reached through the proxy."""
        return f"http://{ADDRESS}:{self.port}{path}"


@contextmanager
def proxy_to(space: Caller) -> Iterator[HeaderProxy]:
    """Run a proxy to a Space."""
    exchanges: list[Exchange] = []
    server = ThreadingHTTPServer((ADDRESS, 0), _handler(space, exchanges))
    server.daemon_threads = False  # joined at the end, so that none outlives its test
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield HeaderProxy(server.server_address[1], exchanges)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(space: Caller, exchanges: list[Exchange]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE

        def do_GET(self) -> None:
            headers = dict(self.headers) | {"Host": space.authority, "x-linphone-provisioning": "1"}
            with closing(HTTPConnection(ADDRESS, space.port, timeout=PATIENCE)) as connection:
                connection.request("GET", self.path, headers=headers)
                answer = connection.getresponse()
                body = answer.read()
            exchanges.append(Exchange(self.path, headers.get("Authorization", ""), answer.status))
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
