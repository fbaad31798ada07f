"""The page: one file that asks nothing of any network and runs nothing."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from fabriek.compute.simulator.reporting.results import Report
from fabriek.compute.simulator.reporting.sections import sections_of

MARK = '<meta name="generator" content="fabriek simulate">'
"""By this a folder is known to hold a report."""


def page_of(report: Report) -> str:
    """The same for the same report, to the byte."""
    found = _template().render(report=report, machine=_machine(report), sections=sections_of(report))
    assert found.count(MARK) == 1
    return found


def _machine(report: Report) -> str:
    capacity, contract = report.machine.capacity, report.machine.contract
    each = capacity.each()
    said = f"{capacity.cpus:,} processors"
    if capacity.nodes > 1 or capacity.gpus:
        said = f"{capacity.nodes:,} {'nodes' if capacity.nodes > 1 else 'node'} with {each.cpus:,} processors and {each.gpus:,} GPUs each"
    limits = f"{len(report.machine.limits):,} limits on power" if report.machine.limits else "no limit on power"
    contracted = f"a contract of {contract.watts / 1000:,g} kW" if contract else "no contract"
    return f"{said}, {contracted}, {limits}"


@cache
def _template() -> Template:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return made.get_template("page.html")
