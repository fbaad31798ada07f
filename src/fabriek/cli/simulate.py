"""`fabriek simulate`: the same admission code, on jobs that have been, under another policy."""

import click

from fabriek.cli.output import json_option, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput


@click.command()
@click.option(
    "--share", "shares", multiple=True, metavar="NAME=FACTOR", help="Scale a share: `--share europe=2`; repeatable."
)
@json_option
def simulate(shares: tuple[str, ...], *, as_json: bool) -> None:
    """Replay this factory's finished jobs with some shares scaled, beside the policy of today."""
    scale = dict(_factor(one) for one in shares)
    outcomes = connect().jobs.simulate(scale=scale).outcomes
    columns = ["policy", "jobs", "wait_seconds_mean", "wait_seconds_max", "makespan_seconds", "used_by_share"]
    table(outcomes, columns, as_json=as_json)


def _factor(text: str) -> tuple[str, float]:
    name, _, factor = text.partition("=")
    try:
        return name, float(factor)
    except ValueError:
        raise InvalidInput(f"--share {text!r} has no factor", fix=f"--share {name}=2") from None
