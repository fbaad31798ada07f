"""Runs beside each other over HTTP: comparisons, the best run, groups, notes, and what a run hangs on."""

import math
from collections.abc import Sequence

from fastapi import Query

from fabriek.api.lab import run_out
from fabriek.lab.comparing import Align, Line, written
from fabriek.lab.groups import Goal, Group, last_values
from fabriek.lab.notes import Note
from fabriek.schemas.base import PageOut
from fabriek.schemas.lab_compare import (
    BecameOut,
    BestOut,
    ComparisonOut,
    FactOut,
    GroupedOut,
    GroupIn,
    GroupOut,
    GroupRunsIn,
    LineOut,
    LinksOut,
    NoteIn,
    NoteOut,
    OverlayOut,
    ReadOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["lab"])


def _line_out(line: Line) -> LineOut:
    points = [(x, value if math.isfinite(value) else written(value)) for x, value in line.points]
    return LineOut(run=line.run, points=points, count=line.count)


def _group_out(group: Group, runs: int | None = None) -> GroupOut:
    return GroupOut(
        id=group.id, name=group.name, kind=group.kind, source=group.source, made_by=group.person, made_at=group.made_at, runs=runs
    )  # fmt: skip


def _note_out(note: Note) -> NoteOut:
    return NoteOut(
        id=note.id, person=note.person, text=note.text, written_at=note.written_at, changed_at=note.changed_at
    )


@router.get("/projects/{project}/runs-compare", access=Right("lab.view"))
def compare(
    project: str, caller: CallerDep, factory: FactoryDep, run: Sequence[str] = Query(), align: str = Align.STEP,
    metric: Sequence[str] = Query(()),
) -> ComparisonOut:  # fmt: skip
    """2 to 20 runs beside each other: every parameter, metric, fact and tag with what differs marked, and their curves, thinned."""
    home = factory.access.project(project).id
    found = factory.comparing.compare(home, run, align=align, metrics=metric, by=caller)
    return ComparisonOut(
        runs=[run_out(one) for one in found.runs],
        align=found.align,
        facts=[
            FactOut(about=one.about, name=one.name, values=list(one.values), differs=one.differs) for one in found.facts
        ],
        curves=[OverlayOut(key=one.key, lines=[_line_out(line) for line in one.lines]) for one in found.overlays],
        curves_left_out=found.left_out,
        withheld=[one.run.id for one in found.runs if one.withheld],
    )


@router.get("/projects/{project}/runs-best", access=Right("lab.view"))
def best(
    project: str, caller: CallerDep, factory: FactoryDep, metric: str, goal: str = Goal.MAX, experiment: str = "", group: str = ""
) -> BestOut:  # fmt: skip
    """The run whose last value of a metric is the highest, or the lowest, of the project, an experiment or a group."""
    home = factory.access.project(project).id
    found = factory.grouping.best(home, metric=metric, goal=goal, experiment=experiment, group=group, by=caller)
    value = last_values(found)[metric] if found else None
    return BestOut(metric=metric, goal=goal, value=value, run=run_out(found) if found else None)


@router.get("/projects/{project}/run-groups", access=Right("lab.view"))
def list_groups(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[GroupOut]:
    """Sweeps and groups made by hand, newest first. The children of a run are a group too, under that run's id."""
    found = factory.grouping.of_project(factory.access.project(project).id, by=caller)
    return PageOut[GroupOut](items=[_group_out(one, runs) for one, runs in found])


@router.post("/projects/{project}/run-groups", access=Right("lab.write"), status_code=201)
def make_group(project: str, wanted: GroupIn, caller: CallerDep, factory: FactoryDep) -> GroupOut:
    """Put runs together under a name."""
    made = factory.grouping.make(factory.access.project(project).id, wanted.name, wanted.runs, by=caller)
    return _group_out(made, len(set(wanted.runs)))


@router.get("/projects/{project}/run-groups/{group}", access=Right("lab.view"))
def show_group(project: str, group: str, caller: CallerDep, factory: FactoryDep) -> GroupedOut:
    """A group with its runs. By the id of a run: the children of that run."""
    found = factory.grouping.group(factory.access.project(project).id, group, by=caller)
    return GroupedOut(
        group=_group_out(found.group, len(found.runs)), params=list(found.params), metrics=list(found.metrics),
        runs=[run_out(one) for one in found.runs],
    )  # fmt: skip


@router.post("/projects/{project}/run-groups/{group}/runs", access=Right("lab.write"), status_code=204)
def put_runs(project: str, group: str, wanted: GroupRunsIn, caller: CallerDep, factory: FactoryDep) -> None:
    """Add runs to a group made by hand."""
    factory.grouping.put(factory.access.project(project).id, group, wanted.runs, by=caller)


@router.delete("/projects/{project}/run-groups/{group}/runs/{run}", access=Right("lab.write"), status_code=204)
def take_out(project: str, group: str, run: str, caller: CallerDep, factory: FactoryDep) -> None:
    """Take a run out of a group made by hand."""
    factory.grouping.take_out(factory.access.project(project).id, group, [run], by=caller)


@router.delete("/projects/{project}/run-groups/{group}", access=Right("lab.write"), status_code=204)
def remove_group(project: str, group: str, caller: CallerDep, factory: FactoryDep) -> None:
    """Remove a group made by hand, and none of its runs."""
    factory.grouping.remove(factory.access.project(project).id, group, by=caller)


@router.get("/projects/{project}/runs/{run}/notes", access=Right("lab.view"))
def list_notes(project: str, run: str, caller: CallerDep, factory: FactoryDep) -> PageOut[NoteOut]:
    """What people wrote about a run, oldest first."""
    found = factory.notes.of_run(factory.access.project(project).id, run, by=caller)
    return PageOut[NoteOut](items=[_note_out(one) for one in found])


@router.post("/projects/{project}/runs/{run}/notes", access=Right("lab.write"), status_code=201)
def write_note(project: str, run: str, wanted: NoteIn, caller: CallerDep, factory: FactoryDep) -> NoteOut:
    """Write a note about a run, in Markdown."""
    return _note_out(factory.notes.write(factory.access.project(project).id, run, wanted.text, by=caller))


@router.put("/projects/{project}/runs/{run}/notes/{note}", access=Right("lab.write"))
def change_note(project: str, run: str, note: str, wanted: NoteIn, caller: CallerDep, factory: FactoryDep) -> NoteOut:
    """Change a note of your own."""
    return _note_out(factory.notes.change(factory.access.project(project).id, run, note, wanted.text, by=caller))


@router.delete("/projects/{project}/runs/{run}/notes/{note}", access=Right("lab.write"), status_code=204)
def remove_note(project: str, run: str, note: str, caller: CallerDep, factory: FactoryDep) -> None:
    """Remove a note of your own."""
    factory.notes.remove(factory.access.project(project).id, run, note, by=caller)


@router.get("/projects/{project}/runs/{run}/links", access=Right("lab.view"))
def links(project: str, run: str, caller: CallerDep, factory: FactoryDep) -> LinksOut:
    """What a run hangs on: its job, the data and code that the job read, the models that came of it, and its groups."""
    home = factory.access.project(project).id
    found, groups = factory.linking.of_run(home, run, by=caller), factory.grouping.of_run(home, run, by=caller)
    origin = found.origin
    return LinksOut(
        run=found.run, job=origin.job if origin else "", code=origin.code if origin else "", output=origin.output if origin else "",
        inputs=[ReadOut(dataset=one.dataset, name=one.name, number=one.number, version=one.version, label=one.label) for one in origin.inputs]
        if origin
        else [],
        environment_hash=origin.environment_hash if origin else "", array=origin.array if origin else "",
        models=[BecameOut(name=one.name, version=one.number, label=one.label, sha256=one.sha256) for one in found.models],
        groups=[_group_out(one) for one in groups],
    )  # fmt: skip
