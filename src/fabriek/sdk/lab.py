"""Runs and models, for the client. Scripts log through MLflow's own client; this reads, brings in and takes along."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fabriek.schemas.base import PageOut
from fabriek.schemas.lab import ModelVersionOut, PointOut, RunOut
from fabriek.sdk.client import Client
from fabriek.sdk.environment import mlflow_credentials
from fabriek.sdk.tracking.exporting import Exporting
from fabriek.sdk.tracking.importing import Importing
from fabriek.sdk.tracking.live import tracking_at
from fabriek.sdk.tracking.mlruns import Mlruns
from fabriek.sdk.tracking.report import Report


class Lab:
    """What runs logged, and the models they left."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def tracking_uri(self) -> str:
        """What `MLFLOW_TRACKING_URI` must say for this project."""
        return f"{self._client.url}/lab/{self._client.the_project()}"

    def runs(self, *, project: str = "") -> Sequence[RunOut]:
        return PageOut[RunOut].model_validate(self._client.get(self._path(project, "runs"))).items

    def run(self, run: str, *, project: str = "") -> RunOut:
        return RunOut.model_validate(self._client.get(self._path(project, f"runs/{run}")))

    def metric(self, run: str, key: str, *, project: str = "") -> Sequence[PointOut]:
        return (
            PageOut[PointOut].model_validate(self._client.get(self._path(project, f"runs/{run}/metrics/{key}"))).items
        )

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

    def _path(self, project: str, rest: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/{rest}"
