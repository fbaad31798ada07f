"""The whole session, in order."""

from collections.abc import Mapping, Sequence

from tests.differential.session import Step
from tests.differential.steps import (
    artifacts,
    doors,
    experiments,
    inputs,
    logged_models,
    metrics,
    registry,
    runs,
    search,
)

SCRIPT: Mapping[str, Sequence[Step]] = {
    "experiments": experiments.STEPS, "runs": runs.STEPS, "metrics": metrics.STEPS, "search": search.STEPS, "inputs": inputs.STEPS,
    "artifacts": artifacts.STEPS, "logged models": logged_models.STEPS, "registry": registry.STEPS, "doors": doors.STEPS,
}  # fmt: skip
