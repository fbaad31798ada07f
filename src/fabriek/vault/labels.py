"""Labels: how sensitive data is. A chain, so that of any two one is the higher, and what is derived takes the highest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fabriek.kernel.dated import read_rows, shipped
from fabriek.kernel.errors import InvalidInput

DEFAULT = "internal"


@dataclass(frozen=True, slots=True)
class Label:
    """One step of the chain. `rank` counts from 0, the lowest; the fields are explained in data/labels.toml."""

    name: str
    rank: int
    aliases: tuple[str, ...] = ()
    needs_agreement: bool = False
    needs_accreditation: bool = False
    logs_withheld: bool = False
    whole_gpus: bool = False


class Labels:
    """The chain of one installation. Every method raises InvalidInput on a name that is not in it."""

    def __init__(self, chain: Sequence[Label]) -> None:
        """Raises InvalidInput on an empty chain, a name that stands twice, or one that asks for less than a lower one."""
        self._chain = tuple(chain)
        self._by_name = {name: label for label in chain for name in (label.name, *label.aliases)}
        if not chain or len(self._by_name) != sum(1 + len(label.aliases) for label in chain):
            raise InvalidInput("the labels are none, or one stands twice", fix="mend labels.toml")
        for lower, higher in pairwise(chain):
            if any(asked and not kept for asked, kept in zip(_demands(lower), _demands(higher), strict=True)):
                raise InvalidInput(f"{higher.name} asks for less than {lower.name} below it", fix="mend labels.toml")

    @property
    def lowest(self) -> str:
        return self._chain[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """Lowest first, in the spelling that is stored."""
        return tuple(label.name for label in self._chain)

    def of(self, name: str) -> Label:
        """By its name or one of its other spellings, in any case."""
        label = self._by_name.get(name.strip().lower())
        if label is None:
            raise InvalidInput(f"there is no label {name[:60]!r}", fix=f"one of: {', '.join(self.names)}")
        return label

    def highest(self, names: Iterable[str]) -> str:
        """What something derived from all of these carries; of nothing, the lowest."""
        return max((self.of(name) for name in names), key=lambda label: label.rank, default=self._chain[0]).name

    def exceeds(self, name: str, ceiling: str) -> bool:
        return self.of(name).rank > self.of(ceiling).rank

    def needs_agreement(self, name: str) -> bool:
        return self.of(name).needs_agreement

    def needs_accreditation(self, name: str) -> bool:
        return self.of(name).needs_accreditation

    def withholds_logs(self, name: str) -> bool:
        return self.of(name).logs_withheld

    def needs_whole_gpus(self, name: str) -> bool:
        return self.of(name).whole_gpus


def read_labels(text: str) -> Labels:
    """The chain of a TOML text, lowest first."""
    return Labels([_label(row, rank) for rank, row in enumerate(read_rows(text, "label", _row))])


def shipped_labels() -> Labels:
    """The chain that comes with Fabriek."""
    return read_labels(shipped("fabriek.vault", "labels.toml"))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {"name": row["name"], **{name: row[name] for name in row if name not in {"name", "source", "valid_from"}}}


def _label(row: dict[str, Any], rank: int) -> Label:
    try:
        return Label(rank=rank, **row | {"aliases": tuple(row.get("aliases", ()))})
    except TypeError:
        raise InvalidInput(f"the label {row['name']!r} has a field that no label has", fix="mend labels.toml") from None


def _demands(label: Label) -> tuple[bool, ...]:
    return label.needs_agreement, label.needs_accreditation, label.logs_withheld, label.whole_gpus
