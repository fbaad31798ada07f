"""One manifest of what several members of a job left, each on its own host."""

from collections.abc import Mapping
from dataclasses import replace

from fabriek.sealing.manifest import File, Manifest, make_manifest


def merged(parts: Mapping[int, Manifest]) -> tuple[Manifest, tuple[str, ...]]:
    """As if they had written into one folder: a path that several left with the same content is one file. Where contents differ, the lowest
    member's stays, and what others left there is at `member-N/PATH`. Also the paths where they differed. parts: by the member's number.
    """
    files: dict[str, File] = {}
    folders: set[str] = set()
    apart: list[tuple[int, File]] = []
    for member in sorted(parts):
        for file in parts[member].files:
            above = _above(file.path)
            if file.path in folders or any(one in files for one in above):
                apart.append((member, file))
            elif file.path not in files:
                files[file.path] = file
                folders.update(above)
            elif _content(files[file.path]) != _content(file):
                apart.append((member, file))
    taken = {path.partition("/")[0] for path in files}
    for member, file in apart:
        path = f"{_free(f'member-{member}', taken)}/{file.path}"
        files[path] = replace(file, path=path)
    return make_manifest(files.values()), tuple(sorted({file.path for _, file in apart}))


def _above(path: str) -> list[str]:
    """The folders that hold it."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names))]


def _content(file: File) -> tuple[int, str, str]:
    return file.size, file.sha256, file.link


def _free(name: str, taken: set[str]) -> str:
    """A folder that none of them left themselves."""
    while name in taken:
        name += "_"
    return name
