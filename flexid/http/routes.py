"""Routes as declarations: method, path, who may call, input and answer.

From a declaration follow dispatch, permission, validation and, from what it says, the documentation: statuses of
refusals that only this route has stand in its docstring.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, get_type_hints

from attrs import define, field, frozen

from flexid.base.text import Text
from flexid.http.call import Call
from flexid.http.inputs import Input
from flexid.services.uploads import Upload

Handler = Callable[..., Awaitable[Any]]
Check = Callable[[Call[Any], Mapping[str, Any]], Awaitable[None]]
"""Called with the call and the fields of its body, as they came."""
Refusals = Callable[..., Awaitable[Mapping[str, Sequence[Text]]]]
"""Called with the call, the readable fields of its body, and the parameters of its path by name."""


class Caller(Enum):
    """Who may call a route (page 03 of the contract)."""

    PUBLIC = "anybody"
    USER = "an account, signed in by any method"
    ADMIN = "an administrator with an API key, or on the portal"
    SUPER_ADMIN = "an administrator of a super Space with an API key, or on the portal"


PUBLIC, USER, ADMIN, SUPER_ADMIN = Caller


@frozen
class Parameter:
    """What a caller may send beside the path and the body; `type` as in an annotation."""

    name: str
    says: str
    type: Any = str
    place: Literal["query", "header"] = "query"
    required: bool = False


@frozen
class Route:
    """A declaration. `path` has parameters in braces; their types are those of the handler's arguments."""

    method: str
    path: str
    caller: Caller
    handler: Handler
    input: type[Input] | None
    status: int
    before: Callable[[Call[Any]], None] | None
    """Refuses the call before anything else is looked at."""
    first: Check | None
    """Refuses the call before its input is validated."""
    refusals: Refusals | None
    """Names what the database would refuse, where other fields are already wrong."""
    portal: bool
    """A page for people: they sign in by a session, and their forms are protected."""
    again: Handler | None
    """Shows the form once more, with what was typed and what is wrong."""
    hot: bool
    """Dispatched without Klein: a fixed path, or one whose last segment is its only parameter."""
    needs_space: bool
    certificates: bool
    """A client certificate signs in too, before anything else."""
    parameters: Sequence[Parameter] = ()
    upload: Callable[..., Awaitable[Upload]] | None = None
    """Its body is a form with a file, which goes to disk as it comes: called before any of it is taken, with the call
    and the parameters of the path."""
    large: bool = False
    """Its body may be as large as a file of accounts, and stays on disk: in `call.request.content`, or as a form's
    file."""
    answers: Mapping[int, Any] = field(factory=dict)
    """What success looks like where the handler's annotation does not tell: by status, a type, one or more media
    types, or None where it may be anything."""
    name: str = field(init=False)
    """What it is called in logs and metrics: the path that somebody asks for may hold a token."""

    @name.default
    def _name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_form(self) -> bool:
        """Say whether it takes a form of the portal's."""
        return self.portal and self.method != "GET"

    @property
    def takes_key(self) -> bool:
        """Say whether requests may come with an `Idempotency-Key`; an upload needs none, its slot is filled once."""
        return self.method == "POST" and not self.portal and not self.upload

    @property
    def werkzeug_rule(self) -> str:
        """Return the path as Klein wants it."""
        rule = self.path
        for name, annotation in get_type_hints(self.handler).items():
            converter = f"int(max={MAX_ID}):" if annotation is int else ""
            rule = rule.replace(f"{{{name}}}", f"<{converter}{name}>")
        return rule


MAX_ID = (1 << 63) - 1
"""The largest number that PostgreSQL takes for an id."""


@define
class Routes:
    """The routes of one resource, below a common path."""

    prefix: str
    title: str
    portal: bool = False
    routes: list[Route] = field(factory=list, init=False)

    def add(  # noqa: PLR0913  # a declaration has as many parts as the contract gives it
        self,
        method: str,
        path: str,
        *,
        caller: Caller,
        input: type[Input] | None = None,  # noqa: A002  # the word of the contract
        created: bool = False,
        before: Callable[[Call[Any]], None] | None = None,
        first: Check | None = None,
        refusals: Refusals | None = None,
        again: Handler | None = None,
        hot: bool = False,
        needs_space: bool = True,
        certificates: bool = False,
        parameters: Sequence[Parameter] = (),
        upload: Callable[..., Awaitable[Upload]] | None = None,
        large: bool = False,
        answers: Mapping[int, Any] | None = None,
    ) -> Callable[[Handler], Handler]:
        """Return a decorator that declares its function as the handler of a route."""

        def declare(handler: Handler) -> Handler:
            if not inspect.getdoc(handler):
                raise TypeError(f"{method} {self.prefix}{path}: a route says in its docstring what it does")
            status = 201 if created else 200
            self.routes.append(
                Route(
                    method,
                    self.prefix + path,
                    caller,
                    handler,
                    input,
                    status,
                    before,
                    first,
                    refusals,
                    self.portal,
                    again,
                    hot,
                    needs_space,
                    certificates,
                    parameters,
                    upload,
                    large,
                    answers or {},
                )
            )
            return handler

        return declare

    def get(self, path: str = "", **declaration: Any) -> Callable[[Handler], Handler]:
        """Declare a GET route; HEAD comes with it."""
        return self.add("GET", path, **declaration)

    def post(self, path: str = "", **declaration: Any) -> Callable[[Handler], Handler]:
        """Declare a POST route."""
        return self.add("POST", path, **declaration)

    def put(self, path: str = "", **declaration: Any) -> Callable[[Handler], Handler]:
        """Declare a PUT route."""
        return self.add("PUT", path, **declaration)

    def patch(self, path: str = "", **declaration: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH route."""
        return self.add("PATCH", path, **declaration)

    def delete(self, path: str = "", **declaration: Any) -> Callable[[Handler], Handler]:
        """Declare a DELETE route."""
        return self.add("DELETE", path, **declaration)
