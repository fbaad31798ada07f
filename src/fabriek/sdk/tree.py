"""The folders of a version: seen in the paths of its files, since a manifest holds no folders."""

from collections.abc import Iterator
from dataclasses import dataclass

from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File
from fabriek.sealing.paths import rank

LINKS_FOLLOWED_MAX = 40
"""As Linux has it: more are a circle."""

_BEHIND = "\x01"
"""Ranks of what lies in a folder are below its own rank with this, and those of what comes behind it are not."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Its path; empty for the outermost."""

    path: str


Entry = File | Folder

TOP = Folder("")


class Tree:
    """Looks up what is asked for, and holds nothing. For many threads."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def at(self, path: str) -> Entry | None:
        """What stands at a plain path; no link is followed."""
        if not path:
            return TOP
        below = next(self._book.files(rank(path)), None)
        if below is None:
            return None
        if below.path == path:
            return below
        return Folder(path) if below.path.startswith(f"{path}/") else None

    def find(self, path: str) -> Entry | None:
        """What is at a path, every link on the way followed; None where there is nothing, or where links go round."""
        here, names, followed = list[str](), path.split("/")[::-1], 0
        file: File | None = None
        while names:
            name = names.pop()
            if name in {"", "."}:
                continue
            if name == ".." and file is None:
                here = here[:-1]
                continue
            entry = self.at("/".join([*here, name])) if file is None else None
            if isinstance(entry, Folder):
                here.append(name)
            elif entry is None or followed == LINKS_FOLLOWED_MAX:
                return None
            elif entry.link:
                followed += 1
                names += entry.link.split("/")[::-1]
            else:
                file = entry
        return file or Folder("/".join(here))

    def entries(self, folder: Folder) -> Iterator[tuple[str, Entry]]:
        """In the order of their names. What lies deeper is passed over, page by page where it fills pages."""
        above = f"{folder.path}/" if folder.path else ""
        start: str | None = rank(above)
        while start is not None:
            following: str | None = None
            for file in self._book.files(start):
                if not file.path.startswith(above):
                    return
                name, slash, _ = file.path[len(above) :].partition("/")
                if slash:
                    yield name, Folder(above + name)
                    following = rank(above + name) + _BEHIND
                    break
                yield name, file
            start = following
