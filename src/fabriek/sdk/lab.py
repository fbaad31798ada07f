"""Runs and models, for the client. Scripts log through MLflow's own client; this reads, brings in and takes along."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.schemas.base import PageOut
from fabriek.schemas.lab import ModelVersionOut, PointOut, RunOut, SeriesOut
from fabriek.schemas.lab_compare import ComparisonOut
from fabriek.sdk import frames
from fabriek.sdk.client import Client
from fabriek.sdk.environment import mlflow_credentials, spool_folder
from fabriek.sdk.spool.delivering import Delivering, Synced, deliver_session
from fabriek.sdk.spool.logger import BYTES_MAX, RunLog, fresh_head
from fabriek.sdk.spool.segments import sessions
from fabriek.sdk.tracking.exporting import Exporting
from fabriek.sdk.tracking.importing import Importing
from fabriek.sdk.tracking.live import tracking_at
from fabriek.sdk.tracking.mlruns import Mlruns
from fabriek.sdk.tracking.report import Report

PAGE = 1_000


class Lab:
    """What runs logged, and the models they left."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def tracking_uri(self) -> str:
        """What `MLFLOW_TRACKING_URI` must say for this project."""
        return f"{self._client.url}/lab/{self._client.the_project()}"

    def runs(
        self, filter: str = "", *, order: Sequence[str] = (), experiments: Sequence[str] = (), view: str = "ACTIVE_ONLY",  # noqa: A002  # as in MLflow
        limit: int | None = None, project: str = "",
    ) -> Sequence[RunOut]:  # fmt: skip
        """The newest first, or in the order asked for; all of them without a limit.

        filter and order are those of MLflow's search: `metrics.loss < 0.5 and params.depth = '3'`, `metrics.loss ASC`. experiments: names
        or ids. view: ACTIVE_ONLY, DELETED_ONLY or ALL. Raises InvalidInput on a filter that is none.
        """
        asked = {"filter": filter, "order": list(order), "experiment": list(experiments), "view": view}
        found: list[RunOut] = []
        cursor = ""
        while limit is None or len(found) < limit:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self._client.get(self._path(project, "runs"), params=asked | {"limit": size, "cursor": cursor})
            found += PageOut[RunOut].model_validate(page).items
            cursor = page["next_cursor"]
            if not cursor:
                break
        return found

    def named(self, run: str, *, project: str = "") -> str:
        """The whole id of a run of which somebody gave the beginning. Raises NotFound, and InvalidInput where several begin so."""
        if not re.fullmatch(r"[0-9a-f]{4,31}", run):
            return run
        found = self.runs(f"attributes.run_id LIKE '{run}%'", view="ALL", limit=2, project=project)
        if not found:
            raise NotFound(f"no run of this project begins with {run}", fix="fabriek runs ls")
        if len(found) > 1:
            raise InvalidInput(f"several runs begin with {run}", fix="give more of it")
        return found[0].id

    def run(self, run: str, *, project: str = "") -> RunOut:
        return RunOut.model_validate(self._client.get(self._path(project, f"runs/{run}")))

    def series(self, run: str, *, project: str = "") -> Sequence[SeriesOut]:
        """Its metrics: how many points each has, and the newest."""
        return PageOut[SeriesOut].model_validate(self._client.get(self._path(project, f"runs/{run}/metrics"))).items

    def metric(self, run: str, key: str, *, project: str = "") -> Sequence[PointOut]:
        """Every point of a metric, by instant, then step, to the bit."""
        found: list[PointOut] = []
        cursor = ""
        while True:
            path = self._path(project, f"runs/{run}/metrics/{quote(key)}")
            page = PageOut[PointOut].model_validate(self._client.get(path, params={"cursor": cursor}))
            found += page.items
            cursor = page.next_cursor
            if not cursor:
                return found

    def history(self, run: str, keys: Sequence[str] = (), *, project: str = "") -> Iterator[bytes]:
        """Every point of the metrics named, or of all, as CSV in pieces: key, at_ms, step, value. However long it is."""
        path = self._path(project, f"runs/{run}/history")
        with self._client.stream(path, params={"key": list(keys)}) as answered:
            yield from answered.iter_bytes()

    def compare(
        self, runs: Sequence[str], *, align: str = "step", metrics: Sequence[str] = (), project: str = ""
    ) -> ComparisonOut:
        """2 to 20 runs beside each other: every parameter, metric and tag with what differs marked, and their curves.

        align: what curves have in common, `step` or `time`. metrics: whose curves; without any, the first of all.
        """
        asked = {"run": list(runs), "align": align, "metric": list(metrics)}
        return ComparisonOut.model_validate(self._client.get(self._path(project, "runs-compare"), params=asked))

    def runs_frame(self, filter: str = "", *, arrow: bool = False, **asked: Any) -> Any:  # noqa: A002  # as in MLflow
        """Runs as a table, a row each: `metrics.KEY`, `params.KEY`, `tags.KEY` beside their own fields. As pandas, or as Arrow.

        Raises Unavailable where the library is not installed.
        """
        return frames.of_runs(self.runs(filter, **asked), arrow=arrow)

    def history_frame(self, run: str, keys: Sequence[str] = (), *, arrow: bool = False, project: str = "") -> Any:
        """Every point of the metrics named, or of all, as a table: key, at_ms, step, value. As pandas, or as Arrow."""
        return frames.of_history(self.history(run, keys, project=project), arrow=arrow)

    def models(self, *, project: str = "") -> Sequence[ModelVersionOut]:
        return PageOut[ModelVersionOut].model_validate(self._client.get(self._path(project, "models"))).items

    def import_runs(
        self, where: str, *, experiments: Sequence[str] = (), into: str = "", registered: bool = False, outside: bool = False,
        project: str = "", told: Callable[[str], None] = lambda _: None,
    ) -> Report:  # fmt: skip
        """Brings MLflow's experiments into the project: from a tracking server (its address) or an `mlruns` folder.

        experiments: their names, all without one; into: another name for the one named. registered: registered models too. outside: a
        folder may name artifacts outside itself. Killed or cut off, the same import goes on. Raises NotFound, Unavailable.
        """
        home = self._client.the_project(project)
        if not where.startswith(("http://", "https://")):
            folder = Mlruns(Path(where.removeprefix("file://")), outside=outside)
            return Importing(self._client, home, folder, told=told).run(
                experiments=experiments, into=into, registered=registered
            )
        # A factory that we are signed in to is read with our own token; nobody else is shown it.
        own = where.startswith(f"{self._client.url}/")
        with tracking_at(where, self._client.token if own else mlflow_credentials()) as source:
            return Importing(self._client, home, source, told=told).run(
                experiments=experiments, into=into, registered=registered
            )

    def export_runs(
        self, folder: Path, *, experiments: Sequence[str] = (), registered: bool = False, project: str = "",
        told: Callable[[str], None] = lambda _: None,
    ) -> Report:  # fmt: skip
        """Writes experiments of the project as an `mlruns` folder, which MLflow reads and `import_runs` too. What is there stays."""
        home = self._client.the_project(project)
        with tracking_at(f"{self._client.url}/lab/{home}", self._client.token) as source:
            return Exporting(source, folder, told=told).run(experiments=experiments, registered=registered)

    def log(
        self, *, run: str = "", experiment: str = "Default", name: str = "", tags: Mapping[str, str] | None = None, project: str = "",
        sync_seconds: float = 0, bytes_max: int = BYTES_MAX, wait_seconds: float = 10,
    ) -> RunLog:  # fmt: skip
        """A log that works while the server is away: to a run that there is, or without one to a new one.

        >>> with factory.lab.log(experiment="trees", name="first") as log:
        ...     log.metric("loss", 0.25, step=1)

        What it was told is on this machine's disk when it answers; with sync_seconds that long may pass before, and a power cut, not a
        kill, can cost that. wait_seconds: how long closing waits for the server; what is left then is sent by `sync`. bytes_max: how much
        may wait. Raises StorageFull when the disk is full.
        """
        clock = SystemClock()
        head = fresh_head(
            url=self._client.url, project=self._client.the_project(project), run=run, is_new=not run, experiment=experiment, name=name,
            started_ms=int(clock.now().timestamp() * 1000), tags=dict(tags or {}),
        )  # fmt: skip
        return RunLog(
            spool_folder(), head, lambda known: Delivering(self._client, known), clock=clock, sync_seconds=sync_seconds,
            bytes_max=bytes_max, wait_seconds=wait_seconds,
        )  # fmt: skip

    def sync(self) -> Synced:
        """Sends what earlier processes logged and no server has: once, however often it is asked. Of those that live nothing is touched."""
        synced = Synced()
        for files in sessions(spool_folder()):
            deliver_session(self._client, files, synced)
        return synced

    def _path(self, project: str, rest: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/{rest}"
