"""What the registry needs from the outside world."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from fabriek.lab.registry.models import LoggedModel, ModelVersion, RegisteredModel

AliasGuard = Callable[[str, str, str, ModelVersion | None], None]
"""Asked with project, model and alias before that moves to a version, or away (None). Raises NotPermitted where it moves by a rule."""


class LoggedModelRows(Protocol):
    """Storage of models that runs logged. Deleted ones are among what is given: whoever asks decides."""

    def put_logged(self, model: LoggedModel) -> None: ...

    def logged(self, project: str, model_id: str) -> LoggedModel:
        """Raises NotFound."""

    def logged_of(self, project: str, experiments: Sequence[str], *, runs: Sequence[str] = ()) -> Sequence[LoggedModel]:
        """Newest first; only those of the given runs where some are given."""

    def newest_logged(
        self, project: str, experiments: Sequence[str], *, runs: Sequence[str] | None, names: Sequence[str] | None, limit: int,
        offset: int,
    ) -> Sequence[LoggedModel]:  # fmt: skip
        """A part of those that were not deleted, newest first; only of the given runs and names where some are given."""


class Models(LoggedModelRows, Protocol):
    """Storage of logged models and registered models."""

    def put_registered(self, model: RegisteredModel) -> None: ...

    def registered(self, project: str, name: str) -> RegisteredModel | None: ...

    def all_registered(self, project: str, *, names: Sequence[str] = ()) -> Sequence[RegisteredModel]:
        """By name; only the given ones where some are given."""

    def remove_registered(self, project: str, name: str) -> None: ...


class ModelVersions(Protocol):
    """Storage of model versions. Those that were deleted are kept, so that no number is given twice; only `newest_number` tells of them."""

    def put(self, version: ModelVersion) -> None: ...

    def get(self, project: str, name: str, number: int) -> ModelVersion:
        """Raises NotFound."""

    def of_model(self, project: str, name: str) -> Sequence[ModelVersion]:
        """Newest first; every model's where the name is empty."""

    def narrowed(self, project: str, *, names: Sequence[str] = (), runs: Sequence[str] = ()) -> Sequence[ModelVersion]:
        """Newest first; only those of the given models and runs where some are given."""

    def of_run(self, run: str) -> Sequence[ModelVersion]:
        """Also those that were deleted: a statement of origin says what was made, not what is left."""

    def of_runs(self, runs: Collection[str]) -> Sequence[ModelVersion]:
        """The same of several."""

    def newest(self, project: str, names: Sequence[str]) -> Mapping[str, ModelVersion]:
        """Of each model the version with the highest number, if it has any."""

    def newest_number(self, project: str, name: str) -> int:
        """The highest number that was ever given; 0 for none."""

    def rename(self, project: str, name: str, new_name: str) -> None:
        """Of all that is kept under the name: versions, their cards, and what was proposed for them."""
