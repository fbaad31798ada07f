"""Power over HTTP: messages of a grid operator, readings of a meter, and the record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabriek.access.login.tokens import Wanted
from fabriek.api import app as api
from fabriek.portal import app as portal
from fabriek.sdk.client import Client
from fabriek.sdk.compute import Compute
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving

HOUR = timedelta(hours=1)


@dataclass
class Place:
    town: Town
    url: str
    tokens: dict[str, str]
    jobs: Compute

    def ask(self, method: str, path: str, body: Any = None, *, scope: str = "grid", **options: Any) -> httpx.Response:
        with httpx.Client(base_url=self.url, trust_env=False, headers=self.bearer(scope)) as client:
            return client.request(method, path, json=body, **options)

    def bearer(self, scope: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[scope]}"}

    def message(self, name: str = "m1", **changes: Any) -> dict[str, Any]:
        begins = self.town.clock.now() + timedelta(days=2)
        whole = {
            "id": name, "announced_at": self.town.clock.now().isoformat(), "from": begins.isoformat(), "to": (begins + HOUR).isoformat(), "kw": 400.5,
        } | changes  # fmt: skip
        return {key: value for key, value in whole.items() if value is not None}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    tokens = {
        scope: town.services.tokens.create(Wanted(f"only-{scope}", scopes=[scope]), by=town.operator)[1] for scope in ("grid", "meter")
    }  # fmt: skip
    tokens["all"] = town.services.identity.issue_token(town.operator.person, by=town.operator)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        client = Client(url, tokens["all"], "")
        yield Place(town, url, tokens, Compute(client))
        client.close()
    database.close()


def test_a_message_is_confirmed_and_repeated_conflicts_and_changes_answer_by_their_codes(place: Place) -> None:
    first = place.ask("POST", "/api/v1/power/messages", place.message())
    assert (first.status_code, first.json()["kw"], first.json()["confirmed_by"]) == (201, 400.5, "system")
    assert place.ask("POST", "/api/v1/power/messages", place.message()).json() == first.json()
    assert place.ask("POST", "/api/v1/power/messages", place.message(kw=1)).status_code == 409
    assert place.ask("POST", "/api/v1/power/messages", place.message("m2", replaces="m1")).status_code == 201
    assert place.ask("POST", "/api/v1/power/messages", place.message("m3", replaces="m1")).status_code == 409
    assert place.ask("POST", "/api/v1/power/messages", place.message("m4", replaces="none")).status_code == 404
    gone = place.message("m5", replaces="m2", withdraws=True, kw=None, to=None) | {"from": None}
    assert place.ask("POST", "/api/v1/power/messages", gone).json()["answer"] == "taken back"
    assert place.jobs.power().limits == []


@pytest.mark.parametrize(
    "changes",
    [
        {"kw": -1}, {"kw": 1e12}, {"kw": "many"}, {"mw": 4}, {"kw": None}, {"from": "2027-01-01T10:00:00"}, {"to": "2020-01-01T00:00:00Z"},
        {"to": "2099-01-01T00:00:00Z"}, {"id": ""}, {"announced_at": "yesterday"},
    ],
)  # fmt: skip
def test_bad_units_orders_and_instants_are_named_and_hold_nothing(place: Place, changes: dict[str, Any]) -> None:
    answer = place.ask("POST", "/api/v1/power/messages", place.message(**changes))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_input"
    assert place.jobs.power().limits == []


def test_what_lies_in_the_past_stays_on_record_as_refused(place: Place) -> None:
    now = place.town.clock.now()
    past = place.message() | {"from": (now - 2 * HOUR).isoformat(), "to": (now - HOUR).isoformat()}
    assert place.ask("POST", "/api/v1/power/messages", past).status_code == 422
    assert place.ask("POST", "/api/v1/power/messages", past, scope="all").status_code == 422
    kept = place.jobs.power_messages()
    assert [(one.id, one.standing) for one in kept] == [("m1", "refused")]


def test_each_credential_opens_its_own_and_nothing_else(place: Place) -> None:
    reading = {"meter": "main", "at": place.town.clock.now().isoformat(), "watts": 100}
    assert place.ask("POST", "/api/v1/power/readings", reading, scope="grid").status_code == 403
    assert place.ask("POST", "/api/v1/power/messages", place.message(), scope="meter").status_code == 403
    assert place.ask("GET", "/api/v1/power/messages", scope="grid").status_code == 403
    limit = {"starts_at": "2027-01-01T00:00:00Z", "ends_at": "2027-01-02T00:00:00Z", "watts": 1}
    assert place.ask("POST", "/api/v1/power/limits", limit, scope="grid").status_code == 403


def test_readings_stand_in_the_record_and_on_the_machines_page(place: Place) -> None:
    record, clock = place.town.services.power_record, place.town.clock
    record.look()
    for minutes in range(40):
        clock.move(timedelta(minutes=1))
        at = clock.now().isoformat()
        if minutes % 5 == 0:
            answer = place.ask(
                "POST", "/api/v1/power/readings", {"meter": "main", "at": at, "watts": 77.6}, scope="meter"
            )
            assert answer.json()["watts"] == 78
        record.look()
    twice = {"meter": "main", "at": at, "kwh": 1.5}
    assert place.ask("POST", "/api/v1/power/readings", twice | {"watts": -1}, scope="meter").status_code == 422
    jobs = place.jobs
    found = jobs.power_record(clock.now() - HOUR, clock.now())
    done = [one for one in found if one.closed]
    assert [(one.drawn_watts, one.drawn_from) for one in done[-2:]] == [(78, "meter")] * 2
    page = place.ask(
        "GET",
        "/machine",
        scope="all",
        headers={"Accept": "text/html"} | {"Authorization": f"Bearer {place.tokens['all']}"},
    ).text
    assert "Watts in each quarter of an hour" in page
    assert "above what was allowed" in page


def test_what_the_ladder_does_stands_in_the_answer_and_on_the_page(place: Place) -> None:
    now, services = place.town.clock.now(), place.town.services
    services.compute.limit_power(starts_at=now, ends_at=now + HOUR, watts=1, source="test", by=place.town.operator)
    told = place.jobs.power()
    assert told.step == "hold"
    assert (
        told.why
        == "1 W are allowed now and 28 W are planned: no job starts, 27 W stay above it that no step of the ladder takes away."
    )
    page = place.ask(
        "GET",
        "/machine",
        scope="all",
        headers={"Accept": "text/html"} | {"Authorization": f"Bearer {place.tokens['all']}"},
    ).text
    assert "27 W stay above it" in page


def test_the_kinds_of_work_are_listed_a_job_keeps_its_own_and_an_unknown_one_is_refused(place: Place) -> None:
    kinds = {one.name: one for one in place.jobs.power_kinds()}
    language = kinds["language-training"]
    assert (language.machine, language.part_mean, language.watts_mean, language.watts_highest) == ("*", 0.838, 293, 340)
    assert list(kinds) == ["image-training", "language-training", "recommendation-training", "speech-training"]
    services, lead = place.town.services, place.town.person("weefsel")
    project = place.town.project(lead)
    place.tokens["lead"] = services.identity.issue_token(lead.person, by=lead)
    path, asked = f"/api/v1/projects/{project}/jobs", {"command": ["train"], "work": "language-training"}
    job = place.ask("POST", path, asked, scope="lead").json()
    assert job["work"] == place.ask("GET", f"{path}/{job['id']}", scope="lead").json()["work"] == "language-training"
    assert place.ask("GET", f"{path}/{job['id']}/receipt", scope="lead").json()["work"] == "language-training"
    assert place.ask("POST", path, {"command": ["train"]}, scope="lead").json()["work"] == ""
    refused = place.ask("POST", path, asked | {"work": "mining"}, scope="lead")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert "image-training, language-training, recommendation-training, speech-training" in refused.json()["detail"]
    assert "fabriek power kinds" in refused.json()["fix"]
    for page, says in {
        f"/projects/{project}/jobs/{job['id']}": "<dt>Work</dt><dd>language-training</dd>",
        f"/projects/{project}/jobs/new?like={job['id']}": "<option selected>language-training</option>",
        "/machine": "neural collaborative filtering on MovieLens",
    }.items():
        assert says in place.ask("GET", page, scope="lead", headers={"Accept": "text/html"} | place.bearer("lead")).text
