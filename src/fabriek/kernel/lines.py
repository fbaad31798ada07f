"""Texts that others wrote, as a line of ours: without markup, line breaks and what cannot be seen, and not longer than it may be."""

from html.parser import HTMLParser

SILENT = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math"})
BLOCKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})


def one_line(text: str, characters_max: int) -> str:
    """Cut at a word where it is too long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= characters_max else line[: characters_max - 1].rsplit(" ", 1)[0] + "…"


def without_markup(text: str) -> str:
    """What a browser would show of HTML, and any other text as it is. Nothing of it is markup of ours: whoever shows it escapes it."""
    if "<" not in text:
        return text
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "".join(reader.kept)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept, self._silent = list[str](), 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the library's signature
        self._silent += tag in SILENT
        if tag in BLOCKS:
            self.kept.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.kept.append(data)
