"""How shares stand to each other: the group in whose part each lies, what each may use at most, and on what it borrows. Rows of the policy."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fabriek.funding.giving.shares import Share
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO, micro, shown

GROUP = "group:"
"""Before the name of a group, where it stands beside the ids of shares: no share has such an id."""

FREELY = "a share may start any job on what others leave"
"""What holds of borrowing where no row says otherwise."""

NAME_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Branch:
    """`name`: of a share or of a group. `within`: the group in whose part it lies; empty where it lies in none. `ceiling`: the most of the machine
    that it may use at one moment, with all that lie within it, in millionths; None for no bound.
    """

    name: str
    within: str
    ceiling: int | None
    valid_from: date
    source: str

    def said(self) -> str:
        """What it says, as a person reads it."""
        return stands(self.within, self.ceiling)


@dataclass(frozen=True, slots=True)
class Borrowing:
    """`borrowers_yield`: beyond its own part a share starts such jobs only as may be put back."""

    borrowers_yield: bool
    valid_from: date
    source: str

    def said(self) -> str:
        """What it says, as a person reads it."""
        return (
            "beyond its own part a share starts such jobs only as may be put back" if self.borrowers_yield else FREELY
        )


@dataclass(frozen=True, slots=True)
class Tree:
    """One day's, with ids in place of names: `parents` and `ceilings` as in the rules of admission. `idle`: names of rows that no share and no
    group has, so that they count for nothing.
    """

    parents: Mapping[str, str] = field(default_factory=dict)
    ceilings: Mapping[str, int] = field(default_factory=dict)
    borrowers_yield: bool = False
    idle: tuple[str, ...] = ()

    def group(self, share: str) -> str:
        """The name of the group in which it lies; empty where it lies in none."""
        return self.parents.get(share, "").removeprefix(GROUP)

    def ceiling_above(self, share: str) -> int | None:
        """The least of the groups over it."""
        found, at = list[int](), share
        while at := self.parents.get(at, ""):
            found += [self.ceilings[at]] if at in self.ceilings else []
        return min(found, default=None)


def stands(within: str, ceiling: int | None) -> str:
    """`within public, at most 50 % of the machine at one moment`."""
    where = f"within {within}" if within else "within no other"
    return where if ceiling is None else f"{where}, at most {shown(ceiling * 100)} % of the machine at one moment"


def branches_of(text: str) -> tuple[Branch, ...]:
    """The rows of a TOML text such as data/shares.toml. Raises InvalidInput, also on two of one share that would hold at once, and on a group in
    itself.
    """
    rows = read_rows(text, "share", _branch)
    first: dict[tuple[str, date], int] = {}
    for number, row in enumerate(rows, 1):
        if (earlier := first.setdefault((row.name, row.valid_from), number)) != number:
            raise InvalidInput(
                f"[[share]] number {earlier} and number {number} are both for {row.name} from {row.valid_from} on",
                fix="a share lies within one group and has one ceiling: keep one of them",
            )
    for day in {row.valid_from for row in rows}:
        _check_no_circle(branches_on(rows, day))
    return rows


def borrowings_of(text: str) -> tuple[Borrowing, ...]:
    """The rows of a TOML text. Raises InvalidInput."""
    return read_rows(text, "borrowing", _borrowing)


def branches_on(rows: Iterable[Branch], on: date) -> dict[str, Branch]:
    """Name → its row in force on that day."""
    of: dict[str, list[Branch]] = {}
    for row in rows:
        of.setdefault(row.name, []).append(row)
    found = {name: in_force(some, on) for name, some in sorted(of.items())}
    return {name: row for name, row in found.items() if row is not None}


def tree_on(branches: Sequence[Branch], borrowings: Sequence[Borrowing], on: date, shares: Sequence[Share]) -> Tree:
    """The tree of that day. A name that a group has is the group's."""
    present, borrowing = branches_on(branches, on), in_force(borrowings, on)
    groups = _groups(present)
    ids = {one.name: one.id for one in shares} | {name: GROUP + name for name in groups}
    return Tree(
        {ids[name]: ids[row.within] for name, row in present.items() if row.within and name in ids},
        {ids[name]: row.ceiling for name, row in present.items() if row.ceiling is not None and name in ids},
        borrowers_yield=borrowing is not None and borrowing.borrowers_yield,
        idle=tuple(name for name in present if name not in ids),
    )


def check_tree(branches: Sequence[Branch], new: Sequence[Branch], since: date, shares: Collection[str]) -> None:
    """Raises InvalidInput where, on that day or a later one on which something is known, rows make no tree: a group in itself, one of a single
    share, or one that is called like a share; and where a new row is of a name that nobody has. branches: all, the new among them. shares: their
    names.
    """
    _check_names(branches, new, since, shares)
    for day in sorted({since} | {row.valid_from for row in branches if row.valid_from > since}):
        present = branches_on(branches, day)
        groups = _groups(present)
        _check_no_circle(present)
        for group, members in sorted(groups.items()):
            if group in shares:
                raise InvalidInput(
                    f"{group} is a share, and no other's money lies within it", fix="let within name a group: public"
                )
            if len(members) < 2:
                raise InvalidInput(
                    f"on {day} {members[0]} alone lies within {group}, which says nothing",
                    fix=f"name another that lies within {group}, or none",
                )


def _check_names(branches: Sequence[Branch], new: Sequence[Branch], since: date, shares: Collection[str]) -> None:
    known = {*shares, *_groups(branches_on(branches, since))}
    for row in new:
        # Of a group that is no more, a last row takes the ceiling away.
        ends = row.ceiling is None and any(one.name == row.name and one.valid_from < since for one in branches)
        if row.name not in known and not ends:
            raise InvalidInput(
                f"there is no share {row.name}, and nothing lies within a group of that name",
                fix="name shares as fabriek funding shares does",
            )


def _groups(present: Mapping[str, Branch]) -> dict[str, list[str]]:
    """Each with what lies in it."""
    found: dict[str, list[str]] = {}
    for name, row in present.items():
        if row.within:
            found.setdefault(row.within, []).append(name)
    return found


def _check_no_circle(present: Mapping[str, Branch]) -> None:
    for name in present:
        at, above = name, set[str]()
        while at in present and (at := present[at].within):
            if at == name or at in above:
                raise InvalidInput(f"{at} would lie within itself", fix="let it lie within a group above it, or none")
            above.add(at)


def _branch(row: dict[str, Any]) -> Branch:
    _check_words(row, {"name", "within", "ceiling"})
    names = [row["name"], row.get("within", "")]
    if not all(isinstance(one, str) and len(one) <= NAME_CHARACTERS_MAX and one.isprintable() for one in names):
        raise ValueError(f"name and within are names of at most {NAME_CHARACTERS_MAX} characters")
    name, within = (one.strip() for one in names)
    if not name:
        raise ValueError("name is empty: give that of a share, as fabriek funding shares shows it, or of a group")
    if name == within:
        raise ValueError(f"{name} would lie within itself")
    said = row.get("ceiling")
    ceiling = None if said is None else micro(said)
    if ceiling is not None and not 0 <= ceiling <= MICRO:
        raise ValueError(f"ceiling is a part of the machine, and {said} does not lie between 0 and 1")
    return Branch(name, within, ceiling, row["valid_from"], row["source"])


def _borrowing(row: dict[str, Any]) -> Borrowing:
    _check_words(row, {"borrowers_yield"})
    if not isinstance(row["borrowers_yield"], bool):
        raise ValueError("borrowers_yield is true or false")  # noqa: TRY004  # it is the row's fault, and is told as such
    return Borrowing(row["borrowers_yield"], row["valid_from"], row["source"])


def _check_words(row: Mapping[str, Any], known: Collection[str]) -> None:
    """A word that nobody reads would be a ceiling that nobody keeps."""
    if unknown := sorted(set(row) - {*known, "valid_from", "source"}):
        raise ValueError(f"it has no {unknown[0]!r}; its words are {', '.join(sorted(known))}, valid_from and source")
