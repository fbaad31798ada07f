"""A tariff: what an hour of what a job takes costs. Terms that are added up or of which the dearest counts; whole nodes, and slices of them.

Nothing is rounded here: amounts are fractions until a bill is written, and that is rounded up once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from fabriek.kernel.units import micro, shown

GIB = 2**30
TIB = 2**40
MILLI = 1_000


class Per(StrEnum):
    """What a job is charged by."""

    CPU = "cpu"
    GPU = "gpu"
    GIB_MEMORY = "gib_memory"
    GIB_LOCAL = "gib_local"


Amounts = Mapping[str, Fraction]
"""What is taken, by the words of `Per`; of what is no job's, by the word of its row: `tib`, `expert`."""

_PLAIN = {
    Per.CPU: "CPU",
    Per.GPU: "GPU",
    Per.GIB_MEMORY: "GiB of memory",
    Per.GIB_LOCAL: "GiB of local disk",
    "tib": "TiB",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a job takes on each of its nodes. GPUs in thousandths of a device; `local_bytes`: of a node's own disk."""

    cpus: int = 0
    gpus_milli: int = 0
    memory_bytes: int = 0
    local_bytes: int = 0
    nodes: int = 1

    def of_a_node(self) -> Amounts:
        return {
            Per.CPU: Fraction(self.cpus),
            Per.GPU: Fraction(self.gpus_milli, MILLI),
            Per.GIB_MEMORY: Fraction(self.memory_bytes, GIB),
            Per.GIB_LOCAL: Fraction(self.local_bytes, GIB),
        }


@dataclass(frozen=True, slots=True)
class Each:
    """What one of something costs for an hour, in micro-units."""

    per: str
    amount_micro: int

    def hourly(self, amounts: Amounts) -> Fraction:
        return self.amount_micro * amounts.get(self.per, Fraction(0))

    def __str__(self) -> str:
        return f"{shown(self.amount_micro)} per {_PLAIN.get(self.per, self.per)}"


@dataclass(frozen=True, slots=True)
class Sum:
    """All of its terms together."""

    terms: "tuple[Term, ...]"

    def hourly(self, amounts: Amounts) -> Fraction:
        return sum((one.hourly(amounts) for one in self.terms), Fraction(0))

    def __str__(self) -> str:
        return " + ".join(str(one) for one in self.terms)


@dataclass(frozen=True, slots=True)
class Dearest:
    """That of its terms which comes to most."""

    terms: "tuple[Term, ...]"

    def hourly(self, amounts: Amounts) -> Fraction:
        return max(one.hourly(amounts) for one in self.terms)

    def __str__(self) -> str:
        return f"max({', '.join(str(one) for one in self.terms)})"


Term = Each | Sum | Dearest


@dataclass(frozen=True, slots=True)
class Node:
    """What a whole node holds, and the smallest part of one that is billed: 1 where nodes are had whole."""

    holds: Amounts
    smallest: Fraction

    def billed(self, amounts: Amounts) -> Amounts:
        """What is billed of a node for so much. Of everything that it holds the same part, in whole slices: that which is taken of what
        is taken most of, since nobody else can use the rest.
        """
        part = max(amounts.get(per, Fraction(0)) / whole for per, whole in self.holds.items())
        slices = -(-part // self.smallest)
        return {**amounts, **{per: slices * self.smallest * whole for per, whole in self.holds.items()}}

    def __str__(self) -> str:
        whole = ", ".join(f"{amount} {_PLAIN[Per(per)].replace('PU', 'PUs')}" for per, amount in self.holds.items())
        return f"nodes of {whole}; " + ("whole ones" if self.smallest == 1 else f"at least {self.smallest} of one")


def of_all_nodes(taken: Taken, node: Node | None) -> Amounts:
    """What is charged for: what is taken, or what it makes of the nodes that it stands on."""
    amounts = taken.of_a_node()
    each = node.billed(amounts) if node else amounts
    return {per: amount * taken.nodes for per, amount in each.items()}


def term_of(row: Mapping[str, Any], known: Sequence[str] | None) -> Term:
    """The terms of a row: `per` and `amount`, or `sum` or `max` of more. known: what it may be charged by; None where that is the row's
    own word. Raises ValueError.
    """
    written = [word for word in ("per", "sum", "max") if word in row]
    if len(written) != 1:
        raise ValueError("a term has either per and amount, or sum, or max")
    if written == ["per"]:
        return _each(row, known)
    terms = row[written[0]]
    if not isinstance(terms, list) or not terms or not all(isinstance(one, dict) for one in terms):
        raise ValueError(f"{written[0]} lists terms: [{{ per = 'cpu', amount = 1 }}]")
    make: Callable[[tuple[Term, ...]], Term] = Sum if written == ["sum"] else Dearest
    for one in terms:
        _only(one, {"per", "amount", "sum", "max"})
    return make(tuple(term_of(one, known) for one in terms))


def node_of(row: Mapping[str, Any]) -> Node | None:
    """The node of a row, where it has one. Raises ValueError."""
    if "node" not in row and "smallest" not in row:
        return None
    if "node" not in row or "smallest" not in row:
        raise ValueError("node and smallest stand together")
    holds = {str(Per(per)): Fraction(str(amount)) for per, amount in dict(row["node"]).items()}
    smallest = Fraction(str(row["smallest"]))
    if not holds or any(amount <= 0 for amount in holds.values()):
        raise ValueError("a node holds something: node = { cpu = 128 }")
    if not 0 < smallest <= 1 or smallest.numerator != 1:
        raise ValueError("smallest is a part that goes into a node evenly: 1, 0.5, 0.25, 0.125")
    return Node(holds, smallest)


def _each(row: Mapping[str, Any], known: Sequence[str] | None) -> Each:
    amount_micro = micro(row["amount"])
    if amount_micro < 0:
        raise ValueError("an amount below zero would pay people for computing")
    per = str(row["per"])
    if known is not None and per not in known:
        raise ValueError(f"nothing is charged by {per!r}: one of {', '.join(known)}")
    return Each(per, amount_micro)


def _only(row: Mapping[str, Any], known: set[str]) -> None:
    """A misspelt word would be left out of every bill."""
    if unknown := sorted(set(row) - known):
        raise ValueError(f"there is no {unknown[0]!r}: one of {', '.join(sorted(known))}")


def check_words(row: Mapping[str, Any]) -> None:
    """Raises ValueError on a word that no row has."""
    _only(row, {
        "resource", "kind", "per", "amount", "sum", "max", "node", "smallest", "wall_hours_max", "valid_from", "source",
    })  # fmt: skip
