"""A project's experiments and the table of their runs: filtered, ordered, in columns of one's choice, and chosen to be compared."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.comparing import drawn_first, written
from fabriek.lab.groups import Goal, last_values
from fabriek.lab.runs import View
from fabriek.lab.service import Logged
from fabriek.portal.named import names_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

SHOWN = 50
PAGES_MAX = 1_000
COLUMNS_USUAL = 3
"""Parameters and metrics that the table has of each where nobody chose."""

COLUMNS_MAX = 30
OFFERED_MAX = 200
GROUPS_SHOWN = 20
METRIC, PARAM = "metrics.", "params."
FIXED = {"name": "attributes.run_name", "status": "attributes.status", "started": "attributes.start_time"}
"""Columns that every table has, by what a filter calls them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says. `order`: a column, with `down` for the highest first; `column`: those that are wanted."""

    experiment: str = ""
    filter: str = ""
    order: str = ""
    down: bool = False
    deleted: bool = False
    page: int = 1
    column: Sequence[str] = field(default_factory=tuple)

    def address(self, **changes: Any) -> str:
        """The same with these changes, as a query."""
        said = {name: getattr(self, name) for name in self.__slots__} | changes
        words = [(name, "1" if value is True else value) for name, value in said.items() if value and name != "column"]
        return "?" + urlencode([*words, *(("column", one) for one in said["column"])])

    def orders(self) -> list[str]:
        """As MLflow writes it. Raises InvalidInput on a column that there is not."""
        if not self.order:
            return []
        way = "DESC" if self.down else "ASC"
        if self.order in FIXED:
            return [f"{FIXED[self.order]} {way}"]
        kind, _, name = self.order.partition(".")
        if f"{kind}." not in {METRIC, PARAM} or "`" in name:
            raise InvalidInput(f"{self.order[:80]!r} is no column", fix="choose one of the table's")
        return [f"{kind}.`{name}` {way}"]


def value_in(logged: Logged, column: str) -> str:
    """What stands in a run's row under a column."""
    if column.startswith(METRIC):
        value = last_values(logged).get(column.removeprefix(METRIC))
        return "" if value is None else written(value)
    return logged.params.get(column.removeprefix(PARAM), "")


def columns_of(runs: Sequence[Logged]) -> list[str]:
    """Every one that these runs have something under, what scripts logged first."""
    metrics = sorted({metric.key for one in runs for metric in one.metrics}, key=drawn_first)
    params = sorted({name for one in runs for name in one.params})
    return [*(METRIC + key for key in metrics), *(PARAM + name for name in params)]


def usual(columns: Sequence[str]) -> list[str]:
    metrics = [one for one in columns if one.startswith(METRIC) and not one.startswith(f"{METRIC}system/")]
    return [*metrics[:COLUMNS_USUAL], *[one for one in columns if one.startswith(PARAM)][:COLUMNS_USUAL]]


def _best(services: Services, home: str, asked: Asked, by: Caller) -> str:
    """Which run has the best of the metric that the table is ordered by; of none, if it is not."""
    if not asked.order.startswith(METRIC):
        return ""
    goal = Goal.MAX if asked.down else Goal.MIN
    metric = asked.order.removeprefix(METRIC)
    found = services.grouping.best(home, metric=metric, goal=goal, experiment=asked.experiment, by=by)
    return found.run.id if found else ""


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/runs", access=Right("lab.view"))
    def listed(
        request: Request, project: str, caller: CallerDep, experiment: str = "",
        asked_filter: str = Query("", alias="filter", max_length=4_000), order: str = Query("", max_length=300), *,
        down: bool = False, deleted: bool = False, page: int = Query(1, ge=1, le=PAGES_MAX),
        column: Sequence[str] = Query((), max_length=COLUMNS_MAX),
    ) -> Response:  # fmt: skip
        """Experiments, groups, and a table of runs."""
        home = services.access.project(project)
        asked = Asked(experiment, asked_filter, order, down, deleted, page, tuple(column))
        problem, runs = "", list[Logged]()
        try:
            runs = list(services.lab.search(
                home.id, [experiment] if experiment else [], filter_text=asked.filter, order_by=asked.orders(),
                view=View.DELETED if deleted else View.ACTIVE, limit=SHOWN + 1, offset=(page - 1) * SHOWN, by=caller,
            ))  # fmt: skip
        except InvalidInput as error:
            problem = error.detail
        shown, offered = runs[:SHOWN], columns_of(runs[:SHOWN])
        columns = list(asked.column) or usual(offered)
        return pages.render(
            request, "runs.html", status=422 if problem else 200, project=home, asked=asked, problem=problem, runs=shown, columns=columns,
            offered=[*columns, *(one for one in offered if one not in columns)][:OFFERED_MAX],
            value_in=value_in, more=len(runs) > SHOWN, people=names_of(services, {one.run.person for one in shown}),
            best="" if problem or deleted else _best(services, home.id, asked, caller),
            experiments=services.lab.experiments(home.id, by=caller), groups=services.grouping.of_project(home.id, by=caller)[:GROUPS_SHOWN],
            writes=caller.may("lab.write", project=home.id),
        )  # fmt: skip

    return made
