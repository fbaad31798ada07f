"""What waits for somebody's word, for all that they may see at once. For lists: who may decide is asked again where they do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fabriek.kernel.callers import Caller
from fabriek.vault.datasets import Dataset
from fabriek.vault.desk import Desk
from fabriek.vault.labelling.proposals import Act, Proposal
from fabriek.vault.rules import releasing_organisations


@dataclass(frozen=True, slots=True)
class Deciders:
    """About the release of one job: the organisations whose people decide, and the authors, who never do."""

    organisations: frozenset[str]
    authors: frozenset[str]


class Waiting(Desk):
    """The same questions as when somebody decides, asked about many at once: a few rounds to the database, however many wait.

    It goes by the labels that stand in the database, not by those that were signed: to check a signature takes a question each, and
    whoever lowers one behind the service's back changes a list by that and no decision.
    """

    def lowerings(self, *, by: Caller) -> Sequence[tuple[Proposal, Dataset]]:
        """Those that wait for this caller, each with its dataset; oldest first."""
        parts = self._parts
        homes = [one for one in by.project_rights if by.may("data.manage", project=one)]
        asked = [one for one in parts.proposals.open_in(homes, Act.LOWER) if not one.is_signed_by(by.person)]
        about = parts.datasets.among({one.subject for one in asked})
        return [
            (one, dataset)
            for one in asked
            if (dataset := about[one.subject]).erased_at is None and self._owns(dataset, by)
        ]

    def deciders(self, reads: Mapping[str, Sequence[str]]) -> Mapping[str, Deciders]:
        """Who decides about the release of each job, by the datasets that it read."""
        known = self._all_behind(one for some in reads.values() for one in some)
        people = self._parts.grants.people_of({one.job for one in known.values() if one.job})
        return {job: self._deciders(_behind(some, known), people) for job, some in reads.items()}

    def _all_behind(self, ids: Iterable[str]) -> Mapping[str, Dataset]:
        """These and everything that they were made of, one question for each generation."""
        known, wanted = dict[str, Dataset](), set(ids)
        while wanted:
            found = self._parts.datasets.among(wanted)
            known |= found
            wanted = {source for one in found.values() for source in one.sources} - known.keys()
        return known

    def _deciders(self, behind: Sequence[Dataset], people: Mapping[str, frozenset[str]]) -> Deciders:
        authors = frozenset[str]().union(*(people.get(one.job, frozenset()) for one in behind))
        return Deciders(releasing_organisations(behind, self._parts.labels), authors)


def _behind(ids: Iterable[str], known: Mapping[str, Dataset]) -> Sequence[Dataset]:
    found, wanted = dict[str, Dataset](), list(ids)
    while wanted:
        one = known[wanted.pop()]
        if one.id not in found:
            found[one.id] = one
            wanted += one.sources
    return list(found.values())
