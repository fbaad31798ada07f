"""Partitions: nodes that the operator keeps for jobs of some labels or purposes. A node in none of them takes every job."""

import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.kernel.purposes import Purpose

FIX = '[[partition]]\nname = "sealed"\nnodes = "0-3"\nlabels = ["personal"]\npurposes = ["civilian"]'
NOWHERE = (-1,)
"""Of nodes: a job that none takes."""

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Partition:
    """`nodes`: by number. `labels`, `purposes`: those that it takes; empty takes any. On a cluster of Slurm its name is that of Slurm's."""

    name: str
    nodes: frozenset[int]
    labels: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()

    def takes(self, label: str, purpose: str) -> bool:
        return (not self.labels or label in self.labels) and (not self.purposes or purpose in self.purposes)


def partitions_of(text: str, *, nodes: int, labels: Collection[str]) -> tuple[Partition, ...]:
    """The rows of a TOML text. nodes: how many the machine has; labels: those that are known. Raises InvalidInput."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as slip:
        raise InvalidInput(f"the partitions are not TOML: {slip}", fix=FIX) from None
    if set(rows) - {"partition"} or not isinstance(rows.get("partition", []), list):
        raise InvalidInput("the file of partitions has [[partition]] rows and nothing else", fix=FIX)
    found = tuple(_partition(row, nodes, labels) for row in rows.get("partition", []))
    if len({one.name for one in found}) < len(found):
        raise InvalidInput("two partitions have one name", fix="give each its own")
    if len(frozenset[int]().union(*(one.nodes for one in found))) < sum(len(one.nodes) for one in found):
        raise InvalidInput("a node is in two partitions", fix="let each node be in one at most")
    return found


def nodes_for(partitions: Sequence[Partition], nodes: int, label: str, purpose: str) -> tuple[int, ...]:
    """The nodes on which such a job may stand; empty where it may stand on each. Raises NotPermitted where there is none."""
    closed = frozenset[int]().union(*(one.nodes for one in partitions if not one.takes(label, purpose)))
    if not closed:
        return ()
    left = tuple(node for node in range(nodes) if node not in closed)
    if not left:
        raise NotPermitted(
            f"no part of this machine takes jobs at {label} for {purpose.replace('_', ' ')} work", rule="partition",
            fix="read data with another label, or ask the operator: partitions",
        )  # fmt: skip
    return left


def names_for(partitions: Sequence[Partition], label: str, purpose: str) -> str:
    """Of those that take such a job, with commas, as Slurm is asked; empty where there are no partitions."""
    return ",".join(one.name for one in partitions if one.takes(label, purpose))


def _partition(row: Any, nodes: int, labels: Collection[str]) -> Partition:
    if not isinstance(row, dict) or (unknown := sorted(set(row) - {"name", "nodes", "labels", "purposes"})):
        raise InvalidInput(
            f"a partition has no {unknown[0]!r}" if isinstance(row, dict) else "a partition is a table", fix=FIX
        )
    name = row.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidInput("a partition has a name of small letters and digits", fix=FIX)
    found = Partition(name, _nodes(row.get("nodes"), nodes, name), _words(row, "labels"), _words(row, "purposes"))
    for word, known in ((sorted(found.labels), labels), (sorted(found.purposes), tuple(Purpose))):
        if stray := [one for one in word if one not in known]:
            raise InvalidInput(f"partition {name}: {stray[0]!r} is not known here", fix=f"one of {', '.join(known)}")
    return found


def _words(row: dict[str, Any], of: str) -> frozenset[str]:
    words = row.get(of, [])
    if not isinstance(words, list) or not all(isinstance(one, str) for one in words):
        raise InvalidInput(f"the {of} of a partition are a list of names", fix=FIX)
    return frozenset(words)


def _nodes(said: Any, nodes: int, name: str) -> frozenset[int]:
    """`0-3,7`."""
    parts = said.split(",") if isinstance(said, str) else []
    found = [re.fullmatch(r"\s*([0-9]{1,6})(?:-([0-9]{1,6}))?\s*", part, re.ASCII) for part in parts]
    if not found or None in found:
        raise InvalidInput(f"partition {name} has no nodes such as 0-3,7", fix=FIX)
    spans: Iterable[range] = (range(int(one[1]), int(one[2] or one[1]) + 1) for one in found if one)
    numbers = frozenset(number for span in spans for number in span)
    if not numbers or max(numbers) >= nodes:
        raise InvalidInput(
            f"partition {name} names a node that is not there", fix=f"the machine's nodes are 0 to {nodes - 1}"
        )
    return numbers
