"""Which route a request is for: hot routes by a table, all others through Klein, from the same declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from klein import Klein
from klein.resource import KleinResource
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException

from flexid.http import bodies
from flexid.http.intake import Intake
from flexid.http.request import FlexidRequest
from flexid.http.router import Router
from flexid.http.routes import Route

_METHOD = re.compile(rb"(?:^|&)_method=(put|delete)(?:&|$)", re.IGNORECASE)


class Root(Resource):
    """The whole site.

    Klein's map of rules takes half of a request's time, see docs/performance.md: the few routes that are called all the
    time say so in their declarations, and are found in a dictionary.
    """

    isLeaf = True  # noqa: N815  # Twisted's name

    def __init__(self, router: Router, routes: Iterable[Route]) -> None:
        super().__init__()
        self._router = router
        self._fixed: dict[tuple[bytes, bytes], Route] = {}
        self._below: dict[tuple[bytes, bytes], tuple[Route, str]] = {}
        self._uploads: dict[bytes, tuple[Route, str]] = {}
        self._paths = set[bytes]()
        klein = Klein()
        klein.url_map.strict_slashes = False
        klein.url_map.merge_slashes = False
        for route in routes:
            self._add(klein, route)
        klein.handle_errors(HTTPException)(self._unmatched)
        self._klein: Any = KleinResource(klein)

    def render(self, request: FlexidRequest) -> int:
        """Start to answer a request."""
        if request.method == b"POST":
            _override_method(request)
        if (hot := self._hot(request)) is not None:
            self._router.begin(request, *hot)
            return NOT_DONE_YET
        if not _is_readable(request.path) or not (request.header("host") or "").isascii():
            self._router.begin(request, None, {})
            return NOT_DONE_YET
        self._klein.render(request)
        return NOT_DONE_YET

    def intake(self, request: FlexidRequest, method: bytes, path: bytes) -> Intake | None:
        """Return what takes the body of a request, where that is a file."""
        if method != b"POST":
            return None
        parent, _, last = path.partition(b"?")[0].rstrip(b"/").rpartition(b"/")
        taken = self._uploads.get(parent)
        if taken is None or not last or not _is_readable(last):
            return None
        route, name = taken
        return self._router.intake(request, route, {name: unquote_to_bytes(last).decode()})

    def _add(self, klein: Klein, route: Route) -> None:
        def handle(request: FlexidRequest, **parameters: Any) -> Deferred[None]:
            self._router.begin(request, route, parameters)
            return _never()

        handle.__name__ = f"{route.method} {route.path}"
        klein.route(route.werkzeug_rule, methods=[route.method])(handle)
        parent, _, last = route.path.rpartition("/")
        if route.hot and last.startswith("{"):
            self._below[route.method.encode(), parent.encode()] = (route, last.strip("{}"))
        elif route.hot:
            self._fixed[route.method.encode(), route.path.encode()] = route
        if route.upload:
            self._uploads[parent.encode()] = (route, last.strip("{}"))
        if "{" not in route.path:
            self._paths.add(route.path.encode())

    def _hot(self, request: FlexidRequest) -> tuple[Route, dict[str, Any]] | None:
        method, path = request.method, request.path
        if (route := self._fixed.get((method, path))) is not None:
            return route, {}
        parent, _, last = path.rpartition(b"/")
        below = self._below.get((method, parent))
        if below is None or not last or path in self._paths or not _is_readable(last):
            return None
        route, name = below
        return route, {name: unquote_to_bytes(last).decode()}

    def _unmatched(self, request: FlexidRequest, failure: Failure) -> Deferred[None]:
        self._router.begin_unmatched(request, failure.value)
        return _never()


def _never() -> Deferred[None]:
    """Return what Klein may hold on to: it would cancel the work when the client hangs up, and finish what is finished.

    A request runs to its end in any case, as those do that Klein never sees.
    """
    return Deferred()


def _override_method(request: FlexidRequest) -> None:
    """Let a form of the portal say that it means PUT or DELETE, which no form can."""
    if request.path.startswith(b"/api") or not (request.header("content-type") or "").startswith(bodies.FORM):
        return
    if (named := _METHOD.search(request.body())) is not None:
        request.method = named[1].upper()


def _is_readable(path: bytes) -> bool:
    """Say whether a path is text that the database could hold."""
    try:
        return "\0" not in unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
