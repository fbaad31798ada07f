"""Labels: how sensitive data is. A lattice: of any two there is one join, and what is derived carries the join of its inputs.

Some labels lie above others, some beside them. What is two things at once carries a join, written with its parts in the order of the
policy: `personal+export-controlled`. It is one word everywhere: in records, ceilings, statements and on pages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput

JOIN = "+"


@dataclass(frozen=True, slots=True)
class Label:
    """One label of the policy, or a join. The fields are explained in data/labels.toml.

    `above`: the names of those directly below it. `places`: where it and all above it may be; empty means
    anywhere. `training`: the course that it and all above it ask of whoever opens such data; empty for none.
    """

    name: str
    above: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    needs_agreement: bool = False
    needs_accreditation: bool = False
    logs_withheld: bool = False
    whole_gpus: bool = False
    places: tuple[str, ...] = ()
    is_default: bool = False
    is_usual_ceiling: bool = False
    training: str = ""


@dataclass(frozen=True, slots=True)
class Retired:
    """A word of a scheme that was replaced: still understood, never stored. `now` is the label that took its place."""

    name: str
    now: str
    scheme: str
    successor: str


class Labels:
    """The lattice of one installation. Every method raises InvalidInput on a name that is not in it."""

    def __init__(self, labels: Sequence[Label], retired: Sequence[Retired] = ()) -> None:
        """In the order of the policy, each after those below it. Raises InvalidInput on what is no lattice, naming the label."""
        self._labels = {label.name: label for label in labels}
        self.retired = tuple(retired)
        self._order = {label.name: number for number, label in enumerate(labels)}
        self._below: dict[str, frozenset[str]] = {}
        for label in labels:
            self._below[label.name] = self._down(label)
        self._spelt = {name: label.name for label in labels for name in (label.name, *label.aliases)}
        self._spelt |= {word.name: word.now for word in retired}
        self._check(labels, retired)

    @property
    def lowest(self) -> str:
        return next(iter(self._labels))

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the policy, joins left out, each after those below it; in the spelling that is stored."""
        return tuple(self._labels)

    @property
    def default(self) -> str:
        """What data carries when nobody says."""
        return next((one.name for one in self._labels.values() if one.is_default), self.lowest)

    @property
    def usual_ceiling(self) -> str:
        """The ceiling of a project when nobody says."""
        return next((one.name for one in self._labels.values() if one.is_usual_ceiling), self.default)

    def of(self, name: str) -> Label:
        """By its name or one of its other spellings, in any case; a join with its parts in any order."""
        parts = [self._spelt.get(part.strip().lower(), "") for part in name.split(JOIN)]
        if not all(parts):
            wrong = next(part for part, known in zip(name.split(JOIN), parts, strict=True) if not known)
            known = ", ".join(self.names)
            if not wrong.strip() and len(parts) > 1:
                raise InvalidInput("a part of a label that is two things at once is empty", fix="write it as A+B")
            raise InvalidInput(f"there is no label {wrong[:60]!r}", fix=f"one of: {known}; two at once as A+B")
        return self._joined(frozenset().union(*(self._below[part] for part in parts)))

    def highest(self, names: Iterable[str]) -> str:
        """The join: what something derived from all of these carries; of nothing, the lowest."""
        return self._joined(frozenset[str]({self.lowest}).union(*(self._under(name) for name in names))).name

    def meet(self, one: str, other: str) -> str:
        """The highest that lies at or below both."""
        return self._joined(self._under(one) & self._under(other)).name

    def exceeds(self, name: str, ceiling: str) -> bool:
        """Whether the label lies above the ceiling, or beside it: whatever is not at or below it."""
        return not self._under(name) <= self._under(ceiling)

    def below(self, name: str) -> Sequence[str]:
        """What data of this label may be lowered to, the highest first: the labels of the policy under it, and of a join of three or more
        those with one part left out.
        """
        label = self.of(name).name
        parts = label.split(JOIN)
        fewer = [self.highest(part for part in parts if part != out) for out in parts] if len(parts) > 2 else []
        return [*fewer, *(one for one in reversed(self.names) if one != label and not self.exceeds(one, label))]

    def needs_agreement(self, name: str) -> bool:
        return self.of(name).needs_agreement

    def needs_accreditation(self, name: str) -> bool:
        return self.of(name).needs_accreditation

    def withholds_logs(self, name: str) -> bool:
        return self.of(name).logs_withheld

    def needs_whole_gpus(self, name: str) -> bool:
        return self.of(name).whole_gpus

    def bounds(self, name: str) -> Sequence[tuple[str, ...]]:
        """Lists of places: data of this label may be only where each list allows it. Those of all labels at and below it."""
        return [self._labels[one].places for one in sorted(self._under(name)) if self._labels[one].places]

    def training(self, name: str) -> Sequence[str]:
        """The courses that are asked of whoever opens data of this label: those of all labels at and below it."""
        under = sorted(self._under(name), key=self._order.__getitem__)
        return list(dict.fromkeys(self._labels[one].training for one in under if self._labels[one].training))

    def _under(self, name: str) -> frozenset[str]:
        """The label and all below it. Two labels have the same join exactly where these unions are the same."""
        return frozenset().union(*(self._below[part] for part in self.of(name).name.split(JOIN)))

    def _joined(self, under: frozenset[str]) -> Label:
        covered = frozenset().union(*(self._below[name] - {name} for name in under))
        tops = [self._labels[name] for name in sorted(under - covered, key=self._order.__getitem__)]
        if len(tops) == 1:
            return tops[0]
        return Label(
            JOIN.join(top.name for top in tops),
            above=tuple(top.name for top in tops),
            needs_agreement=any(top.needs_agreement for top in tops),
            needs_accreditation=any(top.needs_accreditation for top in tops),
            logs_withheld=any(top.logs_withheld for top in tops),
            whole_gpus=any(top.whole_gpus for top in tops),
        )

    def _down(self, label: Label) -> frozenset[str]:
        missing = [name for name in label.above if name not in self._below]
        if missing:
            raise InvalidInput(
                f"{label.name} lies above {missing[0]}, which does not stand before it",
                fix="mend labels.toml: each label after those below it",
            )
        return frozenset({label.name}).union(*(self._below[name] for name in label.above))

    def _check(self, labels: Sequence[Label], retired: Sequence[Retired]) -> None:
        words = sum(1 + len(label.aliases) for label in labels) + len(retired)
        if not labels or len(self._spelt) != words:
            raise InvalidInput("the labels are none, or one stands twice", fix="mend labels.toml")
        for label in labels:
            if any(JOIN in word or word != word.strip().lower() for word in (label.name, *label.aliases)):
                raise InvalidInput(f"{label.name!r} is not a name for a label", fix="lower-case letters, no + in it")
            if self.lowest not in self._below[label.name]:
                raise InvalidInput(
                    f"{label.name} does not lie above {self.lowest}: the two have no order from the lowest on",
                    fix="say in above what lies directly below it",
                )
            for lower in (self._labels[name] for name in label.above):
                if any(asked and not kept for asked, kept in zip(_demands(lower), _demands(label), strict=True)):
                    raise InvalidInput(f"{label.name} asks for less than {lower.name} below it", fix="mend labels.toml")
        for word in retired:
            if word.now not in self._labels:
                raise InvalidInput(f"{word.name} became {word.now}, which is no label", fix="mend labels.toml")


def _demands(label: Label) -> tuple[bool, ...]:
    return label.needs_agreement, label.needs_accreditation, label.logs_withheld, label.whole_gpus
