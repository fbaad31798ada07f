"""What a version holds, by the numbers under which the kernel asks for it."""

import errno
import stat
import threading

from fabriek.node.mounts.wire import ROOT, Attributes
from fabriek.sdk.tree import TOP, Entry, Folder, Tree
from fabriek.sealing.manifest import File


class Nodes:
    """Numbers are given when something is first asked for, and never taken back: a version does not change. For many threads.

    So memory grows with the names that were looked at, by some 500 bytes each, and not with those that are there.
    """

    def __init__(self, tree: Tree, seconds: int) -> None:
        """seconds: the time that everything shows."""
        self._tree, self._seconds = tree, seconds
        self._found: list[Entry] = [TOP, TOP]
        self._numbers = {TOP.path: ROOT}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def below(self, node: int, name: str) -> Attributes:
        """Raises OSError ENOENT."""
        above = self.folder(node).path
        found = self._tree.at(f"{above}/{name}" if above else name)
        if found is None:
            raise OSError(errno.ENOENT, "no such name")
        return self.attributes(self._number(found))

    def attributes(self, node: int) -> Attributes:
        found = self._at(node)
        if isinstance(found, Folder):
            return Attributes(node, 0, stat.S_IFDIR | 0o755, self._seconds)
        if found.link:
            return Attributes(node, len(found.link.encode()), stat.S_IFLNK | 0o777, self._seconds)
        return Attributes(node, found.size, stat.S_IFREG | found.mode & 0o777 | 0o444, self._seconds)

    def listing(self, node: int) -> list[tuple[str, int, int]]:
        """(name, node, mode) of what is in a folder."""
        inside = [(name, self._number(found)) for name, found in self._tree.entries(self.folder(node))]
        dots = [(".", node, stat.S_IFDIR), ("..", node, stat.S_IFDIR)]
        return dots + [(name, number, self.attributes(number).mode) for name, number in inside]

    def folder(self, node: int) -> Folder:
        found = self._at(node)
        if isinstance(found, File):
            raise OSError(errno.ENOTDIR, "not a folder")
        return found

    def file(self, node: int) -> File:
        found = self._at(node)
        if isinstance(found, Folder):
            raise OSError(errno.EISDIR, "a folder")
        return found

    def path(self, node: int) -> str:
        """Of a file, link or folder; empty for the outermost."""
        return self._at(node).path

    def _at(self, node: int) -> Entry:
        if not ROOT <= node < len(self._found):
            raise OSError(errno.ESTALE, "no such node")
        return self._found[node]

    def _number(self, found: Entry) -> int:
        with self._lock:
            number = self._numbers.setdefault(found.path, len(self._found))
            if number == len(self._found):
                self._found.append(found)
        return number
