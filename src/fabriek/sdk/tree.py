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
    here, names, followed = [top], list(reversed(path.split("/"))), 0
    found: File | Folder = top
    while names:
        name = names.pop()
        if name in {"", "."}:
            continue
        if name == "..":
            here = here[:-1] or here
            found = here[-1]
            continue
        entry = here[-1].get(name) if isinstance(found, dict) else None
        if entry is None:
            return None
        if isinstance(entry, File) and entry.link:
            followed += 1
            if followed > LINKS_FOLLOWED_MAX:
                return None
            names += reversed(entry.link.split("/"))
            continue
        found = entry
        if isinstance(entry, dict):
            here.append(entry)
    return found


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
