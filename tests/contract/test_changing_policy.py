"""The policy is changed by proposals that all who lose by them sign, from a day on, and by nothing else; on both databases."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from fabriek.adapters.database import Database
from fabriek.bootstrap.funding import policy_book
from fabriek.compute.jobs import State as JobState
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import jobs
from fabriek.funding.policy.changing import Changing
from fabriek.funding.policy.policy import Policy, policy_of, shipped_policy
from fabriek.funding.policy.proposals import Proposal, State
from fabriek.funding.policy.store_proposals import proposals as table
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import (
    AlreadyExists,
    Damaged,
    FabriekError,
    InvalidInput,
    NotFound,
    NotPermitted,
    Stale,
    WrongState,
)
from fabriek.kernel.units import MICRO
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

DAY = date(2027, 1, 1)
WHY = "the letter of the ministers"


def part(funder: str = "defence", of: float | str = 0.4, day: date = DAY) -> str:
    return f'[[part]]\nfunder = "{funder}"\npart = {of}\nvalid_from = {day}\nsource = "a letter"\n'


def supply(each_day: int, day: date = DAY) -> str:
    return f'[[supply]]\nresource = "gpu_hour"\neach_day = {each_day}\nvalid_from = {day}\nsource = "the machine\'s sheet"\n'


def row(head: str, fields: str, day: date = DAY) -> str:
    return f'[[{head}]]\n{fields}\nvalid_from = {day}\nsource = "a letter"\n'


@dataclass
class Board:
    """Three funders at one table: the nation with a half, Europe and Defence with a quarter each."""

    town: Town
    nation: Caller
    europe: Caller
    defence: Caller

    @property
    def changing(self) -> Changing:
        return self.town.services.changing

    def propose(self, toml: str, *, by: Caller | None = None) -> Proposal:
        return self.changing.propose(toml, WHY, by=by or self.defence)

    def sign(self, proposal: Proposal, *people: Caller) -> Proposal:
        for person in people:
            proposal = self.changing.sign(proposal.id, proposal.digest, by=person)
        return proposal

    def to(self, day: date) -> None:
        self.town.clock.move(timedelta(days=(day - self.town.clock.today()).days))

    def parts(self, on: date | None = None) -> dict[str, int]:
        names = {one.id: one.name for one in self.town.services.funding.shares()}
        return {names[share]: one for share, one in self.town.services.giving.parts(on).items()}

    def wanted(self, proposal: Proposal) -> set[str]:
        return {self.town.services.access.organisation(one).slug for one in proposal.wants}

    def why(self, proposal: Proposal, funder: str) -> str:
        body = self.town.services.access.organisation(funder).id
        return "; ".join(next(one.losses for one in proposal.effect.shares if one.funder == body))

    def actions(self) -> list[str]:
        auditor = self.town.person("court", "auditor")
        found = self.town.services.audit.events(by=auditor, limit=100).items
        return [one.action for one in reversed(found) if one.action.startswith("funding.policy")]


@pytest.fixture
def board(database: Database, tmp_path: Path) -> Board:
    town = a_town(database, tmp_path / "home")
    europe, defence = town.person("europe", "funder", kind="funder"), town.person("defence", "funder", kind="funder")
    for name, kind in (("europe", "eu"), ("defence", "defence")):
        town.services.giving.contribute(name, kind, 500_000, {"gpu_hour": 100}, by=town.operator)
    return Board(town, town.person("factory", "funder"), europe, defence)


def rule_of(act: Callable[[], object], kind: type[FabriekError]) -> str:
    with pytest.raises(kind) as refused:
        act()
    assert refused.value.fix
    return str(refused.value.fields.get("rule", refused.value.detail))


def test_who_loses_signs_and_on_its_day_the_parts_change_and_no_day_before(board: Board) -> None:
    before = board.parts()
    assert before == {"nation": 500_000, "europe": 250_000, "defence": 250_000}
    made = board.propose(part())
    assert board.wanted(made) == {"factory", "europe"}
    assert board.why(made, "europe") == "its part of the machine falls from 25 % to 20 % on 2027-01-01"
    assert board.why(made, "defence") == ""
    assert made.lapses_on == date(2026, 12, 22)
    assert [len(board.changing.waiting(by=one)) for one in (board.nation, board.europe, board.defence)] == [1, 1, 0]
    half = board.sign(made, board.nation)
    assert board.changing.waiting(by=board.nation) == []
    assert (half.state, board.wanted(half), len(half.missing)) == (State.PROPOSED, {"factory", "europe"}, 1)
    assert board.parts(DAY) == before
    whole = board.sign(half, board.europe)
    assert whole.state is State.SIGNED
    assert board.parts() == before
    board.to(date(2026, 12, 31))
    assert board.parts() == before
    board.to(DAY)
    assert board.parts() == {"nation": 400_000, "europe": 200_000, "defence": 400_000}
    assert board.parts(date(2026, 12, 31)) == before
    assert board.changing.state(whole) is State.IN_FORCE
    board.changing.keep_days()
    board.changing.keep_days()
    assert board.changing.get(made.id, by=board.europe).state is State.IN_FORCE
    assert board.actions() == [
        "funding.policy_proposed", "funding.policy_signed", "funding.policy_signed", "funding.policy_agreed", "funding.policy_in_force",
    ]  # fmt: skip


def test_the_effect_on_last_quarter_is_there_per_funder_and_no_past_bill_changes(board: Board) -> None:
    services = board.town.services
    gave = board.propose(supply(1_000), by=board.nation)
    assert (gave.wants, gave.state) == ((), State.SIGNED)
    board.to(date(2027, 4, 2))
    services.giving.keep_quarters()
    entries = services.funding.entries(account_name="", limit=500, by=board.town.operator)
    made = board.propose(part(day=date(2027, 5, 1)))
    assert made.effect.quarter == "2027Q1"
    hours = {one.share: (one.entitled[0].before // MICRO, one.entitled[0].after // MICRO) for one in made.effect.shares}
    named = {one.name: hours[one.id] for one in services.funding.shares()}
    assert named == {"nation": (45_000, 36_000), "europe": (22_500, 18_000), "defence": (22_500, 36_000)}
    board.sign(made, board.nation, board.europe)
    board.to(date(2027, 5, 1))
    services.giving.keep_quarters()
    after = services.funding.entries(account_name="", limit=500, by=board.town.operator)
    assert {one.id for one in entries} <= {one.id for one in after}
    assert services.funding.balanced()
    share = next(one.id for one in services.funding.shares() if one.name == "europe")
    quarter = sum(one.amount_micro for one in after if one.account == f"share:{share}" and "2027Q2" in one.memo)
    assert quarter == (30 * 250 + 61 * 200) * MICRO  # April as it was, then as agreed


def test_last_quarters_jobs_are_replayed_under_both_by_the_real_admission(board: Board, database: Database) -> None:
    person = board.town.person("weefsel")
    project = board.town.project(person)
    person = board.town.again(person)
    for number in range(6):
        made = board.town.services.compute.submit(project, JobAsked(("true",), cpus=4), by=person)
        assert made.share == next(one.id for one in board.town.services.funding.shares() if one.name == "nation")
        at = board.town.clock.now()
        with database.transaction():
            database.execute(
                update(jobs).where(jobs.c.id == made.id).values(
                    state=str(JobState.SUCCEEDED), submitted_at=at, started_at=at, ended_at=at + timedelta(hours=1),
                    ran_seconds=3600.0, purpose="dual_use" if number < 2 else "civilian",
                )
            )  # fmt: skip
    board.to(date(2027, 1, 5))
    effect = board.propose(part(day=date(2027, 2, 1))).effect
    assert (effect.quarter, effect.jobs, effect.jobs_of) == ("2026Q4", 6, 6)
    (replayed,) = [one.replayed for one in effect.shares if one.replayed]
    assert replayed.used_before == replayed.used_after == 6.0
    assert replayed.wait_seconds_before == replayed.wait_seconds_after == 2.5 * 3600
    day = date(2027, 2, 1)
    dearer = row("rate", 'resource = "cpu_hour"\nper = "cpu"\namount = 2', day)
    narrower = row("rule", 'id = "purpose.n"\nfunder = "national"\npays = ["civilian"]', day)
    (replayed,) = [one.replayed for one in board.propose(dearer + narrower).effect.shares if one.replayed]
    assert (replayed.jobs_before, replayed.jobs_after, replayed.used_after) == (6, 4, 4.0)
    assert replayed.wait_seconds_after == 1.5 * 3600
    (charged,) = replayed.charged
    assert (charged.resource, charged.before, charged.after) == ("cpu_hour", 24 * MICRO, 32 * MICRO)


LOSSES: list[tuple[str, set[str], str]] = [
    (row("cap", 'id = "cap.director"\nof = "share"\nuses = ["director"]\npart = 0.1'), {"factory", "europe", "defence"},
     "a cap on its money changes: director: at most 5 %, becomes director: at most 10 %"),
    (row("cap", 'id = "cap.eu_commercial"\nof = "share"\nfunder = "eu"\nuses = ["commercial"]\npart = 0.1'), {"europe"}, "at most 20 %"),
    (row("cap", 'id = "cap.eu_commercial"\nof = "share"\nfunder = "defence"\nuses = ["commercial"]\npart = 0.2'), {"europe", "defence"},
     "becomes no cap"),
    (row("cap", 'id = "cap.eu_machine"\nof = "machine"\nfunder = "eu"\npart = 0.6'), {"factory", "europe", "defence"}, "at most 60 %"),
    (row("rule", 'id = "purpose.eu"\nfunder = "eu"\npays = ["civilian", "dual_use"]'), {"europe"}, "its money pays too for what is dual use"),
    (row("rule", 'id = "purpose.d"\nfunder = "defence"\npays = ["civilian"]'), {"defence"}, "no longer pays for what is dual use"),
    (row("carry", "most = 0.5"), {"factory", "europe", "defence"}, "50 % is carried over and not 100 %"),
    (row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 2'), {"factory", "europe", "defence"},
     "costs 2 per GPU in GPU-hours and not 1 per GPU"),
    (row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 3\nkind = "h200"'), {"factory", "europe", "defence"},
     "an hour of h200 costs 3 per GPU"),
    (row("rate", 'resource = "gpu_hour"\nmax = [{ per = "gpu", amount = 1 }, { per = "cpu", amount = 0.01 }]'),
     {"factory", "europe", "defence"}, "costs max(1 per GPU, 0.01 per CPU)"),
    (row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 1\nsmallest = 1\nnode = { gpu = 4 }'),
     {"factory", "europe", "defence"}, "nodes of 4 GPUs; whole ones"),
]  # fmt: skip


def test_each_kind_of_loss_asks_those_whose_it_is(board: Board) -> None:
    for toml, wanted, why in LOSSES:
        made = board.propose(toml)
        assert board.wanted(made) == wanted, toml
        assert why in " ".join(why for one in made.effect.shares for why in one.losses)
        assert made.state is State.PROPOSED
    assert board.propose(row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 0.5')).state is State.SIGNED


def test_a_smaller_supply_asks_everybody_and_a_later_loss_asks_too(board: Board) -> None:
    board.propose(supply(1_000))
    assert board.wanted(board.propose(supply(900, date(2027, 2, 1)))) == {"factory", "europe", "defence"}
    # Europe's next sum counts from March: until then it loses nothing that anybody could see today.
    body = board.town.services.giving
    more, _ = body.apply("europe", "eu", 1_500_000, by=board.europe)
    board.town.services.giving.step(more.id, "granted", on=date(2027, 3, 1), by=board.europe)
    made = board.propose(part("europe", 0.25, date(2027, 2, 15)), by=board.nation)
    assert "europe" in board.wanted(made)
    assert "on 2027-03-01" in board.why(made, "europe")


NEVER: list[tuple[str, str]] = [
    ("", "no row"),
    ("part = [", "not TOML"),
    ("[[power]]\nwatts = 1", r"\[\[power\]\] is no kind of row"),
    ('[[part]]\nfunder = "defence"\npart = 0.4\nvalid_from = 2027-01-01', "names no source"),
    (part(of=1.2), "between 0 and 1"),
    (part() + part("europe", 0.7), "make 110 %"),
    (part("nobody"), "no organisation nobody"),
    (part("europe", 0.6), "holds at most 50 %"),
    (part(day=date(2026, 11, 24)), "has come already"),
    (part(day=date(2020, 1, 1)), "has come already"),
    (part() + supply(5, date(2027, 2, 1)), "rows hold from 2027-01-01 and from 2027-02-01"),
    (part() + part(of=0.3), "overlap"),
    (row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 2') + row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 3'),
     "are both for gpu_hour from 2027-01-01"),
    (row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = -1'), "below zero"),
    (row("cap", 'id = "cap.x"\nof = "share"\nuses = ["commercial"]\npart = 1.5'), "between 0 and 1"),
    ("#" * 50_001, "at most 50,000"),
    ("x = " + "[" * 49_000, "no figure of a policy"),
    (part(of="1e999999"), "is not an amount"),
    (part(of="nan"), "not an amount"),
    (part(of="-0.1"), "between 0 and 1"),
    (part(of="0.12345678"), "finer than a millionth"),
    (part(of="true"), "not"),
    (supply(10**11), "at most 10,000,000,000"),
    (row("rate", 'resource = "gpu_hour"\nmax = [{ per = "gpu", amount = 1 }, { per = "cpu", amount = 1e9 }]'), "costs at most 1,000,000"),
    (row("cap", 'id = "cap.x"\nof = "organisation"\nuses = ["playground"]\nhours = 1e15'), "at most 10,000,000,000 hours"),
]  # fmt: skip


def test_what_can_never_be_in_force_is_not_proposed(board: Board) -> None:
    for toml, what in NEVER:
        with pytest.raises(InvalidInput, match=what) as refused:
            board.propose(toml)
        assert refused.value.fix
    assert board.changing.proposals(by=board.europe) == []


def test_a_funder_has_one_name_and_a_cap_hides_no_other_row_by_its_own(board: Board) -> None:
    with pytest.raises(InvalidInput, match="no organisation org_"):
        board.propose(part(board.defence.organisation))
    hiding = row("cap", 'id = "rate gpu_hour"\nof = "share"\nfunder = "defence"\nuses = ["science"]\npart = 0.9')
    board.sign(board.propose(hiding), board.defence)
    dearer = row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 2', date(2027, 2, 1))
    assert board.wanted(board.propose(dearer)) == {"factory", "europe", "defence"}


def test_a_part_for_who_gives_nothing_yet_is_refused_since_nobody_saw_whom_it_costs(board: Board) -> None:
    board.town.person("province", "funder", kind="funder")
    with pytest.raises(InvalidInput, match="province gives nothing on 2027-01-01"):
        board.propose(part("province", 0.1))


def test_a_motive_and_a_right_are_needed(board: Board) -> None:
    with pytest.raises(InvalidInput, match="say why"):
        board.changing.propose(part(), " ", by=board.defence)
    member = board.town.person("weefsel")
    made = board.propose(part())
    acts: list[Callable[[], object]] = [
        lambda: board.changing.propose(part(), WHY, by=member),
        lambda: board.changing.sign(made.id, made.digest, by=member),
        lambda: board.changing.refuse(made.id, "no", by=member),
        lambda: board.changing.withdraw(made.id, by=member),
        lambda: board.changing.proposals(by=member),
        lambda: board.changing.get(made.id, by=member),
        lambda: board.changing.rows(by=member),
    ]
    for act in acts:
        with pytest.raises(NotPermitted):
            act()
    # Who runs the factory proposes, and signs for nobody.
    board.propose(supply(10), by=board.town.operator)
    assert rule_of(lambda: board.changing.sign(made.id, made.digest, by=board.town.operator), NotPermitted) == "funding.sign"  # fmt: skip
    with pytest.raises(NotFound):
        board.changing.get("pol_nothing", by=board.europe)


def test_signatures_are_one_for_each_funder_by_its_own_people_of_what_they_saw(board: Board) -> None:
    made, changing = board.propose(part()), board.changing
    assert rule_of(lambda: changing.sign(made.id, "0" * 64, by=board.europe), Stale).startswith("what you saw")
    assert rule_of(lambda: board.sign(made, board.defence), NotPermitted) == "policy.not_asked"
    stranger = board.town.person("weefsel", "funder")
    assert rule_of(lambda: board.sign(made, stranger), NotPermitted) == "policy.not_asked"
    board.sign(made, board.europe)
    assert "has signed" in rule_of(lambda: board.sign(made, board.town.person("europe", "funder")), AlreadyExists)
    # Somebody who has moved to another house meanwhile.
    moved = replace(board.europe, organisation=board.nation.organisation)
    assert rule_of(lambda: board.sign(made, moved), NotPermitted) == "policy.one_person"
    done = board.sign(made, board.nation)
    assert "signed" in rule_of(lambda: board.sign(done, board.nation), WrongState)
    assert "signed" in rule_of(lambda: changing.withdraw(made.id, by=board.defence), WrongState)
    assert "signed" in rule_of(lambda: changing.refuse(made.id, "no", by=board.europe), WrongState)


def test_who_loses_may_refuse_and_who_proposed_withdraws(board: Board) -> None:
    made, changing = board.propose(part()), board.changing
    assert rule_of(lambda: changing.refuse(made.id, "no", by=board.defence), NotPermitted) == "policy.not_asked"
    assert rule_of(lambda: changing.withdraw(made.id, by=board.europe), NotPermitted) == "policy.not_yours"
    ended = changing.refuse(made.id, "we need it", by=board.europe)
    assert (ended.state, ended.words, ended.ended_by) == (State.REFUSED, "we need it", board.europe.person)
    assert "is refused" in rule_of(lambda: board.sign(made, board.nation), WrongState)
    other = board.propose(part())
    assert changing.withdraw(other.id, by=board.town.person("defence", "funder")).state is State.WITHDRAWN
    assert board.parts(DAY)["defence"] == 250_000


def test_what_is_not_signed_in_time_lapses_and_is_signed_no_more(board: Board) -> None:
    made = board.sign(board.propose(part()), board.europe)
    soon = board.propose(supply(5) + part("europe", 0.1, DAY), by=board.nation)
    board.to(made.lapses_on)
    board.changing.keep_days()
    assert board.changing.get(made.id, by=board.europe).state is State.PROPOSED
    board.to(made.lapses_on + timedelta(days=1))
    assert board.changing.state(made) is State.LAPSED
    assert "is lapsed" in rule_of(lambda: board.sign(made, board.nation), WrongState)
    assert "is lapsed" in rule_of(lambda: board.changing.withdraw(soon.id, by=board.nation), WrongState)
    board.changing.keep_days()
    assert board.changing.get(made.id, by=board.europe).state is State.LAPSED
    assert board.parts(DAY)["defence"] == 250_000
    late = board.propose(part(of=0.3))
    assert late.lapses_on == date(2026, 12, 31)  # the day before, whatever the term says


def test_the_second_of_two_is_compared_with_what_the_first_made(board: Board) -> None:
    first, second = board.propose(part()), board.propose(part("europe", 0.3, date(2027, 2, 1)), by=board.europe)
    board.sign(second, board.nation)
    board.sign(first, board.nation, board.europe)
    assert board.changing.is_stale(second)
    assert not board.changing.is_stale(board.changing.get(first.id, by=board.europe))
    assert board.changing.waiting(by=board.defence) == []
    assert rule_of(lambda: board.sign(second, board.defence), Stale).startswith("the policy, or what funders give")
    assert board.changing.get(second.id, by=board.europe).state is State.PROPOSED
    again = board.propose(part("europe", 0.3, date(2027, 2, 1)), by=board.europe)
    assert board.wanted(again) == {"factory"}  # Defence has its agreed 40 % whatever comes
    assert board.why(again, "factory").endswith("falls from 40 % to 30 % on 2027-02-01")
    with pytest.raises(InvalidInput, match="holds from 2027-01-01 already"):
        board.propose(part(of=0.5))


def test_money_that_comes_meanwhile_asks_for_a_new_look(board: Board) -> None:
    made = board.sign(board.propose(part()), board.europe)
    province = board.town.person("province", "funder", kind="funder")
    board.town.services.giving.contribute("province", "regional", 100_000, {}, by=province)
    with pytest.raises(Stale):
        board.sign(made, board.nation)
    assert board.wanted(board.propose(part())) == {"factory", "europe", "province"}


def test_all_sign_at_once_and_it_is_agreed_on_once(board: Board) -> None:
    made = board.propose(part())
    people = [board.europe, board.nation, board.town.person("europe", "funder"), board.town.person("factory", "funder")]
    outcomes = at_once(lambda number: board.sign(made, people[number % 4]), times=8)
    assert sum(isinstance(one, Proposal) for one in outcomes) == 2
    assert all(isinstance(one, Proposal | AlreadyExists | WrongState) for one in outcomes), outcomes
    assert board.actions().count("funding.policy_agreed") == 1


def test_rates_and_rules_of_a_running_installation_follow_without_a_restart(board: Board) -> None:
    services = board.town.services
    soon = date(2026, 12, 1)
    dearer = row("rate", 'resource = "cpu_hour"\nper = "cpu"\namount = 2', soon)
    board.sign(board.propose(dearer), board.nation, board.europe, board.defence)
    assert [one.amount_micro for one in services.policy.rates if one.resource is Resource.CPU_HOUR] == [
        MICRO,
        2 * MICRO,
    ]
    assert "2 for each cpu" not in str(services.changing.rows(by=board.europe))
    assert services.changing.rows(soon, by=board.europe)["rate cpu_hour"].source == "a letter"
    person = board.town.person("weefsel")
    project = board.town.project(person)
    person = board.town.again(person)
    board.to(soon)
    job = services.compute.submit(project, JobAsked(("true",), cpus=1, wall_seconds_max=3600), by=person)
    left = next(
        one for one in services.funding.left(services.access.project(project).id) if one.resource is Resource.CPU_HOUR
    )
    assert left.held == 2 * MICRO, job


def test_what_is_written_past_the_signatures_counts_for_nothing(board: Board, database: Database) -> None:
    made = board.propose(part())
    row = dict(database.rows(select(table).where(table.c.id == made.id))[0]._mapping)
    forged = row | {"id": "pol_forged", "state": "signed", "agreed": 1}
    with database.transaction():
        database.execute(insert(table).values(**forged))
    with pytest.raises(Damaged, match="not what its funders signed"):
        board.town.services.policy.latest()
    with database.transaction():
        database.execute(table.delete().where(table.c.id == "pol_forged"))
    board.sign(made, board.europe, board.nation)
    with database.transaction():
        database.execute(update(table).where(table.c.id == made.id).values(toml=part(of=0.9)))
    with pytest.raises(Damaged):
        policy_book(database, shipped_policy(), board.town.clock).now()


def test_an_agreement_that_rolls_back_leaves_the_next_one_its_place(board: Board, database: Database) -> None:
    other = supply(7)

    def undone() -> None:
        with database.transaction():
            board.propose(supply(5))
            assert board.town.services.policy.latest().supply_on(Resource.GPU_HOUR, DAY) == 5 * MICRO
            raise WrongState("as if the disk were full", fix="")

    with pytest.raises(WrongState, match="as if"):
        undone()
    board.propose(other)
    assert board.town.services.policy.latest().supply_on(Resource.GPU_HOUR, DAY) == 7 * MICRO


def test_once_something_was_agreed_on_the_files_change_nothing(board: Board, database: Database) -> None:
    other = policy_of(row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 2', date(2026, 6, 1)))
    assert policy_book(database, shipped_policy() + other, board.town.clock).now().rates[-1].amount_micro == 2 * MICRO
    board.propose(supply(5))
    assert policy_book(database, shipped_policy(), board.town.clock).now().supplies
    start = shipped_policy()
    shorter = replace(start, caps=start.caps[1:])
    for changed in (start + other, shorter, Policy()):
        with pytest.raises(WrongState, match="not those with which") as refused:
            policy_book(database, changed, board.town.clock)
        assert "fabriek funding policy propose" in refused.value.fix
    mended = replace(start, rates=tuple(replace(one, source="said better") for one in start.rates))
    assert policy_book(database, mended, board.town.clock).now().supplies


def test_a_server_does_not_start_with_a_file_of_other_rates_than_funders_signed_for(
    board: Board, database: Database, tmp_path: Path
) -> None:
    board.propose(supply(5))
    file = tmp_path / "rates.toml"
    file.write_text(row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 2', date(2026, 6, 1)))
    with pytest.raises(WrongState, match="rate resource=gpu_hour term=2 per GPU valid_from=2026-06-01"):
        a_town(database, tmp_path / "home", rates=file)


def test_what_another_server_agreed_on_is_seen_within_a_second_and_nothing_is_asked_meanwhile(
    board: Board, database: Database
) -> None:
    other = policy_book(database, shipped_policy(), board.town.clock)
    assert other.now() is other.now()
    board.propose(supply(5))
    assert board.town.services.policy.now().supplies
    assert not other.now().supplies
    board.town.clock.move(timedelta(seconds=1))
    assert other.now().supplies == board.town.services.policy.now().supplies


def test_meters_are_rows_as_all_others(board: Board) -> None:
    less = row("meter", 'resource = "tib_hour"\nevery_seconds = 60\nfree = 0')
    made = board.propose(less)
    assert len(made.wants) == 3
    assert "free where none was awarded" in str(made.effect)
    for wrong in (less.replace(str(DAY), "2020-01-01"), less.replace("every_seconds = 60", "every_seconds = 1000000")):
        with pytest.raises(InvalidInput):
            board.propose(wrong)


def test_the_power_ladder_is_a_row_as_all_others_and_whoever_shares_the_machine_signs_a_change(board: Board) -> None:
    harder = row(
        "ladder",
        'hold_seconds = 3600\ncap_seconds = 900\ncap_part = 0.5\nsuspend_seconds = 300\ndrain = "urgent"\ndrain_seconds = 60',
    )
    made = board.propose(harder)
    assert len(made.wants) == 3
    assert "jobs up to urgent are ended" in str(made.effect)
    assert board.propose(harder.replace("0.5", "0.6").replace("urgent", "normal").replace("= 60", "= 120")).wants == ()
    for was, becomes in (
        ("cap_part = 0.5", "cap_part = 1.5"),
        ("= 300", "= 30"),
        ("urgent", "all"),
        ("= 3600", "= 60"),
        ("= 3600", "= 10000000"),
    ):
        with pytest.raises(InvalidInput):
            board.propose(harder.replace(was, becomes))


def test_who_withdrew_signs_as_long_as_what_was_awarded_of_its_money_is_not_spent(board: Board) -> None:
    town = board.town
    hours = {"gpu_hour": 1_000, "cpu_hour": 1_000_000, "expert_hour": 1_000}
    town.services.giving.contribute("europe", "eu", 1, hours, by=town.operator)
    town.project(town.person("weefsel"), gpu_hours=50)
    for one, _ in town.services.giving.contributions(by=town.operator):
        if one.funder == board.europe.organisation:
            town.services.giving.step(one.id, "withdrawn", by=board.europe)
    wider = row("rule", 'id = "purpose.eu"\nfunder = "eu"\npays = ["civilian", "exclusively_military"]')
    assert board.propose(wider).wants == (board.europe.organisation,)


def test_a_limit_on_how_long_jobs_run_is_a_loss_for_all(board: Board) -> None:
    limit = board.propose(row("rate", 'resource = "gpu_hour"\nper = "gpu"\namount = 1\nwall_hours_max = 1'))
    assert len(limit.wants) == 3
