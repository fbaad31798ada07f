"""Comparisons, groups, notes and links as programs ask for them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fabriek.api import app as api
from fabriek.lab.metrics import Metric
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.servers.app import serving


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, list[str]]]:
    """A client below a project's address, and three runs: their loss is 0.5, 0.25 and no number."""
    folder: Path = tmp_path_factory.mktemp("compare")
    database = a_database(folder / "fabriek.db")
    town = a_town(database, folder / "home")
    person = town.person("weefsel")
    slug = town.project(person)
    person = town.again(person)
    lab, project, runs = town.services.lab, town.services.access.project(slug).id, list[str]()
    for loss in (0.5, 0.25, float("nan")):
        run = lab.create_run(project, "0", name=f"loss {loss}", person="", started_ms=0, tags={}, by=person).run.id
        lab.log(project, run, metrics=[Metric("loss", loss, 1_000, 0)], params={"lr": str(loss)}, by=person)
        runs.append(run)
    token = town.services.identity.issue_token(person.person, by=person)
    with (
        serving(api.build(town.services)) as url,
        httpx.Client(
            base_url=f"{url}/api/v1/projects/{slug}", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as client,
    ):
        yield client, runs
    database.close()


def test_runs_beside_each_other_in_json_that_every_reader_takes(asked: tuple[httpx.Client, list[str]]) -> None:
    client, runs = asked
    found = client.get("/runs-compare", params={"run": runs, "align": "time"}).raise_for_status().json()
    assert [one["id"] for one in found["runs"]] == runs
    assert [one["values"] for one in found["facts"] if one["name"] == "lr"] == [["0.5", "0.25", "nan"]]
    assert [line["points"] for line in found["curves"][0]["lines"]] == [[[0.0, 0.5]], [[0.0, 0.25]], [[0.0, "NaN"]]]
    assert client.get("/runs-compare", params={"run": runs, "metric": "other"}).json()["curves"] == []
    for wrong in ({"run": runs[:1]}, {"run": runs, "align": "moon"}, {"run": [runs[0], "no run"]}, {}):
        assert client.get("/runs-compare", params=wrong).status_code == 422
    assert client.get("/runs-compare", params={"run": [runs[0], "0" * 32]}).status_code == 404


def test_the_best_of_a_project_a_group_or_nothing(asked: tuple[httpx.Client, list[str]]) -> None:
    client, runs = asked
    best = client.get("/runs-best", params={"metric": "loss", "goal": "min"}).raise_for_status().json()
    assert (best["run"]["id"], best["value"]) == (runs[1], 0.25)
    assert client.get("/runs-best", params={"metric": "loss"}).json()["run"]["id"] == runs[0]
    assert client.get("/runs-best", params={"metric": "f1"}).json() == {
        "metric": "f1",
        "goal": "max",
        "value": None,
        "run": None,
    }
    for wrong in ({"metric": "loss", "goal": "most"}, {"metric": "a`b"}, {"metric": ""}):
        assert client.get("/runs-best", params=wrong).status_code == 422


def test_a_group_is_made_filled_and_removed_and_a_repeated_request_does_nothing_twice(
    asked: tuple[httpx.Client, list[str]],
) -> None:
    client, runs = asked
    once = {"Idempotency-Key": "make-it-once"}
    made = [client.post("/run-groups", json={"name": "mine", "runs": runs[:1]}, headers=once) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    group = made[0].json()["id"]
    assert [(one["id"], one["runs"]) for one in client.get("/run-groups").json()["items"]] == [(group, 1)]
    for _ in range(2):
        answer = client.post(
            f"/run-groups/{group}/runs", json={"runs": runs[1:]}, headers={"Idempotency-Key": "put-once"}
        )
        assert (answer.status_code, answer.content) == (204, b"")
    assert client.delete(f"/run-groups/{group}/runs/{runs[2]}").status_code == 204
    found = client.get(f"/run-groups/{group}").json()
    assert (found["params"], found["metrics"], len(found["runs"])) == (["lr"], ["loss"], 2)
    assert [one["name"] for one in client.get(f"/runs/{runs[0]}/links").json()["groups"]] == ["mine"]
    best = client.get("/runs-best", params={"metric": "loss", "goal": "min", "group": group}).json()
    assert best["run"]["id"] == runs[1]
    assert client.delete(f"/run-groups/{group}").status_code == 204
    assert client.get(f"/run-groups/{group}").status_code == 404


def test_notes_come_back_as_they_were_written(asked: tuple[httpx.Client, list[str]]) -> None:
    client, runs = asked
    note = client.post(f"/runs/{runs[0]}/notes", json={"text": "# So <b>"}).raise_for_status().json()
    assert (note["text"], note["changed_at"]) == ("# So <b>", None)
    changed = client.put(f"/runs/{runs[0]}/notes/{note['id']}", json={"text": "better"}).raise_for_status().json()
    assert client.get(f"/runs/{runs[0]}/notes").json()["items"] == [changed]
    assert client.delete(f"/runs/{runs[0]}/notes/{note['id']}").status_code == 204
    assert client.get(f"/runs/{runs[0]}/notes").json()["items"] == []
    for wrong in ("", " ", "x" * 20_001):
        assert client.post(f"/runs/{runs[0]}/notes", json={"text": wrong}).status_code == 422
