"""How shares stand to each other is the policy's to say, and the server's own rounds, its replays and its pages go by it; on both databases."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.compute.admission import admit
from fabriek.compute.board import Board
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.jobs import State as JobState
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import jobs
from fabriek.funding.policy.policy import policy_of, shipped_policy
from fabriek.kernel.errors import InvalidInput
from fabriek.portal import app as portal
from fabriek.worker.admission import admit_jobs
from tests.contract.test_changing_policy import Board as Funders
from tests.contract.test_changing_policy import board, row
from tests.factories.services import a_town
from tests.servers.app import serving

__all__ = ["board"]

SOON = date(2026, 11, 25)
PUBLIC = row("share", 'name = "europe"\nwithin = "public"', SOON) + row(
    "share", 'name = "defence"\nwithin = "public"', SOON
)


class Machine:
    """Of four CPUs: the nation may have two, Europe and Defence one each."""

    def __init__(self, board: Funders) -> None:
        self.board, self.services = board, board.town.services
        person = board.town.person("weefsel")
        self.project = board.town.project(person)
        self.person = board.town.again(person)
        self.ids = {one.name: one.id for one in self.services.funding.shares()}

    def agree(self, toml: str) -> None:
        self.board.sign(self.board.propose(toml), self.board.nation, self.board.europe, self.board.defence)
        self.board.to(SOON)

    def submit(self, share: str, **asked: int) -> str:
        """A job for which this share pays."""
        made = self.services.compute.submit(
            self.project, JobAsked(("true",), cpus=asked.get("cpus", 1), wall_seconds_max=3_600), by=self.person
        )
        self._set(made.id, share=self.ids[share])
        return made.id

    def finished(self, share: str) -> None:
        at = self.board.town.clock.now()
        self._set(
            self.submit(share), state=str(JobState.SUCCEEDED), submitted_at=at, started_at=at, ended_at=at + timedelta(hours=1),
            ran_seconds=3600.0,
        )  # fmt: skip

    def decided(self) -> dict[str, Decision]:
        """What a round would say now; the queue, `why` and the forecast ask in the same words."""
        return {one.job: one for one in admit(self.services.progress.snapshot(), self.board.town.clock.now())}

    def stands(self, *ids: str) -> list[bool]:
        admit_jobs(self.services)
        found = self.services.database.rows(select(jobs.c.id).where(jobs.c.state != str(JobState.QUEUED)))
        return [one in {row.id for row in found} for one in ids]

    def _set(self, job: str, **values: object) -> None:
        with self.services.database.transaction():
            self.services.database.execute(update(jobs).where(jobs.c.id == job).values(**values))


@pytest.fixture
def machine(board: Funders) -> Machine:
    return Machine(board)


def full_but_europes(machine: Machine) -> None:
    """Nation and Defence have their own; one CPU is free, which would be Europe's."""
    assert machine.stands(*(machine.submit(name) for name in ("nation", "nation", "defence"))) == [True] * 3


def test_side_by_side_who_came_first_has_what_another_leaves(machine: Machine) -> None:
    full_but_europes(machine)
    first, second = machine.submit("nation"), machine.submit("defence")
    assert machine.stands(first, second) == [True, False]


def test_what_a_member_of_a_group_leaves_goes_first_to_its_other_member(machine: Machine) -> None:
    machine.agree(PUBLIC)
    full_but_europes(machine)
    first, second = machine.submit("nation"), machine.submit("defence")
    told = machine.decided()
    assert (told[second].starts, told[second].code) == (True, Because.BORROWS)
    assert machine.stands(first, second) == [False, True]


def test_what_the_members_used_lately_is_what_their_group_used(machine: Machine) -> None:
    machine.agree(PUBLIC)
    full_but_europes(machine)
    machine.services.progress.snapshot()
    machine.board.town.clock.move(timedelta(days=3))
    shot, now = machine.services.progress.snapshot(), machine.board.town.clock.now()
    assert shot.shares["group:public"] == 500_000
    use = Board(shot, now).use
    use.begin(now)
    assert use.budget is not None
    assert (
        use.budget.mean("group:public", now.timestamp())
        == use.budget.mean(machine.ids["defence"], now.timestamp())
        > 0.04
    )
    # The nation used half of the machine and they a quarter, of equal parts: what it owes they may use.
    assert use.entitled("group:public") > 500_000 > use.entitled(machine.ids["nation"])


def test_a_group_at_its_ceiling_waits_and_says_whose_it_is(machine: Machine) -> None:
    machine.agree(PUBLIC + row("share", 'name = "public"\nceiling = 0.25', SOON))
    assert machine.stands(machine.submit("defence")) == [True]
    held, wide, other = machine.submit("europe"), machine.submit("europe", cpus=2), machine.submit("nation")
    told = machine.decided()
    assert told[held].code is Because.CEILING
    assert told[held].reason.startswith(
        "Waits for its share: public, in which it lies, may use 25 % of the machine at most and uses 25 %, this job takes 25 %; room is expected"
    )
    assert told[wide].code is Because.TOO_BIG
    assert told[wide].reason.endswith("and public, in which its share lies, may use 25 % at most.")
    assert machine.stands(held, wide, other) == [False, False, True]
    [look] = [one for one in machine.services.queueing.look().places if one.waiting.job == held]
    assert look.decision.reason == told[held].reason


def test_a_share_at_its_own_ceiling_waits_while_the_machine_is_idle(machine: Machine) -> None:
    machine.agree(row("share", 'name = "defence"\nceiling = 0.5', SOON))
    ids = [machine.submit("defence") for _ in range(3)]
    assert machine.stands(*ids) == [True, True, False]
    assert machine.decided()[ids[2]].reason.startswith("Waits for its share: it may use 50 % of the machine at most")


def test_who_borrows_must_yield_where_the_funders_say_so(machine: Machine) -> None:
    machine.agree(row("borrowing", "borrowers_yield = true", SOON))
    own, more = machine.submit("defence"), machine.submit("defence")
    assert machine.stands(own, more) == [True, False]
    assert "beyond that only jobs start that may be put back" in machine.decided()[more].reason


def test_nothing_of_it_holds_before_its_day(machine: Machine) -> None:
    board = machine.board
    board.sign(
        board.propose(row("share", 'name = "defence"\nceiling = 0', SOON)), board.nation, board.europe, board.defence
    )
    assert machine.services.progress.snapshot().rules.ceilings == {}
    assert machine.stands(machine.submit("defence")) == [True]
    board.to(SOON)
    assert machine.services.progress.snapshot().rules.ceilings == {machine.ids["defence"]: 0}


def test_the_effect_of_a_ceiling_is_replayed_before_it_is_signed_and_the_factorys_past_after(machine: Machine) -> None:
    for _ in range(4):
        machine.finished("nation")
    board = machine.board
    board.to(date(2027, 1, 5))
    made = board.propose(row("share", 'name = "nation"\nceiling = 0.5', date(2027, 1, 6)))
    [effect] = [one.replayed for one in made.effect.shares if one.share == machine.ids["nation"]]
    assert effect is not None
    assert (effect.wait_seconds_before, effect.wait_seconds_after) == (0.0, 1800.0)
    waits = machine.services.simulator
    [(_, flat)] = waits.compare({}, by=board.town.operator)
    board.sign(made, board.nation, board.europe, board.defence)
    board.to(date(2027, 1, 6))
    [(_, bounded), (_, scaled)] = waits.compare({"europe": 2.0}, by=board.town.operator)
    assert [one.wait_seconds_mean for one in (flat, bounded, scaled)] == [0.0, 1800.0, 1800.0]


REFUSED: Sequence[tuple[str, str]] = [
    (row("share", 'name = "public"\nwithin = "public"'), "would lie within itself"),
    (row("share", 'name = "europe"\nbelow = "public"'), "has no 'below'"),
    (row("share", 'name = "europe"\nceiling = 2'), "does not lie between 0 and 1"),
    (row("share", 'name = "europe"\nwithin = "public"'), "europe alone lies within public"),
    (row("share", 'name = "nobody"\nceiling = 0.5'), "there is no share nobody"),
    (row("share", 'name = "europe"\nwithin = "a"') + row("share", 'name = "europe"\nwithin = "b"'), "are both for europe"),
    (row("share", 'name = "europe"\nwithin = "nation"') + row("share", 'name = "defence"\nwithin = "nation"'), "nation is a share"),
    (row("borrowing", "borrowers_yield = true") + row("borrowing", "borrowers_yield = false"), "two rows of borrowing overlap"),
]  # fmt: skip


def test_what_makes_no_tree_is_not_proposed(board: Funders) -> None:
    for toml, why in REFUSED:
        with pytest.raises(InvalidInput, match=why) as refused:
            board.propose(toml)
        assert refused.value.fix
    assert board.changing.proposals(by=board.europe) == []


def test_everybody_signs_and_a_day_that_is_taken_is_refused(machine: Machine) -> None:
    board = machine.board
    made = board.propose(PUBLIC)
    assert board.wanted(made) == {"factory", "europe", "defence"}
    assert "share europe: within no other, becomes within public" in board.why(made, "factory")
    board.sign(made, board.nation, board.europe, board.defence)
    with pytest.raises(InvalidInput, match="a row of share europe holds from 2026-11-25 already"):
        board.propose(row("share", 'name = "europe"\nceiling = 0.5', SOON))
    with pytest.raises(InvalidInput, match="public is what a group of shares is called"):
        board.town.person("province", "funder", kind="funder")
        board.town.services.giving.contribute("province", "regional", 1, {}, name="public", by=board.town.operator)


def test_pages_and_interface_say_it_in_plain_words(machine: Machine) -> None:
    machine.agree(
        PUBLIC
        + row("share", 'name = "public"\nceiling = 0.755', SOON)
        + row("share", 'name = "nation"\nceiling = 0.9', SOON)
        + row("borrowing", "borrowers_yield = true", SOON)
    )
    machine.submit("defence", cpus=4)
    services, operator = machine.services, machine.board.town.operator
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    token = services.identity.issue_token(operator.person, by=operator)
    with serving(app) as url, httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        shares = {one["name"]: one for one in client.get("/api/v1/shares").raise_for_status().json()["items"]}
        assert [shares["europe"][name] for name in ("group", "ceiling", "group_ceiling")] == ["public", None, 755_000]
        assert [shares["nation"][name] for name in ("group", "ceiling", "group_ceiling")] == ["", 900_000, None]
        before = client.get("/api/v1/shares?on=2026-11-24").raise_for_status().json()["items"]
        assert {(one["group"], one["ceiling"]) for one in before} == {("", None)}
        for page in ("/funding/shares", "/capacity?lang=en"):
            text = client.get(page).raise_for_status().text
            assert "public: defence, europe. Their parts are one part" in text
            assert "nation may use at most 90 % of the machine at one moment" in text
            assert "public may use at most 75.5 % of the machine" in text
            assert "only jobs that may be put back" in text
        dutch = client.get("/capacity?lang=nl").raise_for_status().text
        assert "public: defence, europe. Hun delen zijn samen" in dutch
        assert "public mag op één moment hoogstens 75,5 % van de machine gebruiken" in dutch
        assert "defence (public)" in client.get("/queue").raise_for_status().text


def test_a_row_of_a_share_that_is_not_there_counts_for_nothing_and_the_pages_say_so(
    database: Database, tmp_path: Path
) -> None:
    start = policy_of(row("share", 'name = "province"\nceiling = 0.1', date(2026, 1, 1)))
    town = a_town(database, tmp_path / "home", policy=shipped_policy() + start)
    assert town.services.progress.snapshot().rules.ceilings == {}
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    token = town.services.identity.issue_token(town.operator.person, by=town.operator)
    with serving(app) as url, httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        rows = {
            one["name"]: one["says"] for one in client.get("/api/v1/funding/policy").raise_for_status().json()["rows"]
        }
        assert rows["share province"].endswith("counts for nothing, since no share has this name")
        assert "counts for nothing" in client.get("/funding/policy").raise_for_status().text
