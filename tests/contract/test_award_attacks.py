"""Awards under attack, on both databases: each way round a rule, by every path that there is, and the books as they were afterwards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from fabriek.access.applying.applications import Application
from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.cli.main import fabriek
from fabriek.funding import ledger
from fabriek.funding.elsewhere.foreign import ForeignKey, Mapped, Told
from fabriek.funding.ledger import Kind, account
from fabriek.funding.policy.policy import shipped_policy
from fabriek.funding.policy.proposals import read_change
from fabriek.funding.policy.rates import rates_of
from fabriek.funding.resources import HOURS_MAX, Resource, amounts_of
from fabriek.funding.store import SqlLedger
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, CreditsExhausted, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from fabriek.sdk import Fabriek
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.servers.app import serving

GPU = Resource.GPU_HOUR
ANSWERS = {"title": "A model", "summary": "x", "purpose": "civilian", "gpu_hours": 5, "months": "1", "data": "x"}
BEYOND = (10**12 + 1, 10**30, 10**400)
SHA = "a" * 64
NO_HOURS = (
    "-5",
    "0",
    "1.5",
    "1000000000001",
    "1" + "0" * 30,
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    '"9"',
    "true",
    "null",
)
"""As a body of JSON could name them."""


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    made = a_town(database, tmp_path / "home")
    hours = {"gpu_hour": 60_000, "cpu_hour": 90_000_000, "expert_hour": 9_000}
    made.person("europe", "funder", kind="funder")
    made.services.giving.contribute("europe", "eu", 10, hours, name="europe", by=made.operator)
    return made


@dataclass
class Wire:
    """The API behind a real port."""

    town: Town
    url: str
    client: httpx.Client

    def ask(self, by: Caller, method: str, path: str, body: Any = None, *, text: str = "") -> httpx.Response:
        """text: a body that is no JSON of ours, as it would be sent."""
        token = self.town.services.identity.issue_token(by.person, by=by)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = text or (json.dumps(body) if body is not None else None)
        return self.client.request(method, f"{self.url}/api/v1{path}", content=content, headers=headers)

    def command(self, by: Caller, *words: str) -> Exception | None:
        """What the command line would say."""
        token = self.town.services.identity.issue_token(by.person, by=by)
        with Fabriek(self.url, token) as factory, pytest.MonkeyPatch.context() as patched:
            for module in ("funding", "apply", "usage"):
                patched.setattr(f"fabriek.cli.{module}.connect", lambda _="": factory)
            done = CliRunner().invoke(fabriek, [*words], standalone_mode=False)
        return done.exception if isinstance(done.exception, Exception) else None


@pytest.fixture
def wire(town: Town) -> Iterator[Wire]:
    with serving(api.build(town.services)) as url, httpx.Client(trust_env=False) as client:
        yield Wire(town, url, client)


def waiting(town: Town, by: Caller, **answers: object) -> Application:
    intake = town.services.intake
    return intake.submit(intake.file("playground", ANSWERS | answers, by=by).id, by=by)


def books(town: Town) -> dict[tuple[str, Resource], int]:
    return dict(SqlLedger(town.services.database).balances())


@contextmanager
def nothing_changes(town: Town) -> Iterator[None]:
    before = books(town)
    yield
    assert books(town) == before
    assert town.services.funding.balanced()


def of_europe(town: Town, by: Caller, hours: int = 50) -> str:
    """A civilian project that Europe's share pays for: its id."""
    filed = waiting(town, by, gpu_hours=hours)
    made, project = town.services.awarding.award(filed.id, share="europe", by=town.operator)
    assert made.share == share_named(town, "europe")
    return project.id


def share_named(town: Town, name: str) -> str:
    return next(one.id for one in town.services.funding.shares() if one.name == name)


def turn_military(town: Town, project: str) -> None:
    """As nobody may: past the check that asks who pays."""
    changed = projects.update().where(projects.c.id == project).values(purpose="exclusively_military")
    with town.services.database.transaction():
        town.services.database.execute(changed)


def test_of_approvals_at_once_by_two_people_and_the_round_one_awards(town: Town, wire: Wire) -> None:
    filed = waiting(town, town.person("weefsel"))
    second = town.person("factory", "operator")

    def approve(number: int) -> object:
        if number % 3 == 2:
            return town.services.awarding.award_waiting(by=town.operator) or WrongState("nothing waited")
        answer = wire.ask((town.operator, second)[number % 3], "POST", f"/applications/{filed.id}/award", {"share": ""})
        return answer.status_code

    outcomes = at_once(approve, times=9)
    awarded = [one for one in outcomes if one in (201, 1)]
    assert len(awarded) == 1, outcomes
    assert {one for one in outcomes if isinstance(one, int)} <= {201, 409, 1}, outcomes
    assert len(town.services.funding.allocations(by=town.operator)) == 1
    with nothing_changes(town):
        assert isinstance(wire.command(town.operator, "funding", "award", filed.id), WrongState)
        with pytest.raises((WrongState, AlreadyExists)):
            town.services.awarding.award(filed.id, by=town.operator)


def test_hours_that_are_none_are_refused_over_http(town: Town, wire: Wire) -> None:
    funder = town.person("europe", "funder", kind="funder")
    applicant = town.person("weefsel")
    asked = ANSWERS | {"gpu_hours": "HOURS"}
    with nothing_changes(town):
        for hours in NO_HOURS:
            given = '{"funder": "europe", "kind": "eu", "amount_euro": 1, "hours": {"gpu_hour": HOURS}}'.replace(
                "HOURS", hours
            )
            assert wire.ask(funder, "POST", "/contributions", text=given).status_code == 422
            euros = '{"funder": "europe", "kind": "eu", "amount_euro": HOURS, "hours": {}}'.replace("HOURS", hours)
            assert wire.ask(funder, "POST", "/contributions", text=euros).status_code == 422
            filed = json.dumps({"call": "playground", "answers": asked}).replace('"HOURS"', hours)
            answer = wire.ask(applicant, "POST", "/applications", text=filed)
            if answer.status_code == 201:  # nothing was answered, or too little: then it cannot be submitted
                answer = wire.ask(applicant, "POST", f"/applications/{answer.json()['id']}/submit")
            assert answer.status_code == 422, answer.text


def test_hours_that_are_none_are_refused_by_command(town: Town, wire: Wire) -> None:
    funder, applicant = town.person("europe", "funder", kind="funder"), town.person("weefsel")
    with nothing_changes(town):
        for hours in ("-5", "0", "1.5", "1" + "0" * 30, "NaN", "1e400", "²", "", "9" * 400):
            words = [f"{name}={value}" for name, value in (ANSWERS | {"gpu_hours": hours}).items()]
            refused = wire.command(
                funder, "funding", "contribute", "europe", "--kind", "eu", "--euro", "1", "--hours", f"gpu_hour={hours}"
            )
            assert isinstance(refused, InvalidInput), refused
            refused = wire.command(applicant, "apply", "new", *(part for one in words for part in ("--answer", one)))
            assert isinstance(refused, InvalidInput), refused


def test_hours_that_are_none_are_refused_by_services_and_by_the_ledger(town: Town) -> None:
    at, share = town.clock.now(), share_named(town, "europe")
    with nothing_changes(town):
        for wrong in (-5, 1.5, float("nan"), float("inf"), *BEYOND):
            with pytest.raises(InvalidInput):
                town.services.giving.contribute("factory", "national", 1, {"gpu_hour": wrong}, by=town.operator)  # type: ignore[dict-item]
            with pytest.raises(InvalidInput):
                amounts_of({"gpu_hour": wrong})
        for wrong in (-5, 0, 1.5, True, *BEYOND):
            with pytest.raises(InvalidInput):
                town.services.giving.contribute("factory", "national", wrong, {"gpu_hour": 1}, by=town.operator)  # type: ignore[arg-type]
        for wrong in (0, -1, ledger.AMOUNT_MAX + 1, 10**400):
            with pytest.raises(InvalidInput):
                ledger.grant_share("led_x", "con_x", share, {GPU: wrong}, at)
            with pytest.raises((InvalidInput, CreditsExhausted)):
                ledger.award("led_x", share, "alc_x", {GPU: wrong}, at, left={GPU: 10})
            with pytest.raises((InvalidInput, CreditsExhausted)):
                ledger.extend("led_x", "rule", share, "alc_x", {GPU: wrong}, at, left={GPU: 10})
            held = ledger.Hold("job_x", "alc_x", share, GPU, wrong)
            with pytest.raises((InvalidInput, CreditsExhausted)):
                ledger.hold("led_x", held, at, left_micro=10)
    assert HOURS_MAX * MICRO <= ledger.AMOUNT_MAX < 2**63


def test_an_award_of_hours_that_are_none_is_refused_wherever_they_come_from(town: Town) -> None:
    filed = waiting(town, town.person("weefsel"))
    docket = town.services.reviewing.docket
    for wrong in (-5, 0, 1.5, 10**30, "5", True):
        with town.services.database.transaction():  # as no form would have let it in
            docket.applications.save(replace(filed, answers={**filed.answers, "gpu_hours": wrong}))
        with nothing_changes(town), pytest.raises((InvalidInput, CreditsExhausted, NotPermitted)):
            town.services.awarding.award_decided(filed, wrong, share="", by=town.operator)  # type: ignore[arg-type]


def test_a_military_project_is_not_paid_by_europe_over_http_by_command_or_by_its_ledger(town: Town, wire: Wire) -> None:
    applicant = town.person("weefsel")
    filed = waiting(town, applicant, purpose="exclusively_military")
    europe = share_named(town, "europe")
    with nothing_changes(town):
        for named in ("europe", europe):
            answer = wire.ask(town.operator, "POST", f"/applications/{filed.id}/award", {"share": named})
            assert (answer.status_code, answer.json()["rule"]) == (403, "purpose.eu_civilian_only")
            refused = wire.command(town.operator, "funding", "award", filed.id, "--share", named)
            assert isinstance(refused, NotPermitted), refused
    made, _ = town.services.awarding.award(filed.id, by=town.operator)
    assert made.share == share_named(town, "nation")


def test_a_project_that_turned_military_is_not_paid_by_europe_whatever_is_said_of_its_jobs(town: Town) -> None:
    funding = town.services.funding
    project = of_europe(town, town.person("weefsel"))
    funding.hold(project, Purpose.CIVILIAN, GPU, 2 * MICRO, "job_before")
    with pytest.raises(NotPermitted):
        funding.check_purpose(project, Purpose.EXCLUSIVELY_MILITARY)
    turn_military(town, project)
    with nothing_changes(town):
        for purpose in Purpose:
            with pytest.raises(NotPermitted) as refused:
                funding.hold(project, purpose, GPU, MICRO, f"job_{purpose}")
            assert refused.value.fields["rule"] == "purpose.eu_civilian_only"
        with pytest.raises(NotPermitted):
            funding.raise_hold("job_before", 3 * MICRO)
    # What began while it was civilian is paid as it was promised.
    funding.settle("job_before", 2 * MICRO)
    assert funding.balanced()


def test_usage_elsewhere_of_a_military_project_is_not_booked_on_europe_by_a_map_that_calls_it_civilian(
    town: Town, wire: Wire
) -> None:
    bridge, by = town.services.bridge, town.operator
    project = of_europe(town, town.person("weefsel"))
    slug = town.services.access.project(project).slug
    town.clock.move(timedelta(days=1))
    turn_military(town, project)
    at = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    told = Told(2, ForeignKey("lisa", "lisa", "17", "", at), "astro", "COMPLETED", 3600, 2, 8, is_over=True)
    with nothing_changes(town):
        for purpose in ("", "civilian", "dual_use"):
            dump = bridge.open("lisa", "dump.txt", SHA, [Mapped("astro", slug, purpose=purpose)], by=by)
            _, batch = bridge.take(dump.id, [told], (), 0, by=by)
            assert batch.booked == 0
            assert "may not pay for a purpose that is exclusively military" in batch.refused[0].reason
        mapped = {"account": "astro", "project": slug, "purpose": "civilian"}
        opened = wire.ask(by, "POST", "/foreign/dumps", {"site": "lisa", "sha256": SHA, "accounts": [mapped]})
        line = {
            "cluster": "lisa", "job": "17", "started_at": at.isoformat(), "account": "astro", "state": "COMPLETED", "elapsed_seconds": 3600,
            "gpus": 2, "cpus": 8, "is_over": True,
        }  # fmt: skip
        answer = wire.ask(by, "POST", f"/foreign/dumps/{opened.json()['id']}/lines", {"jobs": [line]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["quarantined"] == 1
    for purpose in Purpose:  # and a civilian project's use that its map calls military is not Europe's either
        civilian = town.services.access.project(of_europe(town, town.person("brein")))
        town.clock.move(timedelta(days=1))
        dump = bridge.open("lisa", "d", SHA, [Mapped("astro", civilian.slug, purpose=purpose)], by=by)
        key = ForeignKey("lisa", "lisa", "18", str(len(purpose)), town.clock.now() - timedelta(hours=2))
        _, batch = bridge.take(dump.id, [replace(told, key=key)], (), 0, by=by)
        assert batch.booked == (purpose is Purpose.CIVILIAN)


def test_one_company_behind_ten_projects_meets_its_cap_once(town: Town) -> None:
    access, describing = town.services.access, town.services.describing
    head = town.person("moeder", kind="company")
    people = []
    for number in range(9):
        people.append(town.person(f"dochter-{number}", kind="startup"))
        describing.describe(f"dochter-{number}", head="moeder", by=town.operator)
    refusals: list[object] = []
    for number, by in enumerate(people):
        filed = waiting(town, by, gpu_hours=1_000, title=f"Part {number}")
        try:
            town.services.awarding.award(filed.id, share="europe", by=town.operator)
        except NotPermitted as error:
            refusals.append(error.fields["rule"])
            town.services.reviewing.desk.withdraw(filed.id, by=by)
    assert refusals == ["cap.playground_organisation"] * 4
    with pytest.raises(NotPermitted):
        last = waiting(town, head, gpu_hours=1)
        town.services.awarding.award(last.id, by=town.operator)
    assert access.organisation("moeder").id == describing.head_of("dochter-3").id


def test_what_a_company_was_awarded_before_its_group_was_known_counts_too(town: Town) -> None:
    describing = town.services.describing
    town.person("moeder", kind="company")
    before = waiting(town, town.person("dochter-1"), gpu_hours=4_999)
    town.services.awarding.award(before.id, share="europe", by=town.operator)
    other = town.person("dochter-2")
    for slug in ("dochter-1", "dochter-2"):
        describing.describe(slug, head="moeder", by=town.operator)
    after = waiting(town, other, gpu_hours=2)
    with nothing_changes(town), pytest.raises(NotPermitted) as refused:
        town.services.awarding.award(after.id, by=town.operator)
    assert refused.value.fields["rule"] == "cap.playground_organisation"
    with pytest.raises(NotPermitted):
        town.services.awarding.award_short_route(after, by=town.operator)


def test_a_second_organisation_with_the_same_number_is_not_let_in(town: Town) -> None:
    create = town.services.access.create_organisation
    create("Een", "startup", "NL", "12345678", by=town.operator)
    for same in ("12345678", " 12345678", "1234567\uff18"):
        with pytest.raises((AlreadyExists, InvalidInput)):
            create("Twee", "startup", "NL", same, by=town.operator)
    outcomes = at_once(lambda n: create(f"Drie {n}", "startup", "NL", "87654321", by=town.operator), times=4)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1


def test_cancelling_and_submitting_again_gives_back_nothing_that_was_used(town: Town) -> None:
    funding = town.services.funding
    project = of_europe(town, town.person("weefsel"), hours=10)

    def left() -> int:
        return next(one.left for one in funding.left(project) if one.resource is GPU)

    start = left()
    for number in range(5):
        funding.hold(project, Purpose.CIVILIAN, GPU, 4 * MICRO, f"job_{number}")
        funding.settle(f"job_{number}", MICRO)  # what it ran before it was cancelled
        funding.release(f"job_{number}")
        funding.settle(f"job_{number}", 0)
        funding.hold(project, Purpose.CIVILIAN, GPU, 4 * MICRO, f"job_{number}")  # the same name holds nothing anew
    assert left() == start - 5 * MICRO
    outcomes = at_once(lambda n: (funding.settle("job_x", 0), funding.release("job_x")) and n, times=4)
    assert outcomes == [0, 1, 2, 3]
    with pytest.raises(CreditsExhausted):
        funding.hold(project, Purpose.CIVILIAN, GPU, 6 * MICRO, "job_more")
    assert funding.balanced()


def test_a_correction_of_a_correction_gives_the_first_state_back_and_a_third_changes_nothing(town: Town) -> None:
    store, now = SqlLedger(town.services.database), town.clock.now()
    project = of_europe(town, town.person("weefsel"), hours=10)
    allocation = next(one.id for one in town.services.funding.allocations(by=town.operator) if one.project == project)
    used = ledger.use("led_1", "use:1", {allocation: 3 * MICRO}, GPU, now, job="job_1")
    first = books(town)
    with town.services.database.transaction():
        assert store.post(used) == 1
    second = books(town)
    undone = ledger.counter("led_2", used, now, memo="wrong")
    redone = ledger.counter("led_3", undone, now, memo="was right")
    assert len({used.key, undone.key, redone.key}) == 3
    with town.services.database.transaction():
        assert store.post(undone) == 1
    assert {where: amount for where, amount in books(town).items() if amount} == {w: a for w, a in first.items() if a}
    with town.services.database.transaction():
        assert store.post(redone) == 1
    assert books(town) == second
    with nothing_changes(town), town.services.database.transaction():
        assert store.post(ledger.counter("led_4", used, now, memo="again")) == 0
        assert store.post(ledger.counter("led_5", undone, now, memo="again")) == 0
    spent = ledger.use("led_6", "use:2", {allocation: 7 * MICRO}, GPU, now, job="job_2")
    with town.services.database.transaction():
        store.post(spent)
    of_it = store.entries(account=account(Kind.ALLOCATION, allocation), limit=50)
    awarded = store.posting(next(one.transaction for one in of_it if one.memo == "award"))
    with nothing_changes(town), pytest.raises(CreditsExhausted), town.services.database.transaction():
        store.post(ledger.counter("led_7", awarded, now, memo="taken back after it was spent"))


OVERLAP = """
[[rate]]
resource = "gpu_hour"
per = "gpu"
amount = 2
valid_from = {first}
source = "x"

[[rate]]
resource = "gpu_hour"
per = "gpu"
amount = 1
valid_from = {second}
source = "x"
"""


def test_rates_that_overlap_are_refused_in_a_file_and_in_a_proposal(town: Town) -> None:
    same = OVERLAP.format(first="2027-01-01", second="2027-01-01")
    with pytest.raises(InvalidInput):
        rates_of(same)
    for text in (same, OVERLAP.format(first="2027-01-01", second="2027-02-01")):
        with pytest.raises(InvalidInput):
            read_change(text, shipped_policy(), town.clock.today())
    past = OVERLAP.format(first="2026-01-01", second="2026-11-24")
    with pytest.raises(InvalidInput):
        read_change(past, shipped_policy(), town.clock.today())


def test_a_funder_awards_out_of_their_own_share_alone(town: Town) -> None:
    mine = town.person("region", "funder", kind="funder")
    filed = waiting(town, town.person("weefsel"))
    with nothing_changes(town):
        with pytest.raises(NotFound):
            town.services.awarding.award(filed.id, share="europe", by=mine)
        with pytest.raises((NotPermitted, CreditsExhausted)):
            town.services.awarding.award(filed.id, by=mine)


def test_a_reading_that_calls_a_military_project_civilian_is_not_paid_by_europe(town: Town) -> None:
    by = town.person("weefsel")
    project = of_europe(town, by)
    turn_military(town, project)
    at = town.clock.now()
    town.services.metering.book(project, Purpose.CIVILIAN, Resource.CPU_HOUR, 5 * MICRO, "reading-1", at)
    europe = share_named(town, "europe")
    used = {one.resource: one.used for one in town.services.funding.table(by=town.operator) if one.share == europe}
    assert used[Resource.CPU_HOUR] == 0


def test_an_award_goes_into_the_project_that_its_applicant_leads_and_into_no_other(town: Town) -> None:
    by, stranger = town.person("weefsel"), town.person("elders")
    first = of_europe(town, by)
    other = of_europe(town, stranger)
    filed = waiting(town, town.again(by))
    with nothing_changes(town), pytest.raises(NotPermitted) as refused:
        town.services.awarding.award(filed.id, share="europe", project=other, by=town.operator)
    assert refused.value.fields["rule"] == "award.project"
    military = waiting(town, town.again(by), purpose="exclusively_military")
    with nothing_changes(town), pytest.raises(InvalidInput, match="is civilian and this is not"):
        town.services.awarding.award(military.id, project=first, out_of_turn="for a test", by=town.operator)
    made, project = town.services.awarding.award(filed.id, share="europe", project=first, by=town.operator)
    assert (project.id, made.project) == (first, first)
    left = {one.resource: one.granted for one in town.services.funding.left(first)}
    assert left[Resource.GPU_HOUR] == 55 * MICRO
