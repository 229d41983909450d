"""From the declarations to answers: dispatch, the walk of a request, and the one error table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from werkzeug.exceptions import MethodNotAllowed

from flexid.base import logs
from flexid.base.metrics import Durations
from flexid.base.settings import Settings
from flexid.base.templates import Templates
from flexid.base.text import Text
from flexid.domain import errors
from flexid.domain.account import Origin
from flexid.domain.acting import acts
from flexid.http import answers, bodies, doers, inputs, refusals, repeats, sending, streaming, visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.client_certificates import shown
from flexid.http.guards import Guards, user_agent
from flexid.http.inputs import Input
from flexid.http.intake import Intake
from flexid.http.peers import Proxies
from flexid.http.portal import admission
from flexid.http.request import FlexidRequest
from flexid.http.routes import PUBLIC, Handler, Route
from flexid.http.sending import FileAnswer
from flexid.http.streaming import StreamedAnswer
from flexid.services.catalogue import Services
from flexid.services.uploads import Upload

log = Logger()


class WrongMethod(errors.DomainError):
    """The path is known, but not with this method."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__(Text("The method is not supported for this route"))
        self.allowed = ", ".join(sorted(allowed))


STATUS: Mapping[type[errors.DomainError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    WrongMethod: 405,
    errors.Conflict: 409,
    errors.Expired: 410,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.Throttled: 429,
    errors.Unavailable: 503,
}
"""The one place where what went wrong becomes a status."""

STATUS_OF_PAGE: Mapping[type[errors.DomainError], int] = {errors.SpaceExpired: 490}
"""Where a page for people has another one."""

BODILESS = frozenset({204, 304})
"""They say nothing about the length of a body (RFC 9110, 8.6)."""
ALLOWED = "Authorization, Content-Type, From, Idempotency-Key, X-API-Key, X-Request-ID"
EXPOSED = "WWW-Authenticate, X-Request-ID, Retry-After, Idempotency-Replayed"
"""Headers that scripts of other sites may send to the API, and those that they may read of its answers."""
NO_ROUTE = "no route"
BODY_METHODS = frozenset({b"POST", b"PUT", b"PATCH"})


@frozen
class Router:
    """Walks requests through guards and handlers."""

    services: Services
    settings: Settings
    guards: Guards
    proxies: Proxies
    templates: Templates
    is_open: Callable[[], bool]
    """Whether the database is there and migrated: before that, only health answers."""
    seconds: Callable[[], float]
    """The reactor's time."""
    requests: Durations[tuple[str, int]] = field(factory=Durations)
    """How long answers took until they were ready to be sent, by the route's name and the status."""

    def begin(self, request: FlexidRequest, route: Route | None, parameters: Mapping[str, Any]) -> None:
        """Start to answer a request for a route, or for none."""
        call = self._call(request)
        ensureDeferred(self._serve(call, route.name if route else NO_ROUTE, self._answer(call, route, parameters)))

    def begin_unmatched(self, request: FlexidRequest, error: BaseException | None) -> None:
        """Start to answer a request that no route matches, or one of another method only."""
        call = self._call(request)
        ensureDeferred(self._serve(call, NO_ROUTE, self._answer_unmatched(call, error)))

    def intake(self, request: FlexidRequest, route: Route, parameters: Mapping[str, Any]) -> Intake:
        """Return what takes the body of a request for a route that takes a file."""

        async def begin() -> tuple[Call[Any], Upload]:
            if route.upload is None:
                raise TypeError("the route was declared to take no file")
            call = self._call(request)
            await self._admit(call, route)
            return call, await route.upload(call, **parameters)

        reactor = request.channel.site.reactor
        return Intake(reactor, request, begin, self.settings.limits.max_upload_size)

    def _call(self, request: FlexidRequest) -> Call[Any]:
        peer = self.proxies.peer(request)
        origin = Origin(peer.ip, user_agent(request))
        return Call(request, self.services, self.settings, self.templates, peer, origin, visit=visits.read(request))

    async def _serve(self, call: Call[Any], declared: str, answering: Awaitable[Answer]) -> None:
        request, began = call.request, self.seconds()
        call.request_id = request_id = request.request_id()
        # Whatever is logged while this goes on carries it.
        logs.request_id.set(request_id)
        request.setHeader("X-Request-ID", request_id)
        request.setHeader("Server", "flexid")
        if request.path.startswith(b"/api/"):
            self._allow_any_origin(request)
        try:
            answer = await answering
        except admission.Elsewhere as elsewhere:
            answer = answers.see_other(elsewhere.path)
        except errors.DomainError as error:
            if isinstance(error, errors.Throttled):
                log.info("{route} was throttled", event="request.throttled", route=declared, ip=call.origin.ip)
            answer = refusals.answer(call, error, *_statuses(error))
        except Exception:  # noqa: BLE001  # a mistake of ours spoils one answer, not the connection
            log.failure(
                "{route} failed, request {request_id}", event="request.failed", route=declared, request_id=request_id
            )
            answer = refusals.broken(call)
        if call.received:
            await call.received.upload.discard()
        self.requests.add((declared, answer.status), self.seconds() - began)
        _send(request, answer)

    async def _answer(self, call: Call[Any], route: Route | None, parameters: Mapping[str, Any]) -> Answer:
        request = call.request
        if request.is_too_large:
            raise errors.Unavailable if request.is_crowded else errors.TooLarge
        if route is None:
            raise errors.NotFound(Text("The route could not be found."))
        body = {}
        if request.intake:
            # Admitted when its body began to come.
            call.received = await request.intake.received()
            admitted = call.received.admitted
            call.known_space, call.caller = admitted.known_space, admitted.caller
            call.by_certificate = admitted.by_certificate
        else:
            await self._admit(call, route)
        acts(partial(doers.of, call))
        if route.large and route.is_form:
            return await self._answer_large_form(call, route, parameters)
        if not request.intake and not route.large and (request.method in BODY_METHODS or route.is_form):
            body = bodies.read(request.body(), request.header("content-type") or "")
        if route.is_form:
            await admission.check_form(call, body)
        if (key := repeats.key_of(call, route)) is not None:
            return await repeats.answer(call, route, key, lambda: self._refuse_or_act(call, route, body, parameters))
        return await self._act(call, route, body, parameters)

    async def _answer_large_form(self, call: Call[Any], route: Route, parameters: Mapping[str, Any]) -> Answer:
        body = await _read_large_form(call.request)
        try:
            await admission.check_form(call, body)
            return await self._act(call, route, body, parameters)
        finally:
            bodies.close(body)

    async def _refuse_or_act(
        self, call: Call[Any], route: Route, body: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Answer:
        try:
            return await self._act(call, route, body, parameters)
        except errors.DomainError as error:
            return refusals.answer(call, error, *_statuses(error))

    async def _act(
        self, call: Call[Any], route: Route, body: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Answer:
        try:
            if route.first:
                await route.first(call, body)
            if route.input:
                call.given_input = await _read_input(call, route, route.input, body, parameters)
            return answers.of(await route.handler(call, **parameters), route.status)
        except (errors.Invalid, errors.Throttled, errors.Unavailable) as error:
            if route.again is None:
                raise
            return await _show_again(call, route.again, error, body, parameters)

    async def _admit(self, call: Call[Any], route: Route) -> None:
        """Let the guards look at a request."""
        if route.before:
            route.before(call)
        if not route.needs_space:
            return
        if not self.is_open():
            raise errors.Unavailable
        call.known_space = await self.guards.space(call.peer)
        if route.portal:
            await admission.admit(call, route)
        elif route.caller is not PUBLIC:
            certificate = shown(call.request, self.proxies, self.settings.tls) if route.certificates else None
            call.by_certificate = certificate is not None
            call.caller = await self.guards.caller(route.caller, call.request, call.known, call.peer, certificate)

    def _allow_any_origin(self, request: FlexidRequest) -> None:
        # Nothing under /api is authenticated by a cookie.
        request.setHeader("Access-Control-Allow-Origin", self.settings.api.allow_origin)
        request.setHeader("Access-Control-Expose-Headers", EXPOSED)

    async def _answer_unmatched(self, call: Call[Any], error: BaseException | None) -> Answer:
        allowed = set(error.valid_methods or ()) if isinstance(error, MethodNotAllowed) else set()
        if call.request.method == b"OPTIONS" and allowed:
            return self._options(call.request, allowed)
        call.known_space = await self.guards.space(call.peer)
        if call.visit.session_id:
            await admission.recognise(call)
        raise WrongMethod(allowed) if allowed else errors.NotFound(Text("The route could not be found."))

    def _options(self, request: FlexidRequest, allowed: set[str]) -> Answer:
        methods = ", ".join(sorted({*allowed, "OPTIONS"}))
        headers = {"Allow": methods}
        if request.path.startswith(b"/api"):
            headers["Access-Control-Allow-Methods"] = methods
            headers["Access-Control-Allow-Headers"] = ALLOWED
            headers["Access-Control-Max-Age"] = "86400"
        return Answer(status=204, headers=headers)


def _statuses(error: errors.DomainError) -> tuple[int, int]:
    """Return the status of an error for programs, and for people."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return status, STATUS_OF_PAGE.get(type(error), status)


async def _read_large_form(request: FlexidRequest) -> dict[str, Any]:
    kind = request.header("content-type") or ""
    if kind.startswith(bodies.MULTIPART):
        content: Any = request.content
        return await deferToThread(bodies.read_on_disk, content, kind)
    if request.received > request.channel.site.max_body_size:
        raise errors.TooLarge
    return bodies.read(request.body(), kind)


async def _show_again(
    call: Call[Any],
    show: Handler,
    error: errors.Invalid | errors.Throttled | errors.Unavailable,
    body: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> Answer:
    """Show a form once more, with what was typed; passwords are typed anew."""
    call.typed = {name: value for name, value in body.items() if isinstance(value, str) and "password" not in name}
    call.errors = error.errors if isinstance(error, errors.Invalid) else {"": [error.reason]}
    shown: Answer = await show(call, **parameters)
    status, _ = _statuses(error)
    return evolve(shown, status=status, headers={**shown.headers, **refusals.headers(error)})


async def _read_input(
    call: Call[Any], route: Route, model: type[Input], body: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Input:
    try:
        return inputs.read(model, body)
    except errors.Invalid as invalid:
        if route.refusals is None:
            raise
        readable = {
            name: value
            for name, value in inputs.given(body).items()
            if name not in invalid.errors and isinstance(value, str) and "\0" not in value
        }
        further = await route.refusals(call, readable, **parameters)
        raise errors.Invalid({**further, **invalid.errors}) from None


def _send(request: FlexidRequest, answer: Answer) -> None:
    if request.is_gone:
        if isinstance(answer, FileAnswer):
            answer.file.close()
        return
    request.setResponseCode(answer.status)
    if answer.content_type:
        request.setHeader("Content-Type", answer.content_type)
    else:
        # Twisted's default would call an empty body HTML.
        request.defaultContentType = None
    for name, value in answer.headers.items():
        request.setHeader(name, value)
    if isinstance(answer, StreamedAnswer):
        streaming.send(request, answer)
        return
    if answer.status not in BODILESS:
        request.setHeader("Content-Length", str(answer.size))
    if isinstance(answer, FileAnswer):
        sending.send(request, answer)
        return
    if answer.body:
        request.write(answer.body)
    request.finish()
