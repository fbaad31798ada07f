"""The folders of a version: made from the paths of its files, since a manifest holds no folders."""

from collections.abc import Iterable, Iterator

from fabriek.sealing.manifest import File

LINKS_FOLLOWED_MAX = 40
"""As Linux has it: more are a circle."""

Folder = dict[str, "File | Folder"]
"""Name → file, link or folder."""


def tree_of(files: Iterable[File]) -> Folder:
    """The outermost folder."""
    top: Folder = {}
    folders: dict[str, Folder] = {"": top}
    for file in files:
        parent, _, name = file.path.rpartition("/")
        _folder(folders, parent)[name] = file
    return top


def find(top: Folder, path: str) -> "File | Folder | None":
    """What is at a path, every link on the way followed; None where there is nothing, or where links go round."""
    here, names, followed = [top], path.split("/")[::-1], 0
    file: File | None = None
    while names:
        name = names.pop()
        if name in {"", "."}:
            continue
        if name == ".." and file is None:
            here = here[:-1] or here
            continue
        entry = here[-1].get(name) if file is None else None
        if isinstance(entry, dict):
            here.append(entry)
        elif entry is None or followed == LINKS_FOLLOWED_MAX:
            return None
        elif entry.link:
            followed += 1
            names += entry.link.split("/")[::-1]
        else:
            file = entry
    return file or here[-1]


def entries(folder: Folder) -> Iterator[tuple[str, "File | Folder"]]:
    """In the order of their names."""
    for name in sorted(folder):
        yield name, folder[name]


def _folder(folders: dict[str, Folder], path: str) -> Folder:
    if path not in folders:
        parent, _, name = path.rpartition("/")
        folders[path] = {}
        _folder(folders, parent)[name] = folders[path]
    return folders[path]
