"""Comparisons, groups and notes, on both databases, through the services as the API asks them."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, QuotaExhausted, WrongState
from fabriek.lab import notes
from fabriek.lab.groups import PARENT_TAG, Kind
from fabriek.lab.metrics import Metric
from tests.contract.test_lab import Bench
from tests.factories.services import a_town
from tests.factories.threads import at_once


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(a_town(database, tmp_path / "home"))


def a_run(bench: Bench, loss: float | None = None, **params: str) -> str:
    run = bench.run()
    points = [Metric("loss", 1.0, 1_000, 0), Metric("loss", loss, 2_000, 1)] if loss is not None else []
    bench.lab.log(bench.project, run, metrics=points, params=params, by=bench.person)
    return run


def test_runs_beside_each_other(bench: Bench) -> None:
    left, right = a_run(bench, 0.5, lr="0.1"), a_run(bench, 0.25, lr="0.2")
    found = bench.town.services.comparing.compare(bench.project, [right, left], align="step", by=bench.person)
    assert [one.run.id for one in found.runs] == [right, left]
    assert [(one.name, one.values) for one in found.facts if one.differs and one.about == "param"] == [
        ("lr", ("0.2", "0.1"))
    ]
    assert [[line.points for line in one.lines] for one in found.overlays] == [
        [[(0, 1.0), (1, 0.25)], [(0, 1.0), (1, 0.5)]]
    ]
    timed = bench.town.services.comparing.compare(bench.project, [right, left], align="time", by=bench.person)
    assert [line.points[0][0] for line in timed.overlays[0].lines] == [0.0, 0.0]


def test_a_run_of_another_project_is_compared_with_nothing(bench: Bench) -> None:
    stranger = Bench(bench.town)
    mine, theirs = a_run(bench, 0.5), a_run(stranger, 0.5)
    services = bench.town.services
    with pytest.raises(NotFound):
        services.comparing.compare(bench.project, [mine, theirs], by=bench.person)
    with pytest.raises(NotPermitted):
        services.comparing.compare(stranger.project, [theirs, theirs[::-1]], by=bench.person)
    with pytest.raises(NotFound):
        services.grouping.make(bench.project, "both", [mine, theirs], by=bench.person)


def test_a_sweeps_runs_become_one_group_however_many_come_at_once(bench: Bench) -> None:
    grouping, runs = bench.town.services.grouping, [a_run(bench, lr=str(one)) for one in range(4)]

    def join(run: str) -> None:
        grouping.join_sweep(bench.project, "arr_1", run, name="sweep", person=bench.person.person)

    assert at_once(lambda number: join(runs[number]), times=4) == [None] * 4
    join(runs[0])
    [(group, count)] = grouping.of_project(bench.project, by=bench.person)
    assert (group.kind, group.source, count) == (Kind.SWEEP, "arr_1", 4)
    found = grouping.group(bench.project, group.id, by=bench.person)
    assert sorted(one.run.id for one in found.runs) == sorted(runs)
    assert found.params == ["lr"]
    with pytest.raises(WrongState):
        grouping.take_out(bench.project, group.id, runs, by=bench.person)


def test_children_are_the_group_of_the_run_above_them(bench: Bench) -> None:
    grouping, above, child = bench.town.services.grouping, a_run(bench), a_run(bench, 0.5)
    bench.lab.log(bench.project, child, tags={PARENT_TAG: above}, by=bench.person)
    for run in (above, child):
        assert [(one.id, one.kind) for one in grouping.of_run(bench.project, run, by=bench.person)] == [
            (above, Kind.PARENT)
        ]
    assert [one.run.id for one in grouping.group(bench.project, above, by=bench.person).runs] == [child]
    with pytest.raises(NotFound):
        grouping.group(bench.project, child, by=bench.person)


def test_people_make_fill_empty_and_remove_groups(bench: Bench) -> None:
    grouping, first, second = bench.town.services.grouping, a_run(bench, 0.5), a_run(bench, 0.25)
    group = grouping.make(bench.project, " mine ", [first, first], by=bench.person).id
    grouping.put(bench.project, group, [first, second], by=bench.person)
    assert [one.name for one in grouping.of_run(bench.project, second, by=bench.person)] == ["mine"]
    best = grouping.best(bench.project, metric="loss", goal="min", group=group, by=bench.person)
    assert best is not None
    assert best.run.id == second
    grouping.take_out(bench.project, group, [second], by=bench.person)
    assert [one.run.id for one in grouping.group(bench.project, group, by=bench.person).runs] == [first]
    grouping.remove(bench.project, group, by=bench.person)
    assert grouping.of_project(bench.project, by=bench.person) == []
    assert bench.lab.run(bench.project, first, by=bench.person).run.id == first
    for name in ("", " ", "x" * 201):
        with pytest.raises(InvalidInput):
            grouping.make(bench.project, name, [], by=bench.person)


def test_the_best_run_of_an_experiment(bench: Bench) -> None:
    runs = [a_run(bench, loss) for loss in (0.5, float("nan"), 0.25, float("-inf"))]
    grouping = bench.town.services.grouping
    best = grouping.best(bench.project, metric="loss", goal="min", experiment="0", by=bench.person)
    assert best is not None
    assert best.run.id == runs[2]
    assert grouping.best(bench.project, metric="loss", experiment="77", by=bench.person) is None
    with pytest.raises(InvalidInput):
        grouping.best(bench.project, metric="loss", goal="most", by=bench.person)


def test_a_note_is_changed_by_who_wrote_it_and_by_nobody_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    services, run = bench.town.services, a_run(bench)
    note = services.notes.write(bench.project, run, "It *diverged*.\r\n", by=bench.person)
    changed = services.notes.change(bench.project, run, note.id, "It converged.", by=bench.person)
    assert services.notes.of_run(bench.project, run, by=bench.person) == [changed]
    assert (changed.text, changed.changed_at is not None, changed.person) == (
        "It converged.",
        True,
        bench.person.person,
    )
    colleague = bench.town.person("weefsel")
    person = services.access.person(colleague.person)
    services.access.add_member(bench.slug, person.email, "member", by=bench.person)
    colleague = bench.town.again(colleague)
    assert services.notes.of_run(bench.project, run, by=colleague) == [changed]
    for forbidden in (
        lambda: services.notes.change(bench.project, run, note.id, "mine now", by=colleague),
        lambda: services.notes.remove(bench.project, run, note.id, by=colleague),
        lambda: services.notes.write(bench.project, run, "from outside", by=bench.town.person("elsewhere")),
    ):
        with pytest.raises(NotPermitted):
            forbidden()
    with pytest.raises(NotFound):
        services.notes.change(bench.project, a_run(bench), note.id, "at another run", by=bench.person)
    monkeypatch.setattr(notes, "NOTES_MAX", 1)
    with pytest.raises(QuotaExhausted):
        services.notes.write(bench.project, run, "one more", by=bench.person)
    services.notes.remove(bench.project, run, note.id, by=bench.person)
    assert services.notes.of_run(bench.project, run, by=bench.person) == []
    acts = [one.action for one in services.audit.events(by=bench.town.operator, limit=100).items]
    assert [acts.count(f"run.note_{act}") for act in ("written", "changed", "removed")] == [1, 1, 1]


@pytest.mark.parametrize("text", ["", " \n", "x" * 20_001])
def test_a_note_says_something_and_not_too_much(text: str) -> None:
    with pytest.raises(InvalidInput):
        notes.check_text(text)
