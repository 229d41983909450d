"""Writes THIRD-PARTY.md to standard output: whose software flexid brings with it, and its licences."""

from __future__ import annotations

import sys

from flexid.http.portal.components import Component, installed_components

HEADER = """# Components of others

What flexid needs, with the licences that their makers name; the portal shows the same list at
`/third-party-components`. The texts of the licences are in each component's `*.dist-info`.

| component | version | licence |
| --- | --- | --- |
"""


def row(component: Component) -> str:
    """Return a line of the table."""
    name = f"[{component.name}]({component.url})" if component.url else component.name
    return f"| {name} | {component.version} | {component.licence} |\n"


sys.stdout.write(HEADER + "".join(map(row, installed_components())))
