"""`fabriek simulate`: the same admission code, on jobs that have been, under another policy or on another machine."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from fabriek.cli.output import json_option, print_json, say, table, warn
from fabriek.cli.session import connect
from fabriek.compute.simulator.checking import check_names, warnings_of
from fabriek.compute.simulator.figures import Figures, figures_of
from fabriek.compute.simulator.machines import limits_from, machine_from, machine_of_procs
from fabriek.compute.simulator.policies import PolicyAsked, assigned, policy_named, with_terms
from fabriek.compute.simulator.recorded import BEGIN, Reading, rows_on
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.reporting.folders import PAGE, check_folder, whole
from fabriek.compute.simulator.reporting.results import Result
from fabriek.compute.simulator.reporting.writing import NO_PARQUET, PARQUET_BY, report_of, write_report
from fabriek.compute.simulator.trace_files import read_trace, said
from fabriek.funding.policy.ladders import ladder_on, ladders_of
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput, Unavailable


@click.command()
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option(
    "--procs", type=click.IntRange(1), help="A machine of so many processors; default: what the trace's head says."
)
@click.option(
    "--machine",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="A machine of nodes: nodes, cpus, gpus, memory_gib of each.",
)
@click.option(
    "--policy",
    default="default",
    show_default=True,
    metavar="easy|default|FILE.toml",
    help="In which order, and for whom.",
)
@click.option("--power", type=click.Path(path_type=Path), metavar="LIMITS.csv", help="What may be drawn: from, to, kw.")
@click.option("--compare", multiple=True, metavar="POLICY", help="Another policy beside it; repeatable.")
@click.option(
    "--share",
    "shares",
    multiple=True,
    metavar="NAME=FACTOR",
    help="Without a trace: scale a share, `--share europe=2`; repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a report to look at and tables to reckon with into this folder.",
)
@click.option("--force", is_flag=True, help="Put the report also where other files lie.")
@json_option
def simulate(
    trace: Path | None, procs: int | None, machine: Path | None, policy: str, power: Path | None, compare: Sequence[str],
    shares: Sequence[str], out: Path | None, *, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Replay a trace of jobs through the admission that decides here. Without one: this factory's finished jobs, with shares scaled."""
    if trace is None:
        if out:
            raise InvalidInput("a report is made of a trace", fix="fabriek simulate trace.swf.gz --out report")
        _own_past(shares, as_json=as_json)
        return
    if shares:
        raise InvalidInput(
            "--share scales the shares of this factory, not a trace's", fix="say the parts in a policy file"
        )
    if out:
        check_folder(out, force=force)
    reading, limits = read_trace(trace), limits_from(power) if power else []
    made = machine_from(machine, limits) if machine else machine_of_procs(procs or reading.procs, limits)
    asked = [policy_named(one) for one in (policy, *compare)]
    check_names(one.name for one in asked)
    found = [_replayed(reading, made, one) for one in asked]
    for line in warnings_of(limits, found[0].outcome.placed):
        warn(line)
    _tell(reading, [one.figures for one in found], as_json=as_json)
    if out:
        report = report_of(trace, reading, made, found)
        with whole(out, force=force) as folder:
            is_parquet = write_report(report, folder)
        if not as_json:
            say(f"written: {out / PAGE}, with the tables beside it")
        if not is_parquet:
            raise Unavailable(NO_PARQUET, fix=PARQUET_BY)


def _replayed(reading: Reading, machine: Machine, asked: PolicyAsked) -> Result:
    reading.guessed = 0
    before = reading.skipped.copy()
    rows = with_terms(rows_on(reading, machine.capacity, assigned(reading.jobs, asked)), asked)
    outcome = replay(
        rows,
        machine,
        Policy(
            asked.parts,
            asked.order,
            asked.rules,
            ladder_on(ladders_of(shipped("fabriek.funding", "ladder.toml")), BEGIN.date()),
        ),
    )
    kept, reading.skipped = reading.skipped, before
    found = Result(asked.parts, outcome, figures_of(asked.name, outcome, machine, asked.parts))
    reading.skipped |= kept
    return found


def _tell(reading: Reading, found: Sequence[Figures], *, as_json: bool) -> None:
    if as_json:
        left_out = {"skipped": dict(reading.skipped), "guessed": reading.guessed}
        first, *others = (asdict(one) for one in found)
        print_json(first | left_out | ({"compared": others} if others else {}))
        return
    rows = [{name: _shown(value) for name, value in asdict(one).items()} for one in found]
    columns = [
        "policy", "jobs", "mean_wait_seconds", "wait_seconds_p95", "wait_seconds_max", "mean_bounded_slowdown", "utilisation", "kwh"
    ]  # fmt: skip
    table(rows, columns, as_json=False)
    for one in found:
        for share, part in one.used_by_share.items():
            if share:
                say(
                    f"{one.policy}: {share} used {part:.1%}, waited {one.wait_seconds_by_share.get(share, 0):,.0f} s in the mean"
                )
    if missing := said(reading):
        say(f"left out: {missing}")
    if reading.guessed:
        say(f"{reading.guessed:,} jobs say not how long they may run; they ask for as long as they ran")


def _shown(value: object) -> object:
    return f"{value:,.2f}" if isinstance(value, float) else value


def _own_past(shares: Sequence[str], *, as_json: bool) -> None:
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
