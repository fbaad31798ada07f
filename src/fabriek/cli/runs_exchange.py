"""`fabriek runs import` and `export`: experiments of MLflow come in, and go out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.output import counted, json_option, print_json, project_option, say, table, warn
from fabriek.cli.session import connect
from fabriek.schemas.codes import MEANINGS, Code

if TYPE_CHECKING:
    from fabriek.sdk.tracking.report import Report

NOT_WHOLE = MEANINGS[Code.UNAVAILABLE].exit
"""Something did not arrive: why is told, and the same command again goes on."""

SHOWN_MAX = 20
"""Failures shown one by one; `--json` has more."""

experiments_option = click.option(
    "--experiment", "experiments", multiple=True, metavar="NAME", help="Only this one; repeatable. Default: all."
)


@click.command("import")
@click.argument("where", metavar="URI|FOLDER")
@experiments_option
@click.option("--into", default="", metavar="NAME", help="The experiment's name here, where one is named.")
@click.option("--models", is_flag=True, help="Registered models too, with their versions and aliases.")
@click.option("--outside", is_flag=True, help="A folder may name artifacts that lie outside itself.")
@project_option
@json_option
def import_runs(
    where: str, experiments: tuple[str, ...], into: str, project: str, *, models: bool, outside: bool, as_json: bool
) -> int:
    """Bring MLflow's experiments into the project: from a tracking server, or from an mlruns folder.

    Runs keep their ids where those are free. Cut off, the same import goes on; what is here already comes no second time. A server that
    asks who you are is shown MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
    """
    if into and len(experiments) != 1:
        raise click.UsageError("--into gives one experiment another name: name that with --experiment")
    report = connect(project).lab.import_runs(
        where, experiments=experiments, into=into, registered=models, outside=outside, told=warn
    )
    return tell(report, as_json=as_json)


@click.command("export")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@experiments_option
@click.option("--models", is_flag=True, help="Registered models too, with their versions and aliases.")
@project_option
@json_option
def export(folder: Path, experiments: tuple[str, ...], project: str, *, models: bool, as_json: bool) -> int:
    """Write experiments as an mlruns folder, which MLflow reads, and `import` too. A run that is there already stays as it is."""
    report = connect(project).lab.export_runs(folder, experiments=experiments, registered=models, told=warn)
    return tell(report, as_json=as_json)


def tell(report: "Report", *, as_json: bool) -> int:
    """What came of it; leaves with 8 when something did not arrive."""
    if as_json:
        print_json(report.plain())
        return 0 if report.is_whole else NOT_WHOLE
    rows = [{"what": kind, **count} for kind, count in report.plain()["counts"].items() if count["found"]]
    table(rows, ["what", "found", "done", "skipped", "failed"], as_json=False, empty="nothing was found")
    for failure in report.failures[:SHOWN_MAX]:
        say(f"failed: {failure.kind} {failure.name}: {failure.reason}")
    if len(report.failures) > SHOWN_MAX:
        say(f"and {counted(len(report.failures) - SHOWN_MAX, 'more failure')}: --json lists them")
    return 0 if report.is_whole else NOT_WHOLE
