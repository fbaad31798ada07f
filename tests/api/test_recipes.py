"""Recipes over HTTP and in a terminal: what there is, what one would cost, a run of it, and every bad word refused."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.facade import Fabriek
from tests.factories.services import Town, a_town
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment


class Cook:
    """Somebody with a project, and a terminal."""

    def __init__(self, town: Town, url: str, home: Path) -> None:
        self.town, self.url, self.home, person = town, url, home, town.person("weefsel")
        self.project = town.project(person)
        self.token = town.services.identity.issue_token(person.person, by=person)
        self.client = Fabriek(url, self.token, self.project)
        town.services.recipes._installed = lambda: {"lightgbm": "4.6", "mlflow-skinny": "3.1", "scikit-learn": "1.7"}

    def send(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(
            method, f"{self.url}/api/v1{path}", headers=headers, trust_env=False, timeout=30, **options
        )  # type: ignore[arg-type]  # httpx's own

    def ran(self, *words: str) -> "subprocess.CompletedProcess[str]":
        named = clean_environment(self.home) | {
            "FABRIEK_URL": self.url, "FABRIEK_TOKEN": self.token, "FABRIEK_PROJECT": self.project,
        }  # fmt: skip
        return subprocess.run(
            [*COMMAND, "recipe", *words], env=named, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture
def cook(database: Database, tmp_path: Path) -> Iterator[Cook]:
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        made = Cook(town, url, tmp_path / "home")
        yield made
        made.client.close()


def test_what_there_is_is_told_in_both_languages(cook: Cook) -> None:
    english, dutch = cook.client.recipes.list(), cook.client.recipes.list(lang="nl")
    assert [one.name for one in english] == [one.name for one in dutch]
    assert {one.language for one in dutch} == {"nl"}
    sweep = next(one for one in english if one.name == "sweep")
    assert (sweep.expects, sweep.cost.jobs, sweep.lacking) == ("test_accuracy ≥ 0.95", 6, [])
    assert sweep.cost.most.endswith("CPU-hours")
    shown = cook.client.recipes.show("text", lang="nl")
    assert shown.lacking == ["numpy>=1.26", "torch>=2.2"]
    assert shown.lacking_fix == "pip install 'numpy>=1.26' 'torch>=2.2'"
    assert shown.files["main.py"].startswith('"""A small transformer')
    assert next(one for one in shown.parameters if one.name == "steps").says.startswith("Hoeveel stappen")


def test_a_run_sent_twice_happens_once(cook: Cook) -> None:
    path = f"/projects/{cook.project}/recipes/sweep"
    assert cook.send("POST", f"{path}/jobs", json={}).status_code == 409
    assert cook.send("POST", f"{path}/code").status_code == 200
    headers = {"Authorization": f"Bearer {cook.token}", "Idempotency-Key": "one-sweep"}
    answers = [
        httpx.post(
            f"{cook.url}/api/v1{path}/jobs", json={"parameters": {"leaves": "7"}}, headers=headers, trust_env=False
        )
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["array"] == answers[1].json()["array"]
    assert len(cook.client.jobs.list().items) == 3
    found = cook.client.recipes.outcome("sweep", answers[0].json()["array"])
    assert (found.jobs, found.reached, found.ended) == (3, False, False)
    assert found.says == "nothing is logged yet; expected test_accuracy ≥ 0.95"


def test_a_list_in_python_is_several_values(cook: Cook) -> None:
    planned = cook.client.recipes.plan("sweep", {"leaves": [3, 5]}, learning_rate=0.5)
    assert (planned.plan.elements, planned.cost.jobs) == (2, 2)
    with pytest.raises(InvalidInput, match="leaves cannot be 1"):
        cook.client.recipes.run("sweep", leaves=1)
    assert cook.client.jobs.list().items == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "/recipes?lang=de", None, 422, "no language"), ("GET", "/recipes/text?lang=xxxxxx", None, 422, "lang"),
        ("GET", "/recipes/nothing", None, 404, "fabriek recipe ls"), ("GET", "/recipes/..%2Ftext", None, 404, ""),
        ("POST", "text/plans", {"parameters": {"steps": "0"}}, 422, "steps cannot be 0"),
        ("POST", "text/plans", {"parameters": {"x": "0"}}, 422, "'x'"),
        ("POST", "text/plans", {"parameters": {"X y": "0"}}, 422, "name of a parameter"),
        ("POST", "text/plans", {"parameters": []}, 422, "parameters"),
        ("POST", "text/plans", {"parameters": {"steps": 7}}, 422, "steps"), ("POST", "text/plans", {"steps": "7"}, 422, "steps"),
        ("POST", "text/plans", {"parameters": {"data": "x" * 5_000}}, 422, "data"), ("POST", "batch/plans", {}, 422, "model must be said"),
        ("POST", "nothing/jobs", {}, 404, "no recipe"), ("POST", "nothing/code", None, 404, "no recipe"),
        ("GET", "text/outcomes/nothing", None, 404, ""), ("GET", "text/outcomes/99", None, 404, ""),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(
    cook: Cook, method: str, path: str, body: object, status: int, told: str
) -> None:
    place = path if path.startswith("/") else f"/projects/{cook.project}/recipes/{path}"
    answer = cook.send(method, place, **({"json": body} if body is not None else {}))
    assert answer.status_code == status, answer.text
    assert told.strip() in answer.text
    assert answer.json()["fix"] or status == 404


def test_the_same_in_a_terminal(cook: Cook, tmp_path: Path) -> None:
    listed = cook.ran("ls")
    assert "images" in listed.stdout
    assert "torch>=2.2" in listed.stdout
    shown = cook.ran("show", "images")
    assert "Jobs here do not find torch>=2.2" in shown.stdout
    assert "pip install 'torch>=2.2'" in shown.stdout
    assert "fabriek recipe run images --wait" in shown.stdout
    assert "--set model=…" in cook.ran("show", "batch").stdout
    planned = cook.ran("run", "sweep", "--set", "leaves=3", "--plan")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.splitlines()[0] == "Expected: test_accuracy ≥ 0.95"
    assert "Cost: 3 jobs, each with 1 CPU and 2GiB for about 0.5 min" in planned.stdout
    ran = cook.ran("run", "sweep", "--set", "leaves=3")
    assert ran.returncode == 0, ran.stderr
    array = ran.stdout.split()[-1]
    assert f"fabriek recipe outcome sweep {array}" in ran.stderr
    assert cook.ran("outcome", "sweep", array).stdout.startswith("nothing is logged yet")
    for words, code, told in (
        (("run", "sweep", "--set", "leaves"), 2, "no value"), (("run", "sweep", "--set", "leaves=1"), 2, "2 … 512"),
        (("show", "nothing"), 3, "fabriek recipe ls"), (("outcome", "images", array), 2, "none of the recipe images"),
    ):  # fmt: skip
        refused = cook.ran(*words)
        assert (refused.returncode, told in refused.stderr) == (code, True), refused.stderr
    assert cook.ran("copy", "text", str(tmp_path / "mine")).returncode == 0
    assert "torch>=2.2" in (tmp_path / "mine" / "requirements.txt").read_text()
