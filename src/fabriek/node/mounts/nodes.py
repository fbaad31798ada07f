"""What a version holds, by the numbers under which the kernel asks for it."""

import errno
import stat
import threading

from fabriek.node.mounts.wire import ROOT, Attributes
from fabriek.sdk.tree import Folder, entries
from fabriek.sealing.manifest import File


class Nodes:
    """Numbers are given when something is first asked for, and never taken back: a version does not change. For many threads."""

    def __init__(self, top: Folder, seconds: int) -> None:
        """seconds: the time that everything shows."""
        self._seconds = seconds
        self._found: list[File | Folder] = [top, top]
        self._numbers = {id(top): ROOT}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def below(self, node: int, name: str) -> Attributes:
        """Raises OSError ENOENT."""
        found = self.folder(node).get(name)
        if found is None:
            raise OSError(errno.ENOENT, "no such name")
        return self.attributes(self._number(found))

    def attributes(self, node: int) -> Attributes:
        found = self._at(node)
        if isinstance(found, dict):
            return Attributes(node, 0, stat.S_IFDIR | 0o755, self._seconds)
        if found.link:
            return Attributes(node, len(found.link.encode()), stat.S_IFLNK | 0o777, self._seconds)
        return Attributes(node, found.size, stat.S_IFREG | found.mode & 0o777 | 0o444, self._seconds)

    def listing(self, node: int) -> list[tuple[str, int, int]]:
        """(name, node, mode) of what is in a folder."""
        inside = [(name, self._number(found)) for name, found in entries(self.folder(node))]
        dots = [(".", node, stat.S_IFDIR), ("..", node, stat.S_IFDIR)]
        return dots + [(name, number, self.attributes(number).mode) for name, number in inside]

    def folder(self, node: int) -> Folder:
        found = self._at(node)
        if isinstance(found, File):
            raise OSError(errno.ENOTDIR, "not a folder")
        return found

    def file(self, node: int) -> File:
        found = self._at(node)
        if isinstance(found, dict):
            raise OSError(errno.EISDIR, "a folder")
        return found

    def _at(self, node: int) -> File | Folder:
        if not ROOT <= node < len(self._found):
            raise OSError(errno.ESTALE, "no such node")
        return self._found[node]

    def _number(self, found: File | Folder) -> int:
        with self._lock:
            number = self._numbers.setdefault(id(found), len(self._found))
            if number == len(self._found):
                self._found.append(found)
        return number
