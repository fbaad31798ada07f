"""What the registry needs from the outside world."""

from collections.abc import Sequence
from typing import Protocol

from fabriek.lab.registry.models import LoggedModel, ModelVersion, RegisteredModel


class Models(Protocol):
    """Storage of logged models, registered models and their versions."""

    def put_logged(self, model: LoggedModel) -> None: ...

    def logged(self, project: str, model_id: str) -> LoggedModel:
        """Raises NotFound."""

    def logged_of(self, project: str, experiments: Sequence[str]) -> Sequence[LoggedModel]: ...

    def put_registered(self, model: RegisteredModel) -> None: ...

    def registered(self, project: str, name: str) -> RegisteredModel | None: ...

    def all_registered(self, project: str) -> Sequence[RegisteredModel]: ...


class ModelVersions(Protocol):
    """Storage of model versions."""

    def put(self, version: ModelVersion) -> None: ...

    def get(self, project: str, name: str, number: int) -> ModelVersion:
        """Raises NotFound."""

    def of_model(self, project: str, name: str) -> Sequence[ModelVersion]:
        """Newest first; every model's where the name is empty."""

    def of_run(self, run: str) -> Sequence[ModelVersion]: ...
