"""Markdown of others on our pages: text, tables and links, and nothing that runs, loads or looks like ours."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

CHARACTERS_MAX = 60_000
"""What is rendered: the worst that anybody can write takes two seconds at this length."""

BELOW = 2
"""By how much headings move down: the page has its own first and second."""


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  # the library's name for it
        """Whole addresses of the web alone: what is relative would lead into our own pages."""
        try:
            return urlsplit(url).scheme in {"http", "https", "mailto"}
        except ValueError:
            return False


class _Renderer(RendererHTML):
    def renderToken(  # noqa: N802  # the library's name for it
        self, tokens: Sequence[Token], idx: int, options: Any, env: Any
    ) -> str:
        token = tokens[idx]
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + BELOW)}"
        if token.type in {"th_open", "td_open"}:
            token.attrs = {}  # a style, which our pages refuse to hold
        shown = super().renderToken(tokens, idx, options, env)
        if token.type == "table_open":
            return f'<div class="scroll" tabindex="0" role="region" aria-label="Table">{shown}'
        return f"{shown}</div>" if token.type == "table_close" else shown

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("rel", "noopener noreferrer nofollow ugc")
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, _options: Any, _env: Any) -> str:
        """Its words: a picture would be fetched from wherever its author likes, by whoever reads."""
        return f"<em>{escapeHtml(tokens[idx].content or 'a picture')}</em>"


_parser = _Parser("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")


def rendered(text: str) -> Markup:
    """HTML of Markdown. Tags in the text are shown as they were written."""
    try:
        return Markup(_parser.render(text[:CHARACTERS_MAX]))  # noqa: S704  # with html off the library escapes all that it does not make itself
    except RecursionError:
        return Markup("<pre>{}</pre>").format(text[:CHARACTERS_MAX])
