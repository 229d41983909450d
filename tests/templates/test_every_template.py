"""What holds for each file that browsers are sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.markup import environment

from flexid.base.shipped import STATIC, TEMPLATES

FORBIDDEN = {
    "an inline style": re.compile(r"<[^>]*\sstyle\s*=|<style", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE),
    "something of another host": re.compile(
        r"""(?:src|srcset|<link[^>]*href)\s*=\s*["']?(?:https?:)?//""", re.IGNORECASE
    ),
    "a policy of its own": re.compile(r"http-equiv\W+content-security", re.IGNORECASE),
}
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if path.relative_to(TEMPLATES).parts[0] != "mail")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_parses_and_holds_nothing_that_the_policy_forbids(path: Path) -> None:
    source = path.read_text()
    environment().parse(source)
    for what, pattern in FORBIDDEN.items():
        assert not pattern.search(source), what


def test_the_stylesheet_asks_for_nothing_more() -> None:
    css = (STATIC / "flexid.css").read_text()
    assert not re.search(r"url\(|@import|https?:", css)
    assert css.count("{") == css.count("}")


def test_the_script_makes_no_code_of_text() -> None:
    script = (STATIC / "flexid.js").read_text()
    assert not re.search(
        r"\beval\b|innerHTML|outerHTML|insertAdjacentHTML|document\.write|new Function|https?:",
        script.replace('"https:"', ""),
    )


@pytest.mark.parametrize("name", ["icons.svg", "favicon.svg"])
def test_a_picture_brings_nothing_with_it(name: str) -> None:
    picture = (STATIC / name).read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"script|https?:|\son[a-z]+=|style", picture)


def test_classes_that_templates_name_are_styled_or_found_by_the_script() -> None:
    styled = set(re.findall(r"\.([a-z][\w-]*)", (STATIC / "flexid.css").read_text()))
    plain = {"savebar", "h-captcha"}  # the latter is found by hCaptcha's own script
    for path in PAGES:
        for classes in re.findall(r'class="([^"{]*)"', path.read_text()):
            assert set(classes.split()) <= styled | plain, path


def test_icons_that_templates_name_are_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    for path in PAGES:
        named = re.findall(r"""(?:\b(?:icon|drawn)\(|\bicon=)["']([\w-]+)["']""", path.read_text())
        assert set(named) <= drawn, path
