"""The accounts of other sites, on both databases: booked once, corrected by counter-entries, and what cannot be booked is kept apart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from fabriek.adapters.database import Database
from fabriek.funding.elsewhere.foreign import Dump, ForeignKey, Mapped, Refused, Told
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.units import MICRO
from fabriek.schemas.foreign import ForeignJobIn
from tests.factories.services import Town, a_town

SHA = "a" * 64
HOUR = 3600


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def a_line(
    job: str = "17",
    *,
    hours: float = 1,
    gpus: int = 2,
    account: str = "astro",
    line: int = 2,
    at: datetime | None = None,
    **changes: object,
) -> Told:
    start = at or datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    key = ForeignKey("lisa", "lisa", job, str(changes.pop("task", "")), start)
    told = Told(line, key, account, "COMPLETED", int(hours * HOUR), gpus, 8, is_over=True)
    return replace(told, **changes)  # type: ignore[arg-type]  # fields of its own


class Books:
    """A project with ten GPU-hours, and a day later, so that jobs may have run on the first."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.owner = town.person("weefsel")
        self.slug = town.project(self.owner, gpu_hours=10)
        self.owner = town.again(self.owner)
        town.clock.move(timedelta(days=1))

    def take(self, *told: Told, refused: tuple[Refused, ...] = (), skipped: int = 0) -> Dump:
        accounts = [Mapped("astro", self.slug)]
        bridge, by = self.town.services.bridge, self.town.operator
        dump = bridge.open("lisa", "dump.txt", SHA, accounts, by=by)
        bridge.take(dump.id, told, refused, skipped, by=by)
        return bridge.close(dump.id, by=by)

    def left(self) -> int:
        project = self.town.services.access.project(self.slug)
        return next(
            one.left for one in self.town.services.funding.left(project.id) if one.resource is Resource.GPU_HOUR
        )

    def used(self) -> tuple[int, int]:
        """Used at other sites, and how much of it no allocation covered."""
        totals = self.town.services.bridge.totals_of(self.slug, by=self.owner)
        assert self.town.services.funding.balanced()
        return sum(one.used for one in totals), sum(one.over for one in totals)

    def entries(self) -> list[tuple[str, int, str]]:
        found = self.town.services.funding.entries(account_name="", limit=100, by=self.town.operator)
        return sorted((one.account, one.amount_micro, one.memo) for one in found if one.job.startswith("lisa/"))


@pytest.fixture
def books(town: Town) -> Books:
    return Books(town)


def counts(dump: Dump) -> tuple[int, int, int, int, int, int]:
    assert dump.lines_in == dump.booked + dump.known + dump.skipped + dump.quarantined
    return dump.lines_in, dump.booked, dump.corrected, dump.known, dump.skipped, dump.quarantined


def test_a_dump_is_booked_once_and_again_it_changes_nothing(books: Books) -> None:
    lines = (a_line("17"), a_line("18", line=3, task="4"), a_line("18", line=4, task="5"))
    assert counts(books.take(*lines, skipped=7)) == (10, 3, 0, 0, 7, 0)
    assert (books.left(), books.used()) == (4 * MICRO, (6 * MICRO, 0))
    before = books.entries()
    assert counts(books.take(*lines, skipped=7)) == (10, 0, 0, 3, 7, 0)
    assert (books.entries(), books.left()) == (before, 4 * MICRO)


def test_dumps_that_overlap_book_each_job_once(books: Books) -> None:
    books.take(a_line("17"), a_line("18", line=3))
    assert counts(books.take(a_line("18"), a_line("19", line=3))) == (2, 1, 0, 1, 0, 0)
    assert books.left() == 4 * MICRO


def test_the_same_number_with_another_start_is_another_job(books: Books) -> None:
    again = a_line("17", at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    assert counts(books.take(a_line("17"), again)) == (2, 2, 0, 0, 0, 0)
    assert books.left() == 6 * MICRO


def test_a_job_that_ran_on_is_settled_once_by_counter_entries_and_no_entry_is_changed(books: Books) -> None:
    running = a_line("17", hours=1, state="RUNNING", is_over=False)
    books.take(running)
    first = books.entries()
    assert counts(books.take(a_line("17", hours=2))) == (1, 1, 1, 0, 0, 0)
    assert books.left() == 6 * MICRO
    after = books.entries()
    assert all(after.count(entry) >= first.count(entry) for entry in first)
    assert sorted(amount for _, amount, memo in after if memo == "elsewhere, told again") == [-2 * MICRO, 2 * MICRO]
    assert counts(books.take(a_line("17", hours=2))) == (1, 0, 0, 1, 0, 0)
    assert counts(books.take(running)) == (1, 0, 0, 1, 0, 0), "an older dump takes nothing back"
    assert books.left() == 6 * MICRO


def test_running_and_ended_in_one_batch_is_one_job(books: Books) -> None:
    running = a_line("17", hours=1, state="RUNNING", is_over=False)
    assert counts(books.take(running, a_line("17", hours=3, line=3))) == (2, 2, 1, 0, 0, 0)
    assert books.used() == (6 * MICRO, 0)


def test_another_figure_for_a_job_that_had_ended_is_quarantined(books: Books) -> None:
    books.take(a_line("17", hours=1))
    dump = books.take(a_line("17", hours=4))
    assert counts(dump) == (1, 0, 0, 0, 0, 1)
    (kept,) = books.town.services.bridge.quarantined(dump.id, limit=10, after=-1, by=books.town.operator)
    assert "had ended after 3600 s" in kept.reason
    assert books.left() == 8 * MICRO


def test_a_line_that_is_told_twice_is_quarantined_once_and_the_import_goes_on(books: Books) -> None:
    twice = (Refused(7, "it has 3 fields"), Refused(7, "it has 4 fields"))
    bridge, by = books.town.services.bridge, books.town.operator
    dump = bridge.open("lisa", "dump.txt", SHA, [Mapped("astro", books.slug)], by=by)
    bridge.take(dump.id, [], twice, 0, by=by)
    bridge.take(dump.id, [a_line()], (*twice, Refused(8, "too long")), 0, by=by)
    kept = bridge.quarantined(dump.id, limit=10, after=-1, by=by)
    assert [(one.line, one.reason) for one in kept] == [(7, "it has 3 fields"), (8, "too long")]
    assert bridge.close(dump.id, by=by).booked == 1


@pytest.mark.parametrize(
    "began", ["9999-12-31T23:59:59-23:00", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00+23:00", "1970-01-01T00:00:00Z"]
)
def test_an_instant_that_no_calendar_reckons_with_is_refused_before_it_is_read(began: str) -> None:
    line = {
        "cluster": "lisa",
        "job": "1",
        "account": "a",
        "state": "COMPLETED",
        "elapsed_seconds": 10**9,
        "is_over": True,
    }
    with pytest.raises(ValidationError, match="started_at"):
        ForeignJobIn.model_validate(line | {"started_at": began})


def test_what_exceeds_the_allocation_is_shown_and_never_negative(books: Books) -> None:
    books.take(a_line("17", hours=4), a_line("18", hours=4, line=3), a_line("19", hours=1, line=4))
    assert books.left() == 0
    assert books.used() == (18 * MICRO, 8 * MICRO)
    row = next(
        one for one in books.town.services.funding.table(by=books.town.operator) if one.resource is Resource.GPU_HOUR
    )
    assert (row.used, row.unspent) == (10 * MICRO, 0)


def test_an_overrun_job_that_is_told_again_gives_back_what_it_took(books: Books) -> None:
    books.take(a_line("17", hours=6, state="RUNNING", is_over=False))
    assert books.used() == (12 * MICRO, 2 * MICRO)
    books.take(a_line("17", hours=6.5))
    assert (books.used(), books.left()) == ((13 * MICRO, 3 * MICRO), 0)


def test_a_job_without_gpus_pays_in_cpu_hours_rounded_up_to_a_millionth(books: Books) -> None:
    books.take(a_line("17", gpus=0, elapsed_seconds=1, cpus=1))
    (total,) = books.town.services.bridge.totals_of(books.slug, by=books.owner)
    assert (total.resource, total.used) == (Resource.CPU_HOUR, 278)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (a_line(account="nobody"), "says nothing of the account 'nobody'"),
        (a_line(at=datetime(2026, 11, 22, 7, 0, tzinfo=UTC)), "covers 2026-11-22"),
        (a_line(at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC), hours=3), "in the future"),
        (a_line(at=datetime(2025, 11, 22, tzinfo=UTC)), "no rate"),
        (a_line(gpus=0, cpus=0), "neither GPUs nor CPUs"),
    ],
)
def test_what_cannot_be_booked_is_quarantined_with_its_line_and_reason(books: Books, line: Told, why: str) -> None:
    dump = books.take(replace(line, line=41), a_line("99", line=42), refused=(Refused(7, "not a line"),))
    assert counts(dump) == (3, 1, 0, 0, 0, 2)
    kept = books.town.services.bridge.quarantined(dump.id, limit=10, after=-1, by=books.town.operator)
    assert [one.line for one in kept] == [7, 41]
    assert why in kept[1].reason
    assert [
        one.line for one in books.town.services.bridge.quarantined(dump.id, limit=10, after=7, by=books.town.operator)
    ] == [41]


def test_money_that_may_not_pay_for_the_purpose_does_not(town: Town) -> None:
    town.person("europe", "funder", kind="funder")
    town.services.giving.contribute(
        "europe", "eu", 10, {"gpu_hour": 2_000, "cpu_hour": 50_000, "expert_hour": 50}, name="europe", by=town.operator
    )
    books = Books(town)
    dump = town.services.bridge.open(
        "lisa", "", SHA, [Mapped("astro", books.slug, purpose="dual_use")], by=town.operator
    )
    after, _ = town.services.bridge.take(dump.id, [a_line()], [], 0, by=town.operator)
    assert after.quarantined == 1
    assert (
        "may not pay for a purpose that is dual use"
        in town.services.bridge.quarantined(dump.id, limit=1, after=-1, by=town.operator)[0].reason
    )


def test_a_map_row_with_a_cluster_goes_before_one_without(town: Town) -> None:
    books, other = Books(town), Books(town)
    accounts = [Mapped("astro", books.slug), Mapped("astro", other.slug, cluster="lisa")]
    dump = town.services.bridge.open("lisa", "", SHA, accounts, by=town.operator)
    town.services.bridge.take(
        dump.id, [a_line(at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC), hours=1)], [], 0, by=town.operator
    )
    assert (books.used()[0], other.used()[0]) == (0, 2 * MICRO)


def test_a_preview_says_what_would_be_and_leaves_nothing(books: Books) -> None:
    bridge, by = books.town.services.bridge, books.town.operator
    batch = bridge.preview([Mapped("astro", books.slug)], [a_line(), a_line("18", account="x")], by=by)
    assert (batch.booked, batch.known, len(batch.refused)) == (1, 0, 1)
    assert [one.used for one in batch.totals()] == [2 * MICRO]
    assert (books.used(), books.entries(), bridge.dumps(limit=5, by=by)) == ((0, 0), [], [])


def test_the_hash_of_the_dump_stands_in_the_log(books: Books) -> None:
    dump = books.take(a_line())
    events = books.town.services.audit.events(by=books.town.operator, subject=dump.id).items
    assert [one.action for one in events] == ["usage.imported", "usage.booked", "usage.import_opened"]
    assert SHA in events[0].facts


def test_a_closed_import_takes_nothing_more(books: Books) -> None:
    dump = books.take(a_line())
    with pytest.raises(WrongState):
        books.town.services.bridge.take(dump.id, [a_line("18")], [], 0, by=books.town.operator)
    assert books.town.services.bridge.close(dump.id, by=books.town.operator) == dump


def test_a_member_does_not_import_and_a_map_must_be_right(books: Books) -> None:
    bridge = books.town.services.bridge
    with pytest.raises(NotPermitted):
        bridge.open("lisa", "", SHA, [Mapped("astro", books.slug)], by=books.owner)
    for accounts in (
        [],
        [Mapped("astro", "no-such")],
        [Mapped("astro", books.slug, purpose="fun")],
        [Mapped("astro", books.slug)] * 2,
    ):
        with pytest.raises(InvalidInput):
            bridge.open("lisa", "", SHA, accounts, by=books.town.operator)
    with pytest.raises(NotFound):
        bridge.take("dmp_none", [], [], 0, by=books.town.operator)


class TestClaims:
    """A member tells of their own job; the site's accounts have the last word."""

    def claim(self, books: Books, told: Told, by: Caller | None = None) -> int:
        return books.town.services.bridge.claim(books.slug, told, by=by or books.owner).used_micro

    def test_it_is_booked_once(self, books: Books) -> None:
        assert [self.claim(books, a_line()) for _ in range(2)] == [2 * MICRO] * 2
        assert books.left() == 8 * MICRO

    def test_the_accounts_of_the_site_put_it_right_and_book_nothing_twice(self, books: Books) -> None:
        self.claim(books, a_line(hours=0.5))
        assert counts(books.take(a_line(hours=2))) == (1, 1, 1, 0, 0, 0)
        assert books.left() == 6 * MICRO
        assert self.claim(books, a_line(hours=0.5)) == 4 * MICRO, "what the site said stands"
        assert books.left() == 6 * MICRO

    def test_nobody_claims_what_is_booked_elsewhere(self, town: Town) -> None:
        books, other = Books(town), Books(town)
        told = a_line(at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC))
        self.claim(books, told)
        with pytest.raises(WrongState):
            self.claim(other, told)

    def test_a_stranger_claims_nothing_and_neither_does_a_claim_of_nonsense(self, books: Books) -> None:
        with pytest.raises(NotPermitted):
            self.claim(books, a_line(), books.town.person("others"))
        with pytest.raises(InvalidInput):
            self.claim(books, a_line(gpus=0, cpus=0))
