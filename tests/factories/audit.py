"""A log to test with: in memory or in a database, with a signing key of the test."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from fabriek.adapters.database import Database
from fabriek.audit.log import Event
from fabriek.audit.ports import Events, Trees
from fabriek.audit.service import Audit
from fabriek.audit.store import SqlEvents, SqlTrees
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.ids import CountedIds, Ids
from fabriek.kernel.pages import Cursors
from tests.factories.keyring import MemoryKeyring

AUDITOR = Caller(person="per_auditor", organisation="org_1", rights=frozenset({"audit.read"}))
SOMEBODY = Caller(person="per_1", organisation="org_1", request_id="req_1")


class MemoryEvents:
    """The twin of SqlEvents."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.leaves: dict[int, int] = {}

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return nullcontext()

    def add(self, event: Event) -> None:
        self.kept.append(event)

    def pending(self, limit: int) -> Sequence[tuple[int, Event]]:
        return [(number, event) for number, event in enumerate(self.kept, 1) if number not in self.leaves][:limit]

    def give_leaves(self, leaves: Mapping[int, int]) -> None:
        assert not set(leaves) & set(self.leaves)
        self.leaves |= leaves

    def of_leaves(self, start: int, stop: int) -> Sequence[tuple[int, Event]]:
        return sorted((leaf, self.kept[number - 1]) for number, leaf in self.leaves.items() if start <= leaf < stop)

    def newest(
        self, limit: int, *, before: int = 0, subject: str = "", person: str = ""
    ) -> Sequence[tuple[int, Event]]:
        found = [
            (number, event)
            for number, event in enumerate(self.kept, 1)
            if (not before or number < before) and subject in {"", event.subject} and person in {"", event.person}
        ]
        return found[::-1][:limit]

    def last_leaf(self) -> int:
        return max(self.leaves.values(), default=-1)


class MemoryTrees:
    """The twin of SqlTrees."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.note = ""

    def tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    def keep_tile(self, level: int, index: int, hashes: bytes) -> None:
        self.tiles[level, index] = hashes

    def checkpoint(self) -> str:
        return self.note

    def keep_checkpoint(self, note: str) -> None:
        self.note = note


def an_audit(database: Database | None = None, *, seed: bytes = b"test", ids: Ids | None = None) -> Audit:
    """An empty log; in memory without a database."""
    events: Events = SqlEvents(database) if database else MemoryEvents()
    trees: Trees = SqlTrees(database) if database else MemoryTrees()
    return Audit(
        events, trees, FakeClock(), ids or CountedIds(), signer=MemoryKeyring(seed), cursors=Cursors(b"cursor key")
    )


def write(audit: Audit, count: int, database: Database | None = None) -> None:
    """Records that many acts."""
    with database.transaction() if database else nullcontext():
        for number in range(count):
            audit.record("job.submitted", f"job_{number}", SOMEBODY, purpose="civilian", held_micro=number)
