"""Where the description of the API is read: by programs, and by people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import orjson
from attrs import define, field
from markupsafe import Markup, escape
from twisted.internet.threads import deferToThread

from flexid.base.templates import Templates
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.api.openapi import describe
from flexid.http.api.openapi_page import BASE, Endpoint, endpoints, matching, refusals
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.routes import PUBLIC, Routes

FEW = 3
"""So many that are found are shown at once, with all that is to be said of them."""
LONGEST_SEARCH = 100


@define
class _Reference:
    """The description of all routes, made when it is first asked for, and kept."""

    resources: tuple[Routes, ...]
    _json: bytes = b""
    _endpoints: list[Endpoint] = field(factory=list)
    _refusals: dict[str, str] = field(factory=dict)
    _bodies: dict[str, dict[str, Markup]] = field(factory=dict)
    """What is to be said of each endpoint, by language and its name: they are many, and the same on all pages."""

    def json(self) -> bytes:
        """Return the description for programs."""
        self._json = self._json or orjson.dumps(describe(self.resources))
        return self._json

    def read(self) -> tuple[list[Endpoint], dict[str, str]]:
        """Return all endpoints, and what refusals mean."""
        if not self._endpoints:
            description = orjson.loads(self.json())
            self._endpoints, self._refusals = endpoints(description), refusals(description)
        return self._endpoints, self._refusals

    async def bodies(self, call: Call[Any]) -> Mapping[str, Markup]:
        """Return what is to be said of each endpoint, by its name."""
        if call.language not in self._bodies or call.settings.development:
            self._bodies[call.language] = await deferToThread(self._render, call.templates, call.language)
        return self._bodies[call.language]

    def _render(self, templates: Templates, language: str) -> dict[str, Markup]:
        return {
            endpoint.name: Markup(  # noqa: S704  # our own template escapes its values
                templates.render("api/endpoint.html", language, endpoint=endpoint)
            )
            for endpoint in self.read()[0]
        }


def describing(resources: Iterable[Routes]) -> tuple[Routes, Routes]:
    """Return the routes of the description of `resources`, which describes itself too, and of the page about it."""
    machine = Routes("/api/openapi.json", title="Description")
    people = Routes("/api", title="REST API", portal=True)
    reference = _Reference((*resources, machine))

    @machine.get(caller=PUBLIC, answers={200: dict[str, Any]})
    async def openapi(_: Call[Any]) -> Answer:
        """Return this description (OpenAPI 3.1), to generate clients from."""
        return Answer(await deferToThread(reference.json), answers.JSON)

    @people.get(caller=PUBLIC)
    async def show(call: Call[Any]) -> Answer:
        """Explain each endpoint to people, as far as it matches what is searched for."""
        wanted = (call.query("q") or "").strip()[:LONGEST_SEARCH]
        bodies = await reference.bodies(call)
        every, meanings = reference.read()
        found = matching(every, wanted)
        groups = [(title, list(group)) for title, group in groupby(found, key=lambda each: each.title)]
        return page(
            call,
            "api/page.html",
            groups=groups,
            bodies={each.name: bodies[each.name].replace(BASE, escape(call.peer.base_url)) for each in found},
            refusals=sorted(meanings.items()),
            wanted=wanted,
            found=len(found),
            is_open=0 < len(found) <= FEW,
            base_url=call.peer.base_url,
        )

    return machine, people
