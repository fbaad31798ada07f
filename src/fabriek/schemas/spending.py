"""How a project stands with its credits, and what hours cost, on the wire."""

from datetime import date

from fabriek.schemas.base import Wire


class LackOut(Wire):
    """A resource that is empty since a day; `owed`: what was used beyond it, in whole units."""

    resource: str
    since: date
    owed: str


class StandingOut(Wire):
    """`state`: open, no_new_jobs, data_shut or closed. `shuts_on`, `closes_on`: if no credits come. `says`: all of it in words."""

    project: str
    state: str
    since: date
    empty: list[LackOut]
    shuts_on: date | None
    closes_on: date | None
    says: list[str]


class RateOut(Wire):
    """What an hour costs in units of the resource. `kind`: of GPUs or of storage; empty for all others. `nodes`: where nodes are had whole or in
    slices. `wall_hours_max`: how long a job may run; 0 where nothing is said.
    """

    resource: str
    kind: str
    costs: str
    nodes: str
    wall_hours_max: int
    valid_from: date
    source: str
