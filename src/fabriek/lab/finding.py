"""Runs by their ids, without a look at what is withheld of them: who decides about a release looks at one run, knowingly, on its own page."""

from collections.abc import Sequence

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound
from fabriek.lab.runs import View, check_run_id
from fabriek.lab.service import Lab, Logged

STRETCH = 200
"""Ids in one question."""


def those_there(lab: Lab, project: str, runs: Sequence[str], *, view: View = View.ACTIVE, by: Caller) -> list[Logged]:
    """Those of the runs that there are, in the given order, each once; metrics that are withheld are so from everybody. Raises InvalidInput."""
    wanted = [check_run_id(run) for run in dict.fromkeys(runs)]
    found: dict[str, Logged] = {}
    for start in range(0, len(wanted), STRETCH):
        listed = ", ".join(f"'{run}'" for run in wanted[start : start + STRETCH])
        asked = lab.search(project, filter_text=f"attributes.run_id IN ({listed})", view=view, by=by)
        found |= {one.run.id: one for one in asked}
    return [found[run] for run in wanted if run in found]


def all_of(lab: Lab, project: str, runs: Sequence[str], *, by: Caller) -> list[Logged]:
    """The same, deleted ones too. Raises NotFound where one is not there, or not the caller's to know."""
    found = those_there(lab, project, runs, view=View.ALL, by=by)
    missing = set(runs) - {one.run.id for one in found}
    if missing:
        raise NotFound(f"Run with id={min(missing)} not found")
    return found


def one_of(lab: Lab, project: str, run: str, *, by: Caller) -> Logged:
    """One of them. Raises NotFound."""
    return all_of(lab, project, [run], by=by)[0]
