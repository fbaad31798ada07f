"""What a wheel says of itself in METADATA. Source: PyPA, core metadata 2.4."""

import email.parser
import email.policy
from dataclasses import dataclass
from email.message import Message

from fabriek.kernel.errors import InvalidInput

LICENCE_CHARACTERS_MAX = 200
_LICENCE_CLASSIFIER = "License :: "
_APPROVED_BY_NAME_OF_NONE = "OSI Approved"
"""A classifier that says that the licence is a good one, and not which."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """`requires`: its Requires-Dist as they stand. `licence`: one line, empty where it names none."""

    name: str
    version: str
    requires_python: str = ""
    requires: tuple[str, ...] = ()
    licence: str = ""
    summary: str = ""


def read_metadata(raw: bytes) -> Metadata:
    """Raises InvalidInput on what names no package."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("its METADATA is not text", fix="build the wheel anew") from None
    said = email.parser.Parser(policy=email.policy.compat32).parsestr(text, headersonly=True)
    name, version = _one(said, "Name"), _one(said, "Version")
    if not name or not version:
        raise InvalidInput("its METADATA names no package and version", fix="build the wheel anew")
    requires = tuple(" ".join(str(one).split()) for one in said.get_all("Requires-Dist", []))
    return Metadata(name, version, _one(said, "Requires-Python"), requires, _licence(said), _one(said, "Summary"))


def _licence(said: Message) -> str:
    """What the package says itself, best word first: its expression, its classifiers, the first line of its licence."""
    classified = [
        name
        for one in said.get_all("Classifier", [])
        if str(one).startswith(_LICENCE_CLASSIFIER)
        and (name := str(one).rpartition(" :: ")[2]) != _APPROVED_BY_NAME_OF_NONE
    ]
    named = _one(said, "License-Expression") or ", ".join(classified) or _one(said, "License")
    return named[:LICENCE_CHARACTERS_MAX]


def _one(said: Message, field: str) -> str:
    """The first line of a field, without what moves a reader's cursor."""
    lines = str(said.get(field, "")).strip().splitlines()
    return "".join(char for char in lines[0] if char.isprintable()).strip() if lines else ""
