"""Runs for people and programs: found, shown, compared, as tables; through the SDK and the command line, over a real server."""

import json
import math
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.cli.main import fabriek
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, Unavailable
from fabriek.lab.metrics import Metric
from fabriek.sdk import Fabriek
from tests.factories.services import Town, a_town
from tests.servers.app import serving

ODD = [1.0, 0.1 + 0.2, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, -1e-7]
MANY = 26_000
"""More points than fit one page."""


class Desk:
    """A person in a project with three runs in two experiments."""

    def __init__(self, town: Town, url: str) -> None:
        self.town = town
        person = town.person("weefsel")
        slug = town.project(person)
        self.person = town.again(person)
        self.home = town.services.access.project(slug).id
        self.token = town.services.identity.issue_token(person.person, by=person)
        self.factory = Fabriek(url, self.token, slug)
        lab = town.services.lab
        trees = lab.create_experiment(self.home, "trees", {}, by=self.person).id
        self.runs = []
        for number, home in enumerate([trees, trees, "0"]):
            run = lab.create_run(
                self.home, home, name=f"run {number}", person="ada", started_ms=1_700_000_000_000 + number, tags={"kind": "trial"}, by=self.person
            ).run.id  # fmt: skip
            self.log(run, [Metric("loss", number / 4, 5, 1)], {"depth": str(number), "same": "yes"})
            self.runs.append(run)

    def log(self, run: str, points: list[Metric], params: dict[str, str] | None = None) -> None:
        self.town.services.lab.log(self.home, run, metrics=points, params=params or {}, by=self.person)

    def command(self, *words: str) -> Result:
        known = {
            "FABRIEK_URL": self.factory.client.url,
            "FABRIEK_TOKEN": self.token,
            "FABRIEK_PROJECT": self.factory.client.project,
        }
        return CliRunner(env=known).invoke(fabriek, ["runs", *words], standalone_mode=False)


@pytest.fixture
def desk(sqlite_with_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    town = a_town(database, tmp_path / "home")
    with serving(api.build(town.services)) as url:
        made = Desk(town, url)
        for module in ("runs", "runs_exchange"):
            monkeypatch.setattr(f"fabriek.cli.{module}.connect", lambda _="": made.factory)
        yield made
        made.factory.close()
    database.close()


def test_runs_are_found_as_mlflow_finds_them(desk: Desk) -> None:
    lab, (zero, one, two) = desk.factory.lab, desk.runs
    assert [run.id for run in lab.runs()] == [two, one, zero]
    assert [run.id for run in lab.runs("metrics.loss > 0.1 and params.same = 'yes'", order=["metrics.loss ASC"])] == [
        one,
        two,
    ]
    assert [run.id for run in lab.runs(experiments=["trees"])] == [one, zero]
    assert [run.id for run in lab.runs(experiments=["0"])] == [two]
    assert [run.experiment_name for run in lab.runs(limit=2)] == ["Default", "trees"]
    desk.town.services.lab.delete_run(desk.home, one, by=desk.person)
    assert [(run.id, run.is_deleted) for run in lab.runs(view="DELETED_ONLY")] == [(one, True)]
    with pytest.raises(InvalidInput):
        lab.runs("metrics.loss = 'a")
    with pytest.raises(NotFound, match="no experiment"):
        lab.runs(experiments=["flowers"])


def test_a_list_comes_in_pages_and_a_cursor_is_for_its_own_list(desk: Desk) -> None:
    client, path = desk.factory.client, f"/api/v1/projects/{desk.factory.client.project}/runs"
    seen, cursor = [], ""
    while True:
        page = client.get(path, params={"limit": 1, "cursor": cursor})
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == desk.runs[::-1]
    page = client.get(path, params={"limit": 1})
    with pytest.raises(InvalidInput, match="cursor"):
        client.get(f"{path}/{desk.runs[0]}/metrics/loss", params={"cursor": page["next_cursor"]})


def test_values_that_json_has_no_word_for_arrive_to_the_bit(desk: Desk) -> None:
    run, lab = desk.runs[0], desk.factory.lab
    desk.log(run, [Metric("odd", value, at, at) for at, value in enumerate(ODD)])
    points = lab.metric(run, "odd")
    assert [repr(one.value) for one in points] == [repr(value) for value in ODD]
    raw = desk.factory.client.get(f"/api/v1/projects/{desk.factory.client.project}/runs/{run}/metrics/odd")
    assert [one["value"] for one in raw["items"]][2:5] == ["NaN", "Infinity", "-Infinity"]
    for frame in (lab.history_frame(run, ["odd"]), lab.history_frame(run, ["odd"], arrow=True).to_pandas()):
        assert [repr(float(value)) for value in frame["value"]] == [repr(value) for value in ODD]
        assert list(frame["step"]) == list(range(len(ODD)))
    desk.log(run, [Metric("last", math.nan, 1, 1)])
    assert math.isnan(lab.run(run).metrics["last"])


def test_a_history_is_as_long_as_it_is(desk: Desk) -> None:
    run, lab = desk.runs[0], desk.factory.lab
    for start in range(0, MANY, 13_000):
        desk.log(run, [Metric("a/long one", step / 7, step, step) for step in range(start, start + 13_000)])
    frame = lab.history_frame(run)
    assert list(frame.columns) == ["key", "at_ms", "step", "value"]
    assert set(frame["key"]) == {"a/long one", "loss"}
    assert list(frame[frame["key"] != "loss"]["value"]) == [step / 7 for step in range(MANY)]
    assert len(lab.metric(run, "a/long one")) == MANY
    counts = {one.key: one.count for one in lab.series(run)}
    assert counts == {"a/long one": MANY, "loss": 1}
    with pytest.raises(InvalidInput, match="no metric"):
        lab.history_frame(run, ["gain"])


def test_runs_are_a_table_with_a_column_for_each_name(desk: Desk) -> None:
    desk.log(desk.runs[2], [Metric("acc", 0.5, 1, 1)])
    frame = desk.factory.lab.runs_frame(order=["attributes.start_time ASC"])
    assert list(frame["id"]) == desk.runs
    assert list(frame["metrics.loss"]) == [0, 0.25, 0.5]
    assert list(frame["params.depth"]) == ["0", "1", "2"]
    assert [pd.isna(value) for value in frame["metrics.acc"]] == [True, True, False]
    assert set(frame["tags.kind"]) == {"trial"}
    table = desk.factory.lab.runs_frame("params.depth = '1'", arrow=True)
    assert table.column("metrics.loss").to_pylist() == [0.25]
    assert str(table.schema.field("started_at").type) == "timestamp[us, tz=UTC]"
    assert desk.factory.lab.runs_frame("params.depth = '9'", arrow=True).num_rows == 0


def test_a_library_that_is_not_there_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Unavailable, match="pandas is not installed") as refused:
        desk.factory.lab.runs_frame()
    assert refused.value.fix == "pip install pandas"
    assert desk.factory.lab.runs_frame(arrow=True).num_rows == 3


def test_people_find_show_and_compare_runs(desk: Desk) -> None:
    zero, one, _ = desk.runs
    desk.log(one, [Metric("loss", math.nan, 6, 2)])
    listed = desk.command("ls", "--experiment", "trees", "--order", "params.depth ASC")
    assert listed.exit_code == 0, listed.output
    assert listed.output.index("run 0") < listed.output.index("run 1")
    assert "run 2" not in listed.output
    assert [
        each["id"] for each in json.loads(desk.command("ls", "--filter", "params.depth = '1'", "--json").output)
    ] == [one]
    shown = desk.command("show", one).output
    assert all(word in shown for word in ("trees", "depth", "nan", "trial", "ada"))
    told = json.loads(desk.command("show", one, "--json").output)
    assert (told["metrics"]["loss"], told["points"]) == ("NaN", {"loss": 2})
    assert desk.factory.lab.tracking_uri in desk.command("show").output
    assert desk.command("show", one[:10], "--json").output == desk.command("show", one, "--json").output
    with pytest.raises(NotFound, match="begins with"):
        desk.factory.lab.named("0123456789abcdef")
    compared = desk.command("compare", zero[:8], one).output
    assert "param depth" in compared
    assert "param same" not in compared
    assert "param same" in desk.command("compare", zero, one, "--all").output
    facts = {
        (fact["about"], fact["name"]): fact["values"]
        for fact in json.loads(desk.command("compare", zero, one, "--json").output)["facts"]
    }
    assert facts["param", "same"] == ["yes", "yes"]
    assert facts["metric", "loss"] == ["0", "NaN"]
    history = desk.command("history", one, "loss").output
    assert history.splitlines() == ["key,at_ms,step,value", "loss,5,1,0.25", "loss,6,2,nan"]


def test_people_take_runs_out_and_bring_them_in(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FABRIEK_SPOOL", str(tmp_path / "spool"))
    out = tmp_path / "mlruns"
    told = json.loads(desk.command("export", str(out), "--experiment", "trees", "--json").stdout)
    assert told["counts"]["runs"] == {"found": 2, "done": 2, "skipped": 0, "failed": 0}
    brought = desk.command("import", str(out), "--experiment", "trees", "--into", "again")
    assert brought.exit_code == 0
    assert "again" in brought.output
    assert len(desk.factory.lab.runs(experiments=["again"])) == 2
    assert "runs" in desk.command("import", str(out)).output
    with pytest.raises(NotFound):
        raise desk.command("import", str(out), "--experiment", "flowers").exception or AssertionError
    assert "nothing waits" in desk.command("sync").output
    with desk.factory.lab.log(wait_seconds=30, name="spooled") as log:
        log.metric("loss", 1, step=1)
    assert desk.factory.lab.run(log.run).name == "spooled"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x"}, {"id": "A" * 32}, {"started_ms": -1}, {"started_ms": 2**60}, {"experiment": "trees"}, {"experiment": "../0"},
        {"tags": {"..": "x"}},
        {"tags": {str(number): "x" for number in range(101)}}, {"label": "nonsense"}, {"name": "n" * 251}, {"status": "FINISHED"},
    ],
)  # fmt: skip
def test_what_is_no_run_is_not_taken_in(desk: Desk, wrong: dict[str, object]) -> None:
    path = f"/api/v1/projects/{desk.factory.client.project}/runs"
    with pytest.raises(InvalidInput):
        desk.factory.client.post(path, json={"id": "ab" * 16} | wrong)
    assert len(desk.factory.lab.runs()) == 3


def test_another_projects_runs_are_nobodys(desk: Desk) -> None:
    stranger = desk.town.person("elders")
    slug = desk.town.project(stranger)
    token = desk.town.services.identity.issue_token(stranger.person, by=stranger)
    with Fabriek(desk.factory.client.url, token, slug) as other:
        for look in (other.lab.run, other.lab.series, other.lab.history_frame):
            with pytest.raises(NotFound):
                look(desk.runs[0])
        with pytest.raises((NotFound, NotPermitted)):
            other.lab.runs(project=desk.factory.client.project)
