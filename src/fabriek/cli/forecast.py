"""`fabriek forecast`: when a job would start, before anybody submits it."""

import click

from fabriek.cli.output import json_option, print_json, project_option, say
from fabriek.cli.session import connect
from fabriek.kernel.units import parse_bytes, parse_seconds
from fabriek.schemas.forecasts import ForecastOut, ForecastScoreOut


@click.command()
@click.option(
    "--gpus", default="0", metavar="[KIND:]N", help="GPUs on each node: 2, a100:2, or a part: 0.25, h100:0.5."
)
@click.option("--cpus", default=1, type=click.IntRange(1), help="CPU cores on each node.")
@click.option("--nodes", default=1, type=click.IntRange(1), help="Nodes, all or none.")
@click.option("--memory", default="2GiB", metavar="SIZE", help="Memory on each node.")
@click.option("--time", default="1h", metavar="DURATION", help="Longest time it may run: 30m, 2h.")
@click.option("--hours", type=float, help="The same, in hours.")
@click.option("--priority", type=click.Choice(["eco", "normal", "urgent"]), default="normal", help="As it would have.")
@click.option("--purpose", default="", help="civilian, dual_use or exclusively_military; default: the project's.")
@click.option("--score", is_flag=True, help="How often the forecasts of this factory held so far.")
@project_option
@json_option
def forecast(
    gpus: str, cpus: int, nodes: int, memory: str, time: str, hours: float | None, priority: str, purpose: str, project: str, *,
    score: bool, as_json: bool,
) -> None:  # fmt: skip
    """When a job would probably start if you submitted it now, and what would start sooner.

    \b
    fabriek forecast --gpus 8 --hours 4

    Four times out of five a job that has to wait starts within the interval, once enough forecasts of this factory have been checked.
    """  # noqa: D301  # the sign that click keeps lines by
    if score:
        _tell_score(connect(project).jobs.forecast_score(), as_json=as_json)
        return
    seconds = round(hours * 3600) if hours is not None else parse_seconds(time)
    found = connect(project).jobs.forecast(
        gpus=gpus, cpus=cpus, nodes=nodes, memory_bytes=parse_bytes(memory), wall_seconds_max=seconds, priority=priority, purpose=purpose
    )  # fmt: skip
    if as_json:
        print_json(found)
        return
    for line in lines(found):
        say(line)


def lines(found: ForecastOut) -> list[str]:
    """What was asked and when it would start, then each variant that starts sooner."""
    return [f"{found.asks}: {found.start.says}", *(f"{one.asks}: {one.start.says}" for one in found.sooner)]


def _tell_score(found: ForecastScoreOut, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif not found.forecasts or found.since is None:
        say("no forecast with an interval has been checked yet")
    else:
        say(
            f"{found.held} of {found.forecasts} starts lay in their interval: {found.held_part:.0%}, and {found.meant_part:.0%} is meant. "
            f"{found.early} began before it, {found.late} after it; half of the intervals were at most {found.hours_wide:.1f} hours wide. "
            f"Since {found.since.astimezone():%Y-%m-%d}."
        )
