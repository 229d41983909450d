"""What holds for every page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # without types
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}
# Each control in turn, as somebody meets them who tabs through the page: a ring shows where one is, around the control
# or around what it stands in.
CONTROLS_WITHOUT_RING = """
() => {
  const ringed = (e) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((e) => e.type !== "hidden" && !e.disabled && e.checkVisibility({ visibilityProperty: true }));
  const bare = [];
  for (const control of controls) {
    control.focus({ preventScroll: true });
    if (document.activeElement !== control) bare.push("cannot be focused: " + control.outerHTML.slice(0, 160));
    else if (![control, control.parentElement, control.parentElement.parentElement].some(ringed))
      bare.push("shows no focus: " + control.outerHTML.slice(0, 160));
  }
  return bare;
}
"""


def accessible(page: Page) -> None:
    """Let axe-core look at the page. It comes in by the driver's own door, which the page's policy does not guard."""
    found = Axe().run(page)
    grave = [violation for violation in found.response["violations"] if violation["impact"] in GRAVE]
    found.response["violations"] = grave
    assert not grave, found.generate_report()


def has_one_heading(page: Page) -> None:
    """A page says once what it is."""
    headings = page.locator("h1").all_inner_texts()
    assert len(headings) == 1, headings
    assert headings[0].strip()


def fits(page: Page, width: int) -> None:
    """Nobody has to scroll sideways."""
    needed = page.evaluate("document.documentElement.scrollWidth")
    assert needed <= width, f"{page.url} is {needed} px wide"


def works_by_keyboard(page: Page) -> None:
    """The first Tab reaches the skip link, and wherever somebody is, that can be seen."""
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.className")
    assert first == "skip", f"the first Tab reaches {first}"
    bare = page.evaluate(CONTROLS_WITHOUT_RING)
    assert not bare, "\n".join(bare)
