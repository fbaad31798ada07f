"""Verbs on groups of runs, and the question for the best of them."""

import math
from collections.abc import Sequence

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, QuotaExhausted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.lab.finding import all_of, one_of, those_there
from fabriek.lab.groups import (
    PARENT_TAG,
    RUNS_MAX,
    Gathered,
    Goal,
    Group,
    KeptGroups,
    Kind,
    best_of,
    check_name,
    gathered,
    goal_of,
    last_values,
    quoted,
)
from fabriek.lab.runs import is_run_id
from fabriek.lab.service import Lab, Logged

STRETCH = 200
"""Runs that are asked for at once."""


class Grouping:
    """Whoever may see the runs of a project sees its groups."""

    def __init__(self, groups: KeptGroups, lab: Lab, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._groups, self._lab, self._audit, self._clock, self._ids = groups, lab, audit, clock, ids

    # The factory's own verb, for the worker.

    def join_sweep(self, project: str, array: str, run: str, *, name: str, person: str) -> None:
        """Puts the run of an array's element into the group of that array, which the first one makes."""
        with self._groups.transaction(alone=f"groups:{project}"):
            group = self._groups.of_source(project, array)
            if group is None:
                group = Group(self._ids.new("grp"), project, name, Kind.SWEEP, person, self._clock.now(), array)
                self._groups.add(group)
            self._groups.put(group.id, [run])

    # People's verbs.

    def make(self, project: str, name: str, runs: Sequence[str], *, by: Caller) -> Group:
        require(by, "lab.write", project=project)
        chosen = self._checked(project, runs, by)
        group = Group(self._ids.new("grp"), project, check_name(name), Kind.HAND, by.person, self._clock.now())
        with self._groups.transaction(alone=f"groups:{project}"):
            self._groups.add(group)
            self._groups.put(group.id, chosen)
            self._audit.record("run.group_made", group.id, by, project=project)
        return group

    def put(self, project: str, group: str, runs: Sequence[str], *, by: Caller) -> None:
        """Raises WrongState for a group that is none of people's making."""
        require(by, "lab.write", project=project)
        chosen = self._checked(project, runs, by)
        with self._groups.transaction(alone=f"groups:{project}"):
            found = self._made_by_hand(project, group)
            if len({*self._groups.runs(found.id), *chosen}) > RUNS_MAX:
                raise QuotaExhausted(f"a group has at most {RUNS_MAX:,} runs", limit=RUNS_MAX, fix="make another")
            self._groups.put(found.id, chosen)

    def take_out(self, project: str, group: str, runs: Sequence[str], *, by: Caller) -> None:
        require(by, "lab.write", project=project)
        with self._groups.transaction(alone=f"groups:{project}"):
            self._groups.take_out(self._made_by_hand(project, group).id, runs)

    def remove(self, project: str, group: str, *, by: Caller) -> None:
        """The group, and none of its runs."""
        require(by, "lab.write", project=project)
        with self._groups.transaction(alone=f"groups:{project}"):
            self._groups.remove(self._made_by_hand(project, group).id)
            self._audit.record("run.group_removed", group, by, project=project)

    def of_project(self, project: str, *, by: Caller) -> Sequence[tuple[Group, int]]:
        """Sweeps and those made by hand, with how many runs each has, newest first."""
        require(by, "lab.view", project=project)
        return self._groups.of_project(project)

    def of_run(self, project: str, run: str, *, by: Caller) -> Sequence[Group]:
        """Every group that the run is in, or stands above."""
        logged = one_of(self._lab, project, run, by=by)
        found = list(self._groups.of_run(logged.run.id))
        above = logged.tags.get(PARENT_TAG, "")
        if is_run_id(above) and (parent := self._parent(project, above, by)) is not None:
            found.append(parent)
        if self._children(project, logged.run.id, by, limit=1):
            found.append(_below(logged))
        return found

    def group(self, project: str, group: str, *, by: Caller) -> Gathered:
        """With its runs, as far as they are not deleted. Raises NotFound."""
        require(by, "lab.view", project=project)
        if is_run_id(group):
            parent = self._parent(project, group, by)
            children = self._children(project, group, by, limit=RUNS_MAX)
            if parent is None or not children:
                raise NotFound("there is no such group", fix="look at the project's runs")
            return gathered(parent, children)
        found = self._groups.get(project, group)
        return gathered(found, those_there(self._lab, project, self._groups.runs(found.id), by=by))

    def best(
        self, project: str, *, metric: str, goal: str = Goal.MAX, experiment: str = "", group: str = "", by: Caller
    ) -> Logged | None:
        """The run whose last value of the metric is the best, among a group's, an experiment's or all of the project's; None where none
        has a finite value that the caller may see.
        """
        asked = goal_of(goal)
        if not metric:
            raise InvalidInput("the best by which metric?", fix="name one")
        runs: Sequence[Logged]
        if group:
            runs = [
                one
                for one in self.group(project, group, by=by).runs
                if not experiment or one.run.experiment == experiment
            ]
        else:
            runs = self._first(project, [experiment] if experiment else [], metric, asked, by)
        return best_of(runs, metric, asked)

    def _first(self, project: str, experiments: Sequence[str], metric: str, goal: Goal, by: Caller) -> Sequence[Logged]:
        """The first stretch of runs in order of the metric in which one is finite: infinities stand at one end."""
        way = "ASC" if goal is Goal.MIN else "DESC"
        order, offset = [f"metrics.{quoted(metric)} {way}", "attributes.start_time ASC"], 0
        while True:
            runs = self._lab.search(project, experiments, order_by=order, limit=STRETCH, offset=offset, by=by)
            if len(runs) < STRETCH or any(math.isfinite(last_values(one).get(metric, math.nan)) for one in runs):
                return runs
            if all(metric not in last_values(one) for one in runs):
                return []
            offset += STRETCH

    def _children(self, project: str, run: str, by: Caller, *, limit: int) -> list[Logged]:
        return list(self._lab.search(project, filter_text=f"tags.`{PARENT_TAG}` = '{run}'", limit=limit, by=by))

    def _parent(self, project: str, run: str, by: Caller) -> Group | None:
        try:
            return _below(one_of(self._lab, project, run, by=by))
        except NotFound:  # it is another project's, or a script's invention
            return None

    def _checked(self, project: str, runs: Sequence[str], by: Caller) -> list[str]:
        if len(runs) > RUNS_MAX:
            raise InvalidInput(f"a group has at most {RUNS_MAX:,} runs", fix="choose fewer")
        return [one.run.id for one in all_of(self._lab, project, runs, by=by)]

    def _made_by_hand(self, project: str, group: str) -> Group:
        found = self._groups.get(project, group)
        if found.kind is not Kind.HAND:
            raise WrongState("a sweep's runs are what its array made", fix="make a group of your own")
        return found


def _below(logged: Logged) -> Group:
    """The group that a run's children are."""
    run = logged.run
    return Group(run.id, run.project, run.name, Kind.PARENT, run.person, run.started_at, run.id)
