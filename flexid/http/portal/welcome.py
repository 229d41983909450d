"""What a Space says to whoever comes, written in Markdown."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from flexid.domain.space import Space

# Without HTML of the writer's: an administrator of a Space is no author of ours. Pictures would come from other hosts.
_MARKDOWN = MarkdownIt("js-default", {"html": False, "linkify": False}).disable("image")


def welcome(space: Space) -> Markup | None:
    """Return the text as HTML, None where a Space has none."""
    return _rendered(space.intro_registration_text) if space.intro_registration_text else None


@lru_cache(maxsize=1000)
def _rendered(text: str) -> Markup:
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        # The page has its own first heading.
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704  # Markdown escapes the rest
