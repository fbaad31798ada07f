"""`fabriek runs`: what runs logged."""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Headed
from fabriek.cli.output import counted, fitting, json_option, plain, print_json, project_option, say, table
from fabriek.cli.runs_exchange import NOT_WHOLE, experiments_option, export, import_runs
from fabriek.cli.session import connect

if TYPE_CHECKING:
    from fabriek.schemas.lab import RunOut

HEADINGS = {
    "Look": ("ls", "show", "compare", "history"),
    "Exchange": ("import", "export", "sync"),
}
SHORT = 8
"""Of an id: enough to tell runs apart, and wherever a command asks for a run, its beginning will do."""

COLUMNS_MAX = 6
"""Metrics that `ls` shows beside a run: those that most of the listed runs have."""


@click.group(cls=Headed, headings=HEADINGS)
def runs() -> None:
    """What runs logged: find, compare, bring in from MLflow, take along."""


@runs.command("ls")
@click.option(
    "--filter", "filter_text", default="", metavar="WORDS", help="\"metrics.loss < 0.5 and params.depth = '3'\"."
)
@click.option("--order", multiple=True, metavar="WORDS", help='"metrics.loss ASC"; repeatable. Default: newest first.')
@experiments_option
@click.option("--deleted", is_flag=True, help="Those that were deleted, instead.")
@click.option("--limit", default=100, type=click.IntRange(1, 100_000), help="At most so many.")
@project_option
@json_option
def ls(
    filter_text: str, order: tuple[str, ...], experiments: tuple[str, ...], limit: int, project: str, *, deleted: bool, as_json: bool
) -> None:  # fmt: skip
    """The project's runs, by the beginnings of their ids. Filter and order are those of MLflow's search.

    \b
    fabriek runs ls --experiment trees --order "metrics.loss ASC" --limit 10
    fabriek runs ls --filter "tags.kind = 'trial' and attributes.status = 'FAILED'"
    """  # noqa: D301  # the sign that click keeps lines by
    found = connect(project).lab.runs(
        filter_text,
        order=order,
        experiments=experiments,
        view="DELETED_ONLY" if deleted else "ACTIVE_ONLY",
        limit=limit,
    )
    if as_json:
        print_json(list(found))
        return
    rows = [
        {"id": one.id[:SHORT], "name": one.name, "experiment": one.experiment_name, "status": one.status, "started_at": plain(one)["started_at"]}
        | {key: _number(one.metrics.get(key)) for key in one.metrics}
        for one in found
    ]  # fmt: skip
    columns = ["id", "name", "experiment", "status", "started_at"]
    columns += fitting(rows, columns, _most_common(found))
    table(rows, columns, as_json=False, empty="no runs: scripts log to the address that `fabriek runs show` names")


def _most_common(found: Sequence["RunOut"]) -> list[str]:
    """Metrics, those of most runs first; what a job takes of its node after what its script says."""
    counts = Counter(key for one in found for key in one.metrics)
    return sorted(counts, key=lambda key: (key.startswith("system/"), -counts[key], key))[:COLUMNS_MAX]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


@runs.command("show")
@click.argument("name", metavar="[RUN]", default="")
@project_option
@json_option
def show_run(name: str, project: str, *, as_json: bool) -> None:
    """One run with everything that it logged last; without RUN, where scripts log to."""
    lab = connect(project).lab
    if not name:
        print_json({"MLFLOW_TRACKING_URI": lab.tracking_uri}) if as_json else say(
            f"MLFLOW_TRACKING_URI={lab.tracking_uri}"
        )
        return
    found = lab.run(lab.named(name))
    series = [] if found.metrics_withheld else lab.series(found.id)
    if as_json:
        print_json(plain(found) | {"points": {one.key: one.count for one in series}})
        return
    from fabriek.cli.output import show  # noqa: PLC0415  # beside it the name of this command would be unclear

    said = plain(found) | {"experiment": found.experiment_name}
    fields = {
        key: value
        for key, value in said.items()
        if value and key not in {"metrics", "params", "tags", "experiment_name"}
    }
    show(fields, as_json=False)
    rows = [
        {"metric": one.key, "value": repr(one.last.value), "step": one.last.step, "points": one.count} for one in series
    ]
    for kind, listed, columns in (
        ("metrics", rows, ["metric", "value", "step", "points"]),
        ("params", [{"param": key, "value": value} for key, value in sorted(found.params.items())], ["param", "value"]),
        ("tags", [{"tag": key, "value": value} for key, value in sorted(found.tags.items())], ["tag", "value"]),
    ):
        if listed:
            say("")
            table(listed, columns, as_json=False)
        elif kind == "metrics" and found.metrics_withheld:
            say(f"\nits metrics carry the label {found.label} and are withheld until they are released")


@runs.command("compare")
@click.argument("names", metavar="RUN RUN…", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="What is the same in all of them, too.")
@project_option
@json_option
def compare(names: tuple[str, ...], project: str, *, everything: bool, as_json: bool) -> None:
    """Runs side by side: parameters, metrics and tags in which they differ. With --json their curves too."""
    if len(names) < 2:
        raise click.UsageError("name two runs or more")
    lab = connect(project).lab
    found = lab.compare([lab.named(name) for name in names])
    if as_json:
        print_json(found)
        return
    ids = [run.id[:SHORT] for run in found.runs]
    rows: list[dict[str, str | None]] = [
        {"what": f"{fact.about} {fact.name}", **dict(zip(ids, fact.values, strict=True))}
        for fact in found.facts
        if fact.differs or everything
    ]
    table(rows, ["what", *ids], as_json=False, empty="they do not differ")
    for run in found.withheld:
        say(f"the metrics of {run[:SHORT]} are withheld by its label")


@runs.command("history")
@click.argument("name", metavar="RUN")
@click.argument("keys", metavar="[METRIC]…", nargs=-1)
@project_option
def history(name: str, keys: tuple[str, ...], project: str) -> None:
    """Every point of the metrics named, or of all, as CSV on standard output: exact, however many there are."""
    lab = connect(project).lab
    for piece in lab.history(lab.named(name), keys):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


@runs.command("sync")
@json_option
def sync(*, as_json: bool) -> int:
    """Send what scripts logged while the factory was away, as `factory.lab.log` keeps it on this machine. Once, however often it is asked."""
    synced = connect().lab.sync()
    if as_json:
        print_json({"runs": synced.runs, "records": synced.records, "refused": synced.refused,
                    "left": [{"run": one.run, "reason": one.reason} for one in synced.left]})  # fmt: skip
    else:
        if synced.runs or not synced.left:
            say(f"{counted(len(synced.runs), 'run')} sent" if synced.runs else "nothing waits here")
        if synced.refused:
            say(f"{counted(synced.refused, 'record')} refused: with the reasons in *.refused beside the spool")
        for left in synced.left:
            say(f"left: {left.run}: {left.reason}")
    return NOT_WHOLE if synced.left or synced.refused else 0


runs.add_command(import_runs)
runs.add_command(export)
