"""What one may set of a recipe: kinds, bounds and defaults. Whatever is said is checked before anything is held for it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import read_words

VALUES_MAX = 100
TEXT_CHARACTERS_MAX = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LINE = re.compile(r"[^\x00-\x1f\x7f]*")


class ParameterKind(StrEnum):
    """`data` is a dataset version of the vault, `model` a registered model or a version that holds one: jobs find them as folders."""

    INTEGER = "integer"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"
    DATA = "data"
    MODEL = "model"


MOUNTS = {ParameterKind.DATA: "/data", ParameterKind.MODEL: "/model"}
"""Where a job finds what such a parameter names; so a recipe has at most one of each."""

_FIELDS = frozenset({"name", "kind", "default", "least", "most", "choices", "says", "each", "required"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """`default` as it would be typed. `each`: it takes several values between commas, and there is one job for each."""

    name: str
    kind: ParameterKind
    default: str
    says: Mapping[str, str]
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    each: bool = False
    required: bool = False

    @property
    def bounds(self) -> str:
        """In words that need no language: `1 … 500`, `a | b`; empty where anything goes."""
        if self.choices:
            return " | ".join(self.choices)
        if self.least is None and self.most is None:
            return ""
        return f"{_shown(self.least)} … {_shown(self.most)}"

    def read(self, said: str) -> tuple[str, ...]:
        """The values as the script gets them: one, or several where there is a job for each. Raises InvalidInput, naming the parameter."""
        parts = [one.strip() for one in said.split(",")] if self.each else [said.strip()]
        if len(parts) > VALUES_MAX:
            raise self._wrong(f"takes at most {VALUES_MAX} values, and these are {len(parts)}")
        read = tuple(self._value(one) for one in parts)
        if len(set(read)) < len(read):
            raise self._wrong("says a value twice, which would be the same job twice")
        return read

    def _value(self, said: str) -> str:
        if self.required and not said:
            raise self._wrong("must be said, and is empty")
        match self.kind:
            case ParameterKind.INTEGER:
                if not re.fullmatch(r"-?\d{1,12}", said, re.ASCII):
                    raise self._wrong(f"is a whole number, and {said[:40]!r} is none")
                return str(int(self._within(int(said))))
            case ParameterKind.NUMBER:
                return repr(self._within(self._number(said)))
            case ParameterKind.CHOICE:
                if said not in self.choices:
                    raise self._wrong(f"cannot be {said[:40]!r}")
                return said
            case _:
                if len(said) > TEXT_CHARACTERS_MAX or not _LINE.fullmatch(said):
                    raise self._wrong(f"is one line of at most {TEXT_CHARACTERS_MAX} characters")
                return said

    def _number(self, said: str) -> float:
        try:
            value = float(said) if len(said) <= 40 and "_" not in said else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(f"is a number, and {said[:40]!r} is none")
        return value

    def _within(self, value: float) -> float:
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            raise self._wrong(f"cannot be {_shown(value)}")
        return value

    def _wrong(self, why: str) -> InvalidInput:
        example = self.default or (self.choices[0] if self.choices else "…")
        allowed = f" ({self.bounds})" if self.bounds else ""
        return InvalidInput(f"the parameter {self.name} {why}", fix=f"--set {self.name}={example}{allowed}")


@dataclass(frozen=True, slots=True)
class Said:
    """Every parameter with its value. `fixed` are alike for all jobs; `swept` have one job for each value, and for each combination of several;
    `mounted` maps a mount point to what was named for it.
    """

    fixed: Mapping[str, str] = field(default_factory=dict)
    swept: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mounted: Mapping[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        return math.prod(len(values) for values in self.swept.values())


def read_values(parameters: Sequence[Parameter], said: Mapping[str, str]) -> Said:
    """Raises InvalidInput on a name that is none and on what a parameter cannot be."""
    known = [one.name for one in parameters]
    if unknown := sorted(set(said) - set(known)):
        there = ", ".join(known) or "it has none"
        raise InvalidInput(f"this recipe has no parameter {unknown[0][:40]!r}", fix=f"its parameters: {there}")
    fixed, swept, mounted = dict[str, str](), dict[str, Sequence[str]](), dict[str, str]()
    for one in parameters:
        values = one.read(said.get(one.name, one.default))
        if one.kind in MOUNTS:
            mount = MOUNTS[one.kind]
            fixed[one.name] = mount if values[0] else ""
            mounted |= {mount: values[0]} if values[0] else {}
        elif one.each:
            swept[one.name] = values
        else:
            fixed[one.name] = values[0]
    return Said(fixed, swept, mounted)


def parameter_of(row: Mapping[str, Any]) -> Parameter:
    """A `[[parameter]]` of a recipe's file. Raises ValueError, KeyError or InvalidInput on what cannot be one."""
    if unknown := sorted(set(row) - _FIELDS):
        raise ValueError(f"a parameter has no field {unknown[0]!r}")
    name, kind, default = str(row["name"]), ParameterKind(row["kind"]), row.get("default", "")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: lower-case letters, digits and _, a letter first")
    each, required = row.get("each", False), row.get("required", False)
    if type(each) is not bool or type(required) is not bool:
        raise ValueError(f"each and required of {name} are true or false")
    if kind in MOUNTS and each:
        raise ValueError(f"{name} cannot have a job for each")
    made = Parameter(
        name, kind, ",".join(map(str, default)) if isinstance(default, list) else str(default), read_words(row["says"]),
        _bound(row, "least"), _bound(row, "most"), tuple(map(str, row.get("choices", ()))), each, required,
    )  # fmt: skip
    if (kind is ParameterKind.CHOICE) != bool(made.choices):
        raise ValueError(f"choices stand at a choice, and nowhere else: {name}")
    if not required:
        made.read(made.default)
    return made


def _bound(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if type(value) not in {int, float} or row["kind"] not in {"integer", "number"}:
        raise ValueError(f"{name} is a number, and stands at an integer or a number")
    return float(value)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.9f}".rstrip("0").rstrip(".")
