"""The queue as people see it: in the order of admission, own jobs by their names, others' without, page by page, and with few questions."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, event

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.compute.admission import admit
from fabriek.compute.queue import SECONDS_OLD_MAX
from fabriek.compute.requests import JobAsked
from fabriek.compute.terms import Terms, after_of
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from fabriek.worker.admission import admit_jobs
from tests.factories.services import Town, a_town
from tests.servers.app import serving

SECRET = "our-secret-plan"


class House:
    """Two projects whose jobs wait behind a machine that is full."""

    def __init__(self, town: Town) -> None:
        self.town, self.queueing = town, town.services.queueing
        first, second = town.person("weefsel"), town.person("other")
        self.project, self.theirs = town.project(first), town.project(second)
        self.me, self.them = town.again(first), town.again(second)
        self.full = self.submit(self.them, cpus=4, name="full")
        admit_jobs(town.services)

    def submit(self, by: Caller, *, name: str = "train", cpus: int = 4, **terms: object) -> str:
        project = self.project if by is self.me else self.theirs
        asked = JobAsked(("sleep", "60"), name=name, cpus=cpus, wall_seconds_max=3_600, terms=Terms(**terms))  # type: ignore[arg-type]
        return self.town.services.compute.submit(project, asked, by=by).id

    def later(self) -> None:
        self.town.clock.move(timedelta(seconds=SECONDS_OLD_MAX + 1))


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(a_town(database, tmp_path / "home"))


def test_it_is_in_the_order_of_admission_and_names_only_what_is_ones_own(house: House) -> None:
    mine, theirs = house.submit(house.me, name="mine"), house.submit(house.them, name=SECRET)
    house.later()
    progress, clock = house.town.services.progress, house.town.clock
    order = [one.job for one in admit(progress.snapshot(), clock.now())]
    for by, own in ((house.me, mine), (house.them, theirs)):
        shown = house.queueing.shown(after=0, limit=10, own_only=False, by=by)
        assert [place.waiting.job for place in shown.places] == order
        assert [place.number for place in shown.places] == [1, 2]
        assert (list(shown.jobs), shown.of, shown.own, shown.more) == ([own], 2, 1, False)
        only = house.queueing.shown(after=0, limit=10, own_only=True, by=by)
        assert [(place.number, place.waiting.job) for place in only.places] == [(order.index(own) + 1, own)]


def test_what_others_wait_for_is_not_told(house: House) -> None:
    job = house.submit(house.them, after=after_of(house.full))
    house.later()
    [place] = house.queueing.shown(after=0, limit=10, own_only=False, by=house.me).places
    assert place.waiting.job == job
    assert place.says == "It waits for what it asked to wait for."
    assert place.decision.reason != place.says


def test_it_comes_in_pages_none_twice_and_none_left_out(house: House) -> None:
    jobs = {house.submit(house.me if number % 3 else house.them) for number in range(7)}
    house.later()
    for own_only in (False, True):
        seen, after = list[str](), 0
        while True:
            shown = house.queueing.shown(after=after, limit=2, own_only=own_only, by=house.me)
            seen += [place.waiting.job for place in shown.places]
            if not shown.more:
                break
            after = shown.places[-1].number
        assert len(seen) == len(set(seen)) == (shown.own if own_only else shown.of)
        assert set(seen) <= jobs
    assert house.queueing.shown(after=99, limit=2, own_only=False, by=house.me).places == ()


def test_a_round_of_the_worker_is_what_is_shown_and_without_one_it_is_looked_at_anew_after_some_seconds(
    house: House,
) -> None:
    house.submit(house.me)
    house.later()
    first = house.queueing.look()
    house.submit(house.me)
    assert house.queueing.look() is first
    admit_jobs(house.town.services)
    assert len(house.queueing.look().places) == 2
    house.submit(house.me)
    house.later()
    assert len(house.queueing.look().places) == 3
    assert len(house.queueing.look().free) > 5


def test_pages_in_both_languages_with_as_many_questions_for_many_jobs_as_for_few(
    house: House,
) -> None:
    services = house.town.services
    token = services.identity.issue_token(house.me.person, by=house.me)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    asked = list[str]()
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    house.submit(house.me, name="<b>mine</b>")
    house.submit(house.them, name=SECRET)
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, headers=headers) as client:
        counts = []
        for more in (0, 30):
            for _ in range(more):
                house.submit(house.me)
            admit_jobs(services)
            client.get("/queue")  # who is behind the token is kept from now on

            def note(_: object, __: object, statement: str, *___: object) -> None:
                asked.append(statement)

            event.listen(Engine, "before_cursor_execute", note)
            asked.clear()
            page = client.get("/queue").raise_for_status().text
            counts.append(len(asked))
            event.remove(Engine, "before_cursor_execute", note)
        assert counts[0] == counts[1] > 0
        assert "&lt;b&gt;mine&lt;/b&gt;" in page
        assert SECRET not in page
        assert "somebody&#39;s" in page
        dutch = client.get("/queue?lang=nl").text
        assert "De wachtrij" in dutch
        assert SECRET not in dutch
        capacity = client.get("/capacity?lang=nl").text
        assert "Vrij" in capacity
        assert "Verkocht" not in capacity
        operator = services.identity.issue_token(house.town.operator.person, by=house.town.operator)
        sold = client.get("/capacity", headers={"Authorization": f"Bearer {operator}"}).text
        assert "Sold against there" in sold
        assert client.get("/queue?after=-5").status_code == 200
        assert client.get("/queue", headers={"Authorization": "Bearer none"}).status_code in {401, 403}
