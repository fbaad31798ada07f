"""What people wrote in Markdown, as HTML of ours: no tag of theirs, no picture from elsewhere, no link that runs anything."""

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

CHARACTERS_MAX = 100_000
NESTING_MAX = 20
FIRST_HEADING = 3
"""A heading in a text stands below those of the page that shows it."""

# What `validateLink` lets through leads to http, https, mail or our own pages; pictures would tell their host who reads this.
_reader = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_MAX}).enable("table").disable("image")


def prose(text: str) -> Markup:
    """Safe to show as it is."""
    tokens = _reader.parse(text[:CHARACTERS_MAX])
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + FIRST_HEADING - 1, 6)}"
        for inner in token.children or ():
            _mark(inner)
    return Markup(_reader.renderer.render(tokens, _reader.options, {}))  # noqa: S704  # it escapes all that is not its own


def _mark(token: Token) -> None:
    if token.type == "link_open":
        token.attrSet("rel", "nofollow noopener noreferrer")
