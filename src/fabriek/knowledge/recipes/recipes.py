"""A recipe: a script with its card, its parameters, what it takes, and the metric by which one sees that it worked."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from fabriek.compute.executors.requirements import check_requirements
from fabriek.compute.gpus import Gpus, gpus_of
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.knowledge.catalogue.cards import read_card
from fabriek.knowledge.catalogue.entries import Face
from fabriek.knowledge.recipes.parameters import Parameter, ParameterKind, parameter_of
from fabriek.schemas.sessions import KINDS, PORT

RECIPE_FILE = "recipe.toml"
CARDS = {"en": "card.md", "nl": "kaart.md"}
APART = frozenset({RECIPE_FILE, *CARDS.values()})
"""Files of a recipe that tell of it, and are not sent along with its jobs."""

MARK = "RECIPE"
"""The variable by which a job says which recipe it is."""

_FIELDS = frozenset(
    {"command", "session", "packages", "minutes", "time", "cpus", "memory", "gpus", "expects", "parameter"}
)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Expected:
    """The metric that says whether it worked: at least so much where more is better, at most where less is."""

    metric: str
    bound: float
    more_is_better: bool

    @property
    def words(self) -> str:
        return f"{self.metric} {'≥' if self.more_is_better else '≤'} {self.bound:g}"

    def is_reached(self, value: float) -> bool:
        return value >= self.bound if self.more_is_better else value <= self.bound

    def better(self, one: float, other: float) -> float:
        return max(one, other) if self.more_is_better else min(one, other)


@dataclass(frozen=True, slots=True)
class Takes:
    """What one job of it takes on its node. `minutes`: how long it usually runs here; `seconds_max`: when it is stopped.
    `cpus_by`: the parameter that says how many CPUs, where one does.
    """

    minutes: float
    seconds_max: int
    memory_bytes: int
    gpus: Gpus
    cpus: int = 1
    cpus_by: str = ""

    def cpus_for(self, values: Mapping[str, str]) -> int:
        return int(values[self.cpus_by]) if self.cpus_by else self.cpus


@dataclass(frozen=True, slots=True)
class Recipe:
    """`command` gets `--name=value` for each parameter behind it. `session`: a kind of session that it starts, or nothing.
    `files`: what is sent along, path → content. `faces`: language → its card.
    """

    name: str
    command: tuple[str, ...]
    packages: tuple[str, ...]
    takes: Takes
    expected: Expected
    parameters: tuple[Parameter, ...]
    faces: Mapping[str, Face]
    files: Mapping[str, bytes]
    session: str = ""

    @property
    def port(self) -> int:
        return PORT if self.session else 0

    @property
    def face(self) -> Face:
        """As the catalogue shows it: one entry, found by the words of both languages."""
        english, dutch = self.faces["en"], self.faces["nl"]
        keywords = tuple(dict.fromkeys((*english.keywords, *dutch.keywords)))
        text = f"{english.text}\n\n## In het Nederlands\n\n**{dutch.title}.** {dutch.summary}\n\n{dutch.text}"
        return Face(english.title, english.summary, english.licence, keywords=keywords, language="en", text=text)

    def lacking(self, installed: Mapping[str, str]) -> tuple[str, ...]:
        """Of its packages those that are not among these, or in another version. installed: normalised name → version."""
        return tuple(one for one in self.packages if not _is_met(one, installed))


def recipe_of(name: str, files: Mapping[str, bytes]) -> Recipe:
    """From the files of its folder. Raises InvalidInput, naming the recipe and what is wrong."""
    try:
        return _recipe(name, files)
    except InvalidInput as slip:
        raise InvalidInput(f"the recipe {name}: {slip.detail}", fix=slip.fix or f"mend {name}/{RECIPE_FILE}") from None
    except KeyError as missing:
        raise InvalidInput(f"the recipe {name} lacks {missing}", fix=f"add it to {name}/") from None
    except (TypeError, ValueError) as slip:
        raise InvalidInput(f"the recipe {name} cannot be read: {slip}", fix=f"mend {name}/{RECIPE_FILE}") from None


def _recipe(name: str, files: Mapping[str, bytes]) -> Recipe:
    if not _NAME.fullmatch(name):
        raise ValueError("its name has lower-case letters, digits and hyphens, a letter first")
    said = tomllib.loads(files[RECIPE_FILE].decode())
    if unknown := sorted(set(said) - _FIELDS):
        raise ValueError(f"it has no field {unknown[0]!r}")
    parameters = tuple(parameter_of(row) for row in said.get("parameter", ()))
    names = [one.name for one in parameters]
    if len(set(names)) < len(names):
        raise ValueError("two of its parameters have the same name")
    for kind in (ParameterKind.DATA, ParameterKind.MODEL):
        if sum(one.kind is kind for one in parameters) > 1:
            raise ValueError(f"it has two parameters of the kind {kind}, and one place for them")
    session = str(said.get("session", ""))
    if session and session not in KINDS:
        raise ValueError(f"{session!r} is no kind of session: {', '.join(KINDS)}")
    command = tuple(map(str, said["command"])) + (KINDS[session].command if session else ())
    faces = {lang: read_card(files[file].decode()) for lang, file in CARDS.items()}
    if wrong := next((lang for lang, face in faces.items() if face.language != lang or not face.summary), ""):
        raise ValueError(f"the head of {CARDS[wrong]} says title, summary and language: {wrong}")
    sent = {path: content for path, content in files.items() if path not in APART}
    return Recipe(
        name, command, _packages(said["packages"]), _takes(said, parameters), _expected(said["expects"]), parameters, faces, sent, session
    )  # fmt: skip


def _packages(said: Any) -> tuple[str, ...]:
    if not isinstance(said, list):
        raise TypeError("packages is a list")
    listed = tuple(map(str, said))
    check_requirements("\n".join(listed).encode())
    for one in listed:
        try:
            Requirement(one)
        except InvalidRequirement as slip:
            raise ValueError(f"{one!r} names no package: {slip}") from None
    return listed


def _takes(said: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> Takes:
    minutes, cpus = said["minutes"], said.get("cpus", 1)
    seconds_max = parse_seconds(str(said["time"]))
    if type(minutes) not in {int, float} or not 0 < minutes * 60 <= seconds_max:
        raise ValueError("minutes is how long it usually runs, and time is no less")
    cpus_by = cpus if isinstance(cpus, str) else ""
    counts = [
        one for one in parameters if one.name == cpus_by and one.kind is ParameterKind.INTEGER and (one.least or 0) >= 1
    ]
    if (cpus_by and not counts) or (not cpus_by and (type(cpus) is not int or cpus < 1)):
        raise ValueError("cpus is a whole number from 1 on, or the name of an integer parameter that is at least 1")
    memory, gpus = parse_bytes(str(said["memory"])), gpus_of(said.get("gpus", "0"))
    return Takes(float(minutes), seconds_max, memory, gpus, 1 if cpus_by else cpus, cpus_by)


def _expected(said: Mapping[str, Any]) -> Expected:
    if set(said) not in ({"metric", "at_least"}, {"metric", "at_most"}):
        raise ValueError("expects names a metric, and at_least or at_most")
    more, bound = "at_least" in said, said.get("at_least", said.get("at_most"))
    if type(bound) not in {int, float} or not math.isfinite(bound) or not str(said["metric"]):
        raise ValueError("what is expected is a number")
    return Expected(str(said["metric"]), float(bound), more)


def _is_met(wanted: str, installed: Mapping[str, str]) -> bool:
    need = Requirement(wanted)
    there = installed.get(need.name.lower().replace("_", "-").replace(".", "-"), "")
    try:
        return bool(there) and need.specifier.contains(there, prereleases=True)
    except InvalidVersion:
        return False
