"""What one may do with the accounts of sites that we do not run: take them in, look at what they came to, claim one's own job."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from typing import NoReturn

from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation, payers
from fabriek.funding.elsewhere.foreign import (
    Again,
    Dump,
    ForeignJob,
    ForeignKey,
    Mapped,
    Refused,
    Told,
    compare,
    is_ahead,
    whose,
)
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Kind, Posting, account
from fabriek.funding.policy.purposes import Rule
from fabriek.funding.policy.rates import Cost, Rate, measured
from fabriek.funding.ports import Allocations, Dumps, ForeignJobs, Funds, Ledger
from fabriek.funding.reporting.seeing import require_all
from fabriek.funding.reports import ForeignTotal
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Due:
    """What a line costs, and who may pay for it: the allocation that lapses first in front."""

    project: Project
    purpose: Purpose
    cost: Cost
    paying: Sequence[Allocation]


@dataclass(slots=True)
class Batch:
    """What one batch has come to, and what it need not ask for twice."""

    shares: Mapping[str, Share]
    books: dict[ForeignKey, ForeignJob]
    projects: dict[str, Project] = field(default_factory=dict)
    allocations: dict[str, Sequence[Allocation]] = field(default_factory=dict)
    fresh: dict[ForeignKey, ForeignJob] = field(default_factory=dict)
    changed: dict[ForeignKey, ForeignJob] = field(default_factory=dict)
    left: dict[tuple[str, Resource], int] = field(default_factory=dict)
    postings: dict[str, Posting] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    booked: int = 0
    corrected: int = 0
    known: int = 0

    def keep(self, job: ForeignJob, before: ForeignJob | None) -> None:
        into = self.fresh if before is None or job.key in self.fresh else self.changed
        into[job.key] = self.books[job.key] = job
        self.booked += 1
        self.corrected += before is not None

    def post(self, posting: Posting) -> None:
        """To be posted with the batch; what it moves counts for what comes next."""
        self.postings[posting.transaction] = posting
        for entry in posting.entries:
            if (where := (entry.account, entry.resource)) in self.left:
                self.left[where] += entry.amount_micro

    def totals(self) -> list[ForeignTotal]:
        sums: dict[tuple[str, str, Resource], list[int]] = {}
        for job in (*self.fresh.values(), *self.changed.values()):
            sum_of = sums.setdefault((job.project, job.key.site, job.resource), [0, 0, 0])
            for at, amount in enumerate((1, job.used_micro, job.over_micro)):
                sum_of[at] += amount
        return [ForeignTotal(*where, *sum_of) for where, sum_of in sorted(sums.items())]


class _Undone(Exception):  # not an error: the way out of a transaction that must leave nothing
    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.batch = batch


class Bridge:
    """The accounts of other sites in our books."""

    def __init__(
        self, books: Ledger, funds: Funds, allocations: Allocations, jobs: ForeignJobs, dumps: Dumps, *, access: Access, audit: Audit,
        clock: Clock, ids: Ids, rules: Sequence[Rule], rates: Sequence[Rate], zone: tzinfo,
    ) -> None:  # fmt: skip
        self._books, self._funds, self._allocations, self._jobs, self._dumps = books, funds, allocations, jobs, dumps
        self._access, self._audit, self._clock, self._ids = access, audit, clock, ids
        self._rules, self._rates, self._zone = rules, rates, zone

    def open(self, site: str, file: str, sha256: str, accounts: Sequence[Mapped], *, by: Caller) -> Dump:
        """Begins an import. Raises InvalidInput on a map that names a project or a purpose that there is not."""
        require(by, "usage.import")
        self._check(accounts)
        dump = Dump(self._ids.new("dmp"), site, file, sha256, by.person, self._clock.now(), tuple(accounts))
        with self._books.transaction():
            self._dumps.add(dump)
            self._audit.record("usage.import_opened", dump.id, by, site=site, sha256=sha256)
        return dump

    def take(
        self, dump_id: str, told: Sequence[Told], refused: Sequence[Refused], skipped: int, *, by: Caller
    ) -> tuple[Dump, Batch]:
        """Books a batch of lines: all of it or nothing. What was booked before changes nothing; what cannot be booked is quarantined.

        refused, skipped: lines that the reader could not read, and those that are no job's use.
        """
        require(by, "usage.import")
        with self._books.transaction(alone=f"dump:{dump_id}"):
            dump = self._dumps.get(dump_id)
            if dump.closed_at is not None:
                raise WrongState("this import is closed", fix="import the file again: what is known changes nothing")
            batch = self._book_all(told, dump.accounts, dump.id)
            kept = [*refused, *batch.refused]
            dump = replace(
                dump, lines_in=dump.lines_in + len(told) + len(refused) + skipped, booked=dump.booked + batch.booked,
                corrected=dump.corrected + batch.corrected, known=dump.known + batch.known, skipped=dump.skipped + skipped,
                quarantined=dump.quarantined + len(kept),
            )  # fmt: skip
            self._dumps.quarantine(dump.id, kept)
            self._dumps.save(dump)
            self._audit.record("usage.booked", dump.id, by, booked=batch.booked, quarantined=len(kept))
        return dump, batch

    def close(self, dump_id: str, *, by: Caller) -> Dump:
        """The import is whole. Idempotent."""
        require(by, "usage.import")
        with self._books.transaction(alone=f"dump:{dump_id}"):
            dump = self._dumps.get(dump_id)
            if dump.closed_at is None:
                dump = replace(dump, closed_at=self._clock.now())
                self._dumps.save(dump)
                self._audit.record(
                    "usage.imported", dump.id, by, site=dump.site, sha256=dump.sha256, lines=dump.lines_in, booked=dump.booked,
                    corrected=dump.corrected, known=dump.known, skipped=dump.skipped, quarantined=dump.quarantined,
                )  # fmt: skip
        return dump

    def preview(self, accounts: Sequence[Mapped], told: Sequence[Told], *, by: Caller) -> Batch:
        """What `take` would make of a batch, by the same code; nothing of it stays."""
        require(by, "usage.import")
        self._check(accounts)
        try:
            with self._books.transaction():
                self._undo(self._book_all(told, accounts, ""))
        except _Undone as undone:
            return undone.batch

    def _undo(self, batch: Batch) -> NoReturn:
        raise _Undone(batch)

    def claim(self, project_ref: str, told: Told, *, by: Caller) -> ForeignJob:
        """A member's own word for a job of theirs elsewhere, until the site's accounts say it. Raises InvalidInput, WrongState."""
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        with self._books.transaction():
            before = self._jobs.known([told.key]).get(told.key)
            if before is not None and before.project != project.id:
                raise WrongState("this job of the site is booked already", fix="ask the operator which project it is")
            batch = self._book_all([told], [Mapped(told.account, project.slug)], "", is_claimed=True)
            if batch.refused:
                raise InvalidInput(batch.refused[0].reason, fix="give the line of sacct as the site wrote it")
            self._audit.record("usage.claimed", project.id, by, site=told.key.site, booked=batch.booked)
        return batch.books[told.key]

    def totals(self, *, by: Caller) -> Sequence[ForeignTotal]:
        """What all projects used at other sites, for who sees all. Raises NotPermitted."""
        require_all(by)
        return self._jobs.totals("")

    def totals_of(self, project_ref: str, *, by: Caller) -> Sequence[ForeignTotal]:
        """What one project used at other sites."""
        project = self._access.project(project_ref)
        require(by, "project.view", project=project.id)
        return self._jobs.totals(project.id)

    def dumps(self, *, limit: int, by: Caller) -> Sequence[Dump]:
        """Newest first."""
        require(by, "usage.import")
        return self._dumps.newest(limit)

    def dump(self, dump_id: str, *, by: Caller) -> Dump:
        """Raises NotFound."""
        require(by, "usage.import")
        return self._dumps.get(dump_id)

    def quarantined(self, dump_id: str, *, limit: int, after: int, by: Caller) -> Sequence[Refused]:
        """The lines that an import could not book, and why. Raises NotFound."""
        require(by, "usage.import")
        return self._dumps.quarantined(self.dump(dump_id, by=by).id, limit=limit, after=after)

    def _check(self, accounts: Sequence[Mapped]) -> None:
        twice = len({(one.account, one.cluster) for one in accounts}) < len(accounts)
        if not accounts or twice:
            raise InvalidInput(
                "the map has no account, or one twice", fix="one [[account]] for each account of the site"
            )
        for one in accounts:
            try:
                self._access.project(one.project)
            except NotFound:
                raise InvalidInput(
                    f"the map names a project {one.project} that there is not", fix="mend the map"
                ) from None
            if one.purpose and one.purpose not in tuple(Purpose):
                raise InvalidInput(f"{one.purpose!r} is not a purpose", fix=", ".join(Purpose))

    def _book_all(
        self, told: Sequence[Told], accounts: Sequence[Mapped], dump: str, *, is_claimed: bool = False
    ) -> Batch:
        rows = tuple(accounts)
        with ExitStack() as locks:
            # In one order, so that two imports at once wait for each other and not in a ring.
            for name in sorted({f"credits:{one.project}" for one in self._named(rows)} | {"bridge"}):
                locks.enter_context(self._books.transaction(alone=name))
            batch = Batch(
                {one.id: one for one in self._funds.shares()}, dict(self._jobs.known(one.key for one in told))
            )
            for one in told:
                self._book(batch, one, rows, dump, is_claimed=is_claimed)
            posted = self._books.post(*batch.postings.values())
            assert posted == len(batch.postings), (
                "a posting stands in the ledger and its job is not among the foreign ones"
            )
            self._jobs.add([*batch.fresh.values()])
            for job in batch.changed.values():
                self._jobs.save(job)
        return batch

    def _named(self, rows: Sequence[Mapped]) -> list[Mapped]:
        return [replace(one, project=self._access.project(one.project).id) for one in rows]

    def _book(self, batch: Batch, told: Told, rows: tuple[Mapped, ...], dump: str, *, is_claimed: bool) -> None:
        before = batch.books.get(told.key)
        again = compare(before, told, is_claimed=is_claimed) if before else None
        if again is Again.KNOWN:
            batch.known += 1
            return
        try:
            due = self._due(batch, told, rows, before, again)
        except (InvalidInput, NotFound, NotPermitted) as error:
            batch.refused.append(Refused(told.line, error.detail))
            return
        batch.keep(self._charged(batch, told, due, before, dump, is_claimed=is_claimed), before)

    def _due(
        self, batch: Batch, told: Told, rows: tuple[Mapped, ...], before: ForeignJob | None, again: Again | None
    ) -> Due:
        """Raises what keeps the line out of the books."""
        if again is Again.DISPUTED:
            assert before is not None
            raise InvalidInput(
                f"this job had ended after {before.elapsed_seconds} s on {before.gpus} GPUs and {before.cpus} CPUs, and now it did otherwise"
            )
        if is_ahead(told, self._clock.now()):
            raise InvalidInput("it would have ended in the future: a wrong zone in the map, or a wrong unit")
        if not told.gpus and not told.cpus:
            raise InvalidInput("it had neither GPUs nor CPUs")
        mapped = whose(rows, told.account, told.key.cluster)
        if mapped is None:
            raise InvalidInput(f"the map says nothing of the account {told.account!r}")
        if mapped.project not in batch.projects:
            project = self._access.project(mapped.project)
            batch.projects[mapped.project] = project
            batch.allocations[project.id] = self._allocations.of_project(project.id)
        project = batch.projects[mapped.project]
        purpose, day = Purpose(mapped.purpose or project.purpose), self._day(told)
        cost = measured(self._rates, day, gpus=told.gpus, cpus=told.cpus, ran_seconds=told.elapsed_seconds)
        # A map may narrow what a share pays for and never widen it: the project's own purpose counts too.
        owned = batch.allocations[project.id]
        if purpose is not project.purpose:
            owned = payers(owned, batch.shares, project.purpose, self._rules, day)
        paying = payers(owned, batch.shares, purpose, self._rules, day)
        if not paying:
            raise InvalidInput(f"no allocation of {project.slug} covers {day}, the day it began")
        return Due(project, purpose, cost, paying)

    def _charged(
        self, batch: Batch, told: Told, due: Due, before: ForeignJob | None, dump: str, *, is_claimed: bool
    ) -> ForeignJob:
        """Charges as far as allocations reach. What stood in the ledger is taken back by a counter-entry, never changed."""
        now, name = self._clock.now(), str(told.key)
        if before is not None:
            earlier = batch.postings.get(before.transaction) or self._books.posting(before.transaction)
            batch.post(ledger.counter(self._ids.new("led"), earlier, now, memo="elsewhere, told again"))
        over, charged = due.cost.amount_micro, dict[str, int]()
        for one in due.paying:
            charged[one.id] = min(self._left(batch, one, due.cost.resource), over)
            over -= charged[one.id]
        key = f"foreign:{name}:{told.elapsed_seconds}:{told.gpus}:{told.cpus}:{told.is_over:d}{is_claimed:d}"
        posting = ledger.use(self._ids.new("led"), key, charged, due.cost.resource, now, job=name)
        batch.post(posting)
        return ForeignJob(
            key=told.key, project=due.project.id, purpose=due.purpose, account=told.account, state=told.state,
            elapsed_seconds=told.elapsed_seconds, gpus=told.gpus, cpus=told.cpus, is_over=told.is_over, is_claimed=is_claimed,
            resource=due.cost.resource, used_micro=due.cost.amount_micro, over_micro=over, transaction=posting.transaction, dump=dump,
            at=now,
        )  # fmt: skip

    def _left(self, batch: Batch, allocation: Allocation, resource: Resource) -> int:
        """What the allocation has behind all that this batch has posted so far."""
        where = (account(Kind.ALLOCATION, allocation.id), resource)
        if where not in batch.left:
            moved = ledger.balances(entry for one in batch.postings.values() for entry in one.entries)
            batch.left[where] = self._books.balance(*where) + moved.get(where, 0)
        return batch.left[where]

    def _day(self, told: Told) -> date:
        """The civil day on which it began: its rate and its allocation are that day's."""
        return told.key.started_at.astimezone(self._zone).date()
