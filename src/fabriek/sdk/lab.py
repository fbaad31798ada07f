"""Runs and models, for the client. Scripts log through MLflow's own client; this reads."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.lab import ModelVersionOut, PointOut, RunOut
from fabriek.sdk.client import Client


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

    def _path(self, project: str, rest: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/{rest}"
