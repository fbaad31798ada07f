"""Tracking, on both databases: what was logged is there once, in order, and nothing else."""

import math
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted
from fabriek.lab.metrics import Metric, Place
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


class Bench:
    """A project and a person in it."""

    def __init__(self, town: Town) -> None:
        self.town, self.lab = town, town.services.lab
        person = town.person("weefsel")
        self.slug = town.project(person)
        self.person = town.again(person)
        self.project = town.services.access.project(self.slug).id

    def run(self, by: Caller | None = None) -> str:
        who = by or self.person
        return self.lab.create_run(self.project, "0", name="", person="", started_ms=0, tags={}, by=who).run.id

    def log(self, run: str, *metrics: Metric) -> None:
        self.lab.log(self.project, run, metrics=metrics, by=self.person)

    def history(
        self, run: str, key: str = "loss", after: Place | None = None, limit: int = 10_000
    ) -> list[tuple[Place, Metric]]:
        return list(self.lab.history(self.project, run, key, limit=limit, after=after, by=self.person))


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(a_town(database, tmp_path / "home"))


def bits(value: float) -> bytes:
    """Zero has one sign: SQLite keeps whole numbers of a REAL column as integers, which have no minus zero."""
    return struct.pack(">d", math.nan if math.isnan(value) else value + 0.0)


POINTS = st.lists(
    st.tuples(st.floats(width=64), st.integers(0, 2**53), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=30
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(POINTS)
def test_every_point_is_kept_to_the_bit_and_once(bench: Bench, points: list[tuple[float, int, int]]) -> None:
    """Whatever the numbers, sent again or not: each distinct point stands once, in the order of its first coming."""
    run = bench.run()
    sent = [Metric("loss", *one) for one in points]
    bench.log(run, *sent)
    bench.log(run, *reversed(sent))
    distinct = list(dict.fromkeys((bits(one.value), one.at_ms, one.step) for one in sent))
    kept = [(bits(one.value), one.at_ms, one.step) for _, one in bench.history(run)]
    assert sorted(kept) == sorted(distinct)


def test_what_changes_the_lab_is_in_the_log(bench: Bench) -> None:
    services, run = bench.town.services, bench.run()
    bench.lab.create_experiment(bench.project, "trees", {}, by=bench.person)
    empty: dict[str, str] = {}
    model = services.registry.log_model(bench.project, "0", run, name="m", model_type="", tags=empty, params=empty, by=bench.person)  # fmt: skip
    place = f"0/models/{model.id}/artifacts/model.skops"
    services.keeping.put(bench.project, place, [b"weights"], by=bench.person)
    services.registry.register(bench.project, "tree", by=bench.person)
    told = {"run_id": run, "model_id": model.id, "description": "", "tags": {}}
    services.registry.add_version(bench.project, "tree", source="", by=bench.person, **told)  # type: ignore[arg-type]
    services.registry.set_alias(bench.project, "tree", "champion", 1, by=bench.person)
    services.registry.drop_alias(bench.project, "tree", "champion", by=bench.person)
    _, pieces = services.keeping.open(bench.project, place, by=bench.person)
    assert b"".join(pieces) == b"weights"
    services.keeping.remove(bench.project, place, by=bench.person)
    seen = [one.action for one in services.audit.events(by=bench.town.operator, limit=100).items]
    wanted = {
        "experiment.created", "model.registered", "model.version_added", "model.alias_set", "model.alias_dropped", "artifact.taken",
        "artifact.removed",
    }  # fmt: skip
    assert {action: seen.count(action) for action in wanted} == dict.fromkeys(wanted, 1)


def test_eight_clients_at_one_run_lose_nothing(bench: Bench) -> None:
    run = bench.run()
    batches = [[Metric("loss", float(step), step, step) for step in range(part * 50, part * 50 + 50)] for part in range(8)]  # fmt: skip
    outcomes = at_once(lambda number: bench.log(run, *batches[number]), times=8)
    assert [one for one in outcomes if one is not None] == []
    assert sorted(one.step for _, one in bench.history(run)) == list(range(400))


def test_a_long_history_is_read_on_from_where_it_was_left(bench: Bench) -> None:
    run = bench.run()
    bench.log(run, *(Metric("loss", float(step), step, step) for step in range(900)))
    seen: list[int] = []
    after: Place | None = None
    while page := bench.history(run, after=after, limit=250):
        seen += [one.step for _, one in page]
        after = page[-1][0]
    assert seen == list(range(900))


def test_the_newest_point_is_that_of_the_highest_step(bench: Bench) -> None:
    run = bench.run()
    bench.log(run, Metric("loss", 3.0, 30, 3), Metric("loss", 1.0, 99, 1), Metric("loss", 2.0, 20, 2))
    assert [one.value for one in bench.lab.run(bench.project, run, by=bench.person).metrics] == [3.0]


def test_a_parameter_is_written_once(bench: Bench) -> None:
    run = bench.run()
    for _ in range(2):
        bench.lab.log(bench.project, run, params={"depth": "3"}, by=bench.person)
    with pytest.raises(InvalidInput):
        bench.lab.log(bench.project, run, params={"depth": "4"}, by=bench.person)
    assert bench.lab.run(bench.project, run, by=bench.person).params == {"depth": "3"}


def test_a_tag_is_replaced_and_the_jobs_own_tag_is_not_to_be_forged(bench: Bench) -> None:
    run = bench.run()
    for value in ("a", "b"):
        bench.lab.log(bench.project, run, tags={"note": value, "fabriek.job": "job_1"}, by=bench.person)
    tags = bench.lab.run(bench.project, run, by=bench.person).tags
    assert tags["note"] == "b"
    assert "fabriek.job" not in tags


def test_of_eight_that_make_an_experiment_one_does(bench: Bench) -> None:
    outcomes = at_once(lambda _: bench.lab.create_experiment(bench.project, "trees", {}, by=bench.person), times=8)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert {type(one) for one in outcomes if isinstance(one, Exception)} == {AlreadyExists}
    assert [one.id for one in bench.lab.experiments(bench.project, by=bench.person)] == ["0", "1"]


def test_experiments_are_numbered_in_their_own_project(bench: Bench) -> None:
    other = Bench(bench.town)
    for one in (bench, other):
        assert one.lab.create_experiment(one.project, "trees", {}, by=one.person).id == "1"
    with pytest.raises(NotPermitted):
        bench.lab.experiment(bench.project, "1", by=other.person)


def test_the_label_that_withholds_keeps_metrics_back(bench: Bench) -> None:
    run = bench.lab.open_run(
        bench.project, "", job="job_1", label="departementaal-vertrouwelijk", person=bench.person.person, name="x"
    )
    bench.log(run, Metric("loss", 1.0, 1, 1))
    assert bench.lab.run(bench.project, run, by=bench.person).metrics == []
    with pytest.raises(NotPermitted) as refused:
        bench.history(run)
    assert refused.value.fields["rule"] == "label.logs_withheld"


def test_a_jobs_run_is_opened_once_and_closed_with_those_it_began(bench: Bench) -> None:
    told = {"job": "job_1", "label": "personal", "person": bench.person.person, "name": "x"}
    run = bench.lab.open_run(bench.project, "", **told)
    assert bench.lab.open_run(bench.project, "", **told) == run
    job = Caller("", job="job_1", project_rights={bench.project: frozenset({"lab.view", "lab.write"})})
    beside = bench.run(by=job)
    bench.lab.close_run(run, "FAILED")
    for one in (run, beside):
        found = bench.lab.run(bench.project, one, by=bench.person).run
        assert (found.status, found.label) == ("FAILED", "personal")


def test_a_version_has_its_runs_label_and_its_files_hash(bench: Bench) -> None:
    services = bench.town.services
    run = bench.lab.open_run(bench.project, "", job="job_1", label="personal", person=bench.person.person, name="x")
    job = Caller("", job="job_1", project_rights={bench.project: frozenset({"lab.view", "lab.write"})})
    model = services.registry.log_model(bench.project, "0", run, name="m", model_type="", tags={}, params={}, by=job)
    place = f"0/models/{model.id}/artifacts/"
    services.keeping.put(bench.project, f"{place}model.skops", [b"weights"], by=job)
    services.registry.register(bench.project, "tree", by=job)
    told = {"run_id": run, "model_id": model.id, "description": "", "tags": {}}
    first = services.registry.add_version(bench.project, "tree", source="", by=job, **told)  # type: ignore[arg-type]
    services.keeping.put(bench.project, f"{place}model.skops", [b"others"], by=job)
    second = services.registry.add_version(bench.project, "tree", source="", by=job, **told)  # type: ignore[arg-type]
    assert (first.label, first.number, second.number) == ("personal", 1, 2)
    assert first.sha256 != second.sha256
    with pytest.raises(NotFound):
        services.registry.version(bench.project, "tree", 3, by=bench.person)
