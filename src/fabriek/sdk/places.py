"""Where a dataset is on the server, from how people name it: `name`, `name@3`, `name@tag`, `project/name@3`, or an id."""

import re
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.client import Client

_PATTERN = re.compile(
    r"(?:(?P<home>[a-z0-9][a-z0-9-]{0,62})/)?(?P<name>[a-z0-9][a-z0-9-]{0,62})(?:@(?P<version>[1-9][0-9]{0,8}|[a-z][a-z0-9.-]{0,62}))?"
)
_ID = re.compile(r"(?:ds|ver)_[0-9a-z]{1,26}")


@dataclass(frozen=True, slots=True)
class Place:
    """`path` is the dataset's on the server; `version` a number, a tag, `newest` or an id."""

    path: str
    version: str = "newest"

    @property
    def version_path(self) -> str:
        return f"{self.path}/versions/{self.version}"


def place_of(client: Client, reference: str, project: str = "") -> Place:
    """`project` is the one acted in: named here or in the context. With neither, only what names its own home can be found.

    Raises InvalidInput on what names no data.
    """
    acting = project or client.project
    if _ID.fullmatch(reference):
        dataset, version = reference, reference if reference.startswith("ver_") else "newest"
    else:
        found = _PATTERN.fullmatch(reference)
        if found is None:
            raise InvalidInput(
                f"{reference!r} does not name data", fix="write NAME, NAME@3, NAME@TAG or PROJECT/NAME@3"
            )
        if not found["home"]:
            acting = client.the_project(project)
        dataset = f"{found['home']}:{found['name']}" if found["home"] else found["name"]
        version = found["version"] or "newest"
    base = f"/api/v1/projects/{acting}" if acting else "/api/v1"
    return Place(f"{base}/datasets/{dataset}", version)
