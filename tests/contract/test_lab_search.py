"""Search on both databases: every kind of condition and order, and nothing of what is withheld."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.lab.metrics import Metric
from fabriek.lab.runs import DataInput, View
from fabriek.vault.labelling.policy import shipped_labels
from tests.factories.services import Town, a_town

LABELS = shipped_labels()


@dataclass
class Shelf:
    town: Town
    person: Caller
    project: str

    def found(
        self, text: str = "", *order: str, view: View = View.ACTIVE, limit: int = 100, offset: int = 0
    ) -> list[str]:
        lab = self.town.services.lab
        found = lab.search(
            self.project, ["0"], filter_text=text, order_by=order, view=view, limit=limit, offset=offset, by=self.person
        )
        return [one.run.name for one in found]


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    """Five runs: a to e, begun in this order."""
    town = a_town(database, tmp_path / "home")
    person = town.person("zoekster")
    slug = town.project(person)
    made = Shelf(town, town.again(person), town.services.access.project(slug).id)
    lab = town.services.lab
    metrics = {"a": 0.1, "b": 0.9, "c": math.nan, "d": math.inf}
    for number, name in enumerate("abcde"):
        run = lab.create_run(
            made.project, "0", name=name, person="", started_ms=1_700_000_000_000 + number, tags={"Team": f"t{number % 2}"}, by=made.person
        ).run.id  # fmt: skip
        points = [Metric("acc", metrics[name], 1, 1), Metric("acc", 0.5, 1, 0)] if name in metrics else []
        lab.log(made.project, run, metrics=points, params={"depth": str(number), "odd key": "50%_\\x"}, by=made.person)
        if name in "ab":
            data = DataInput(
                "iris", f"d{number}", "local", "x", tags={"mlflow.data.context": "train" if name == "a" else "eval"}
            )
            lab.link(made.project, run, data=[data], by=made.person)
        if name == "e":
            lab.update_run(made.project, run, status="FAILED", ended_ms=1_700_000_009_000, by=made.person)
    return made


CASES = [
    ("metrics.acc > 0.5", "db"), ("metrics.acc = 0.1", "a"), ("metrics.acc != 0.1", "dcb"), ("metrics.acc <= 0.1", "a"),
    ("metrics.none > 0", ""), ("params.depth = '3'", "d"), ("params.depth != '3'", "ecba"), ("params.depth IN ('1', '2')", "cb"),
    ("params.depth NOT IN ('1', '2')", "eda"), ("params.`odd key` LIKE '50%\\x'", "edcba"), ("params.`odd key` LIKE '50[%'", ""),
    ("tags.Team = 't0'", "eca"), ("tags.Team LIKE 'T%'", ""), ("tags.Team ILIKE 'T_'", "edcba"), ("tags.Team LIKE 't_'", "edcba"),
    ("tags.other IS NULL", "edcba"), ("tags.other IS NOT NULL", ""), ("params.depth IS NOT NULL and tags.Team = 't1'", "db"),
    ("status = 'FAILED'", "e"), ("run_name = 'c'", "c"), ("attributes.run_name LIKE '%'", "edcba"), ("start_time > 1700000000002", "ed"),
    ("start_time = 1700000000002", "c"), ("end_time > 0", "e"), ("start_time < 1e300", "edcba"), ("start_time > 1e300", ""),
    ("start_time > -1e300", "edcba"), ("artifact_uri LIKE 'mlflow-artifacts:/0/%'", "edcba"), ("user_id != 'nobody'", "edcba"),
    ("datasets.name = 'iris'", "ba"), ("datasets.digest = 'd1'", "b"), ("datasets.context = 'train'", "a"), ("dataset.context IN ('eval')", "b"),
    ("metrics.acc > 0 and params.depth = '1' and tags.Team = 't1'", "b"),
]  # fmt: skip


@pytest.fixture
def searched(shelf: Shelf) -> list[tuple[str, str]]:
    return [(text, "".join(shelf.found(text))) for text, _ in CASES]


def test_conditions_find_what_meets_them(searched: list[tuple[str, str]]) -> None:
    assert searched == CASES


def test_the_order_is_as_asked_and_what_has_no_value_comes_last(shelf: Shelf) -> None:
    orders = [
        (["metrics.acc"], "abdce"), (["metrics.acc DESC"], "dbace"), (["params.depth DESC"], "edcba"), (["tags.Team", "params.depth"], "acebd"),
        (["start_time"], "abcde"), (["end_time", "start_time"], "eabcd"), (["run_name DESC"], "edcba"), (["metrics.none", "run_name"], "abcde"),
        (["status", "metrics.acc DESC"], "edbac"),
    ]  # fmt: skip
    assert [(order, "".join(shelf.found("", *order))) for order, _ in orders] == orders


def test_a_page_is_part_of_the_whole(shelf: Shelf) -> None:
    pages = [shelf.found("", "metrics.acc", limit=2, offset=start) for start in (0, 2, 4, 6)]
    assert pages == [["a", "b"], ["d", "c"], ["e"], []]


def test_what_is_deleted_is_seen_where_it_is_asked_for(shelf: Shelf) -> None:
    lab = shelf.town.services.lab
    gone = {one.run.name: one.run.id for one in lab.search(shelf.project, ["0"], by=shelf.person)}
    lab.delete_run(shelf.project, gone["b"], by=shelf.person)
    assert [shelf.found(view=view) for view in (View.ACTIVE, View.DELETED, View.ALL)] == [
        list("edca"), ["b"], list("edcba"),
    ]  # fmt: skip
    lab.restore_run(shelf.project, gone["b"], by=shelf.person)
    assert shelf.found() == list("edcba")


@pytest.mark.parametrize(
    "labels", [["departementaal-vertrouwelijk"], ["special-category", "export-controlled"]], ids=["one", "joined"]
)
def test_a_withheld_metric_answers_no_question(shelf: Shelf, labels: list[str]) -> None:
    """Neither a filter nor an order tells what a label keeps back; what is not a metric is found all the same."""
    services = shelf.town.services
    hidden = services.lab.open_run(
        shelf.project, "", job="job_1", label=LABELS.highest(labels), person="p", name="hidden"
    )
    job = replace(shelf.person, job="job_1")
    services.lab.log(shelf.project, hidden, metrics=[Metric("acc", 0.95, 1, 1)], params={"depth": "9"}, by=job)
    assert shelf.found("metrics.acc > 0.5") == ["d", "b"]
    assert shelf.found("params.depth = '9'") == ["hidden"]
    ordered = shelf.found("", "metrics.acc DESC")
    assert ordered[:3] == ["d", "b", "a"]
    assert set(ordered[4:]) == {"e", "hidden"}
    found = services.lab.search(shelf.project, ["0"], filter_text="run_name = 'hidden'", by=shelf.person)
    assert [(one.metrics, one.withheld) for one in found] == [([], True)]
