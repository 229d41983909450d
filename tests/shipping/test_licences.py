"""Whose software we pass on, and whether ours may be passed on with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flexid.http.portal.components import Component, installed_components

ROOT = Path(__file__).parents[2]
COMPATIBLE = re.compile(
    r"MIT(-0| License)?|ISC|BSD License|BSD-[23]-Clause|Apache Software License|Apache-2\.0|PSF-2\.0"
    r"|Python Software Foundation License|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0|ZPL-2\.1|Unlicense"
    r"|PostgreSQL|Zlib|GNU Library or Lesser General Public License \(LGPL|LGPL-(2\.1|3\.0)-or-later"
    r"|A?GPL-3\.0-or-later"
)
"""What code under AGPL-3.0-or-later may be combined with, as the FSF judges; by SPDX's names and by those of PyPI."""
NOT_WHAT_IT_SAYS = {"qrcode": "Other/Proprietary License"}
"""What its makers chose for want of a better word: for qrcode it is the MIT licence of the code it began with."""


def names(component: Component) -> list[str]:
    """Return the licences of a component, one by one."""
    return [name.removeprefix("(").removesuffix(")") for name in re.split(r" OR | AND |, ", component.licence)]


@pytest.mark.parametrize("component", installed_components(), ids=lambda component: component.name)
def test_every_component_may_be_combined_with_ours(component: Component) -> None:
    excused = NOT_WHAT_IT_SAYS.get(component.name)
    for name in names(component):
        assert COMPATIBLE.fullmatch(name) or name == excused, component.licence


def test_no_component_is_there_twice_or_without_a_licence() -> None:
    components = installed_components()
    assert len({component.name for component in components}) == len(components)
    assert all(component.licence for component in components)


def test_the_list_of_components_is_written() -> None:
    listed = subprocess.run(
        [sys.executable, ROOT / "deploy" / "third_party.py"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for component in installed_components():
        assert f"{component.name}](" in listed.stdout or f"| {component.name} |" in listed.stdout
