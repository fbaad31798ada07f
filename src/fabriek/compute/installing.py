"""Where a job's packages come from approved ones alone: what is missing is said before anything is held or built."""

import re
from dataclasses import dataclass

from fabriek.compute.executors.requirements import check_requirements
from fabriek.kernel.errors import NotPermitted
from fabriek.packages.names import Pinned, normalised
from fabriek.packages.shelf import Shelf

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(\[[^]]*\])?\s*(?P<pin>={2,3}\s*(?P<version>[A-Za-z0-9.!+_-]+)$)?")
SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Installing:
    """Asks the shelf."""

    shelf: Shelf

    def check(self, requirements: str, project: str) -> None:
        """Raises NotPermitted (`package.approved`), naming each package that is not there and how to ask for it; InvalidInput on what is
        no list. What those packages need in turn, and lines with a condition, are found when the environment is built.
        """
        missing = [line for line in check_requirements(requirements.encode()) if not self._is_there(line, project)]
        if not missing:
            return
        named = ", ".join(_name(line) for line in missing[:SHOWN_MAX])
        commands = "; ".join(ask_for(line) for line in missing[:SHOWN_MAX])
        raise NotPermitted(
            f"{named} {'is' if len(missing) == 1 else 'are'} not approved for this project",
            rule="package.approved",
            fix=commands,
            missing=missing,
        )

    def _is_there(self, line: str, project: str) -> bool:
        bare = line.partition(" --hash")[0].strip()
        found = _PINNED.match(bare)
        assert found is not None, "a line that was checked begins with a name"
        if ";" in bare:
            return True
        name = normalised(found["name"])
        if found["version"]:
            return self.shelf.is_installable(Pinned(name, found["version"]), project=project)
        return self.shelf.has_any(name, project=project)


def ask_for(requirement: str) -> str:
    """The command that asks for what a line of requirements names: `NAME==1.0`, or `NAME` in a version of one's choice."""
    found = _PINNED.match(requirement.partition(" --hash")[0].strip())
    name, version = (found["name"], found["version"]) if found else (requirement, "")
    return f"fabriek package request {name}=={version or 'VERSION'}"


def _name(line: str) -> str:
    return line.partition(" --hash")[0].strip()
