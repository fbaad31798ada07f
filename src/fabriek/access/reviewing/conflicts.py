"""The rules by which somebody may not judge an application. Each has a name, which the refusal says."""

from collections.abc import Sequence
from dataclasses import dataclass

from fabriek.access.people import Person
from fabriek.kernel.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Interests:
    """Who has a stake in one application. `team` and `excluded` are as the applicant wrote them: ids, addresses, names, short names of bodies."""

    applicant: str
    organisation: str
    partners: frozenset[str]
    team: frozenset[str]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody beside their name. `common_projects`: how many they had with the applicant or the team lately.

    `declared`: they said themselves that they have a conflict.
    """

    organisation_names: frozenset[str] = frozenset()
    common_projects: int = 0
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """`rule` is a word for programs; `says` is for people."""

    rule: str
    says: str


def is_excluded(person: Person, interests: Interests, bodies: frozenset[str]) -> bool:
    """bodies: the names of their organisation."""
    names = {person.id, person.email.lower(), person.name.lower(), person.organisation} - {""}
    return bool((names | bodies) & interests.excluded)


def conflicts_of(person: Person, interests: Interests, known: Known, *, years: int) -> Sequence[Conflict]:
    """Every rule that keeps this person from judging; empty where none does."""
    names = {person.id, person.email.lower()} - {""}
    bodies = known.organisation_names | {person.organisation}
    found = [
        (person.id == interests.applicant, "conflict.self", "this is their own application"),
        (person.organisation == interests.organisation, "conflict.organisation", "they are of the applicant's organisation"),
        (bool((names | {person.name.lower()}) & interests.team), "conflict.team", "they are of the team that applies"),
        (bool(bodies & interests.partners), "conflict.partner", "they are of an organisation that takes part"),
        (is_excluded(person, interests, bodies), "conflict.excluded", "the applicant excluded them"),
        (known.common_projects > 0, "conflict.project", f"they shared a project with an applicant within {years} years"),
        (known.declared, "conflict.declared", "they declared a conflict themselves"),
    ]  # fmt: skip
    return [Conflict(rule, says) for holds, rule, says in found if holds]


def refuse_conflicts(found: Sequence[Conflict], what: str) -> None:
    """Raises NotPermitted with the first rule's name, where there is any."""
    if found:
        raise NotPermitted(
            f"{what}: {'; '.join(one.says for one in found)}",
            rule=found[0].rule,
            fix="ask somebody without a stake: fabriek review show APPLICATION",
        )
