"""Recipes as people run them: from the command line and from Python, to the metric that each is expected to reach."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.knowledge.meaning.encoder import encoder_here
from fabriek.sdk.facade import Fabriek
from tests.factories.trainings import why_not
from tests.factories.waiting import until
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(900), pytest.mark.xdist_group("recipes")]
PYTHON = os.environ.get("FABRIEK_RECIPES_PYTHON", sys.executable)  # noqa: TID251  # chosen where it is started
NO_LIGHTGBM = why_not("lightgbm")


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("recipes") / "home", FABRIEK_JOB_PYTHON=PYTHON) as running:
        yield running


@pytest.fixture(scope="module")
def client(factory: Running) -> Iterator[Fabriek]:
    with Fabriek(factory.url, factory.variables["FABRIEK_TOKEN"], "playground") as made:
        yield made


@pytest.fixture(scope="module")
def trained(factory: Running, client: Fabriek) -> str:
    """A run of `tabular` from the command line, followed to its end: its job."""
    planned = json.loads(factory.run("recipe", "run", "tabular", "--plan", "--json").stdout)
    assert planned["lacking"] == []
    assert client.jobs.list().items == []
    done = factory.run("recipe", "run", "tabular", "--set", "trees=60", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Expected: test_accuracy ≥ 0.93"
    assert lines[1].startswith("Cost: 1 CPU and 2GiB for about 0.5 min, ")
    assert planned["plan"]["held"] in lines[2]
    assert lines[-1].startswith("reached: test_accuracy is 0.9")
    (job,) = client.jobs.list().items
    return job.id


def test_a_table_is_learnt_and_its_model_registered(client: Fabriek, trained: str) -> None:
    job = client.jobs.show(trained)
    assert (job.name, job.state) == ("recipe tabular", "succeeded")
    run = client.lab.run(job.run)
    assert run.params["trees"] == "60"
    (model,) = client.lab.models()
    assert (model.name, model.run) == ("recipe-tabular", job.run)
    assert client.models.show("recipe-tabular").mark == "data"


def test_what_was_registered_foretells_in_batches(client: Fabriek, trained: str, tmp_path: Path) -> None:
    for said in ("recipe-tabular", "recipe-tabular@1", f"job:{trained}", client.jobs.show(trained).output):
        job = client.recipes.run("batch", {"model": said}, rows=50)
        found = client.recipes.wait("batch", job.id)
        assert (found.reached, found.ended) == (True, True), found.says
    lines = client.jobs.pull(job.id, tmp_path / "out").joinpath("predictions.csv").read_text().splitlines()
    assert len(lines) == 1 + 143
    assert lines[0].endswith(",foretold,chance")
    assert client.lab.run(client.jobs.show(job.id).run).params["files"] == "1"


def test_a_table_of_ones_own_is_learnt_and_foretold(factory: Running, client: Fabriek, tmp_path: Path) -> None:
    rows = [f"{n},{'red' if n % 3 else 'blue'},{'yes' if n % 2 else 'no'},{n % 2}" for n in range(200)]
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "rows.csv").write_text("\n".join(["n,colour,answer,half", *rows]))
    assert factory.run("data", "push", str(tmp_path / "table"), "rows").returncode == 0
    job = client.recipes.run("tabular", data="rows", target="answer", method="forest", trees=20, register="")
    found = client.recipes.wait("tabular", job.id)
    assert found.value == 1.0, found.says
    ended = client.jobs.show(job.id)
    assert ended.label == "internal"
    batch = client.recipes.run("batch", model=f"job:{ended.number}", data="rows")
    assert client.recipes.wait("batch", batch.id).value == 1.0
    assert client.lab.run(client.jobs.show(batch.id).run).metrics["rows"] == 200


def test_what_cannot_be_reached_is_told_and_leaves_with_nine(factory: Running, client: Fabriek) -> None:
    """A column that is not there: the job fails, and no metric is logged."""
    done = factory.run("recipe", "run", "tabular", "--set", "target=nothing", "--wait")
    assert done.returncode == 9
    assert "there is no column nothing" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not reached: test_accuracy was not logged, 1 of 1 jobs failed")


@pytest.mark.skipif(bool(NO_LIGHTGBM), reason=NO_LIGHTGBM)
def test_a_sweep_is_an_array_and_its_best_is_named(factory: Running, client: Fabriek) -> None:
    words = ("--set", "learning_rate=0.0001,0.3", "--set", "leaves=15", "--set", "trees=40")
    done = factory.run("recipe", "run", "sweep", *words, "--json")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert job["elements"] == 2
    found = client.recipes.wait("sweep", job["array"])
    assert (found.reached, found.jobs, found.failed) == (True, 2, 0), found.says
    assert found.parameters == {"learning_rate": "0.3", "leaves": "15"}
    told = factory.run("recipe", "outcome", "sweep", job["array"])
    assert told.returncode == 0
    assert "with learning_rate=0.3, leaves=15, expected test_accuracy ≥ 0.95" in told.stdout


def test_a_notebook_serves_and_says_how_soon(factory: Running, client: Fabriek) -> None:
    """Its packages come from the index that pip is configured to use."""
    job = client.recipes.run("notebook")
    found = client.recipes.wait("notebook", job.id, served=True)
    if found.ended and not found.reached:
        ended = client.jobs.show(job.id)
        pytest.skip(f"JupyterLab cannot be installed here: {ended.reason}")
    assert (found.ended, found.value is not None) == (False, True)
    assert factory.run("session", "open", job.id, "--json").returncode == 0
    assert factory.run("session", "stop", job.id).returncode == 0


def test_the_same_files_are_brought_once_and_are_alone(client: Fabriek, factory: Running, tmp_path: Path) -> None:
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "pandas.py").write_text("raise SystemExit('somebody else wrote this')\n")
    assert client.vault.push_code(tmp_path / "stray")
    path = "/api/v1/projects/playground/recipes/tabular/code"
    first, second = client.client.post(path), client.client.post(path)
    assert first == second
    pulled = client.vault.pull(first["version"], tmp_path / "pulled")
    assert {one.name for one in pulled.iterdir()} == {"main.py"}
    copied = client.recipes.copy("tabular", tmp_path / "mine")
    assert (copied / "main.py").read_bytes() == (pulled / "main.py").read_bytes()
    assert "scikit-learn" in (copied / "requirements.txt").read_text()
    refused = factory.run("recipe", "copy", "tabular", str(copied))
    assert (refused.returncode, "not empty" in refused.stderr) == (6, True)


def test_what_is_only_near_in_meaning_is_said_to_be_so(factory: Running, client: Fabriek) -> None:
    if encoder_here() is None:
        pytest.skip("finding by meaning was not tested: the extra `meaning` is not installed")
    near = until(lambda: [one.id for one in client.catalogue.search("parameters").items if one.near])
    (sweep,) = client.catalogue.search("parameters", by="words").items
    said = factory.run("catalogue", "search", "parameters").stdout
    assert sweep.id in said
    assert f"{len(near)} of these have not the words and are near in meaning; --by words leaves them out" in said
    plain = factory.run("catalogue", "search", "--by", "words", "parameters").stdout
    assert sweep.id in plain
    assert "near in meaning" not in plain
