"""What came of a transfer: everything that was found is done, was there already, or failed for a reason that is told."""

from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("experiments", "runs", "params", "tags", "points", "inputs", "files", "models", "versions")
REASONS_MAX = 1_000
"""How many failures are told one by one; all are counted."""


@dataclass(slots=True)
class Count:
    """found = done + skipped + failed, when it has ended."""

    found: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    kind: str
    name: str
    reason: str


@dataclass(slots=True)
class Report:
    """Of one transfer from `source`."""

    source: str
    counts: dict[str, Count] = field(default_factory=lambda: {kind: Count() for kind in KINDS})
    failures: list[Failure] = field(default_factory=list)

    def done(self, kind: str, count: int = 1) -> None:
        self.counts[kind].found += count
        self.counts[kind].done += count

    def skipped(self, kind: str, count: int = 1) -> None:
        self.counts[kind].found += count
        self.counts[kind].skipped += count

    def failed(self, kind: str, name: str, reason: str, count: int = 1) -> None:
        self.counts[kind].found += count
        self.counts[kind].failed += count
        if len(self.failures) < REASONS_MAX:
            self.failures.append(Failure(kind, name, reason))

    @property
    def failures_count(self) -> int:
        """All of them, also those that are no longer told one by one."""
        return sum(count.failed for count in self.counts.values())

    @property
    def is_whole(self) -> bool:
        return not self.failures_count

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
