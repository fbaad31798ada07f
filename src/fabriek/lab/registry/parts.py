"""What the verbs of the registry stand on, and what they share."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.lab.filters import Condition
from fabriek.lab.keeping import Keeping
from fabriek.lab.ports import Experiments, Runs, Tracks
from fabriek.lab.recording import OUTSIDE_LABEL
from fabriek.lab.registry.models import PROMPT_TAG, check_model_name
from fabriek.lab.registry.ports import Models, ModelVersions
from fabriek.vault.labelling.labels import Labels

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of what was found, and from where on there is more; 0 when there is none."""

    items: Sequence[T]
    following: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    models: Models
    versions: ModelVersions
    runs: Runs
    tracks: Tracks
    experiments: Experiments
    keeping: Keeping
    audit: Audit
    labels: Labels
    clock: Clock
    ids: Ids
    is_released: Callable[[str], bool]
    """Whether two people let go of what a job emitted."""

    def sees(self, project: str, run_id: str, by: Caller) -> bool:
        """Whether what a run made is the caller's to know: a job knows what its own run and those that it began made."""
        return not by.job or (bool(run_id) and self.runs.get(project, run_id).job == by.job)

    def own_runs(self, by: Caller) -> frozenset[str] | None:
        """The ids of a job's runs; None for a person, who knows those of the whole project."""
        return frozenset(run.id for run in self.runs.of_job(by.job)) if by.job else None

    def alone_on(self, project: str, name: object) -> AbstractContextManager[None]:
        """A transaction that is alone on a registered model. Raises InvalidInput on what is no name."""
        return self.experiments.transaction(alone=f"model:{project}:{check_model_name(name)}")

    def label_of(self, by: Caller) -> str:
        """The label of what the caller writes itself: a job's is that of what it read."""
        if not by.job:
            return OUTSIDE_LABEL
        return self.labels.highest([run.label for run in self.runs.of_job(by.job)] or [self.labels.lowest])


def paged(found: Sequence[T], limit: int, offset: int) -> Page[T]:
    return Page(found[offset : offset + limit], offset + limit if len(found) > offset + limit else 0)


def asks_for_prompts(conditions: Sequence[Condition]) -> bool:
    """MLflow keeps prompts among models, and shows them to none but who asks for them."""
    for one in conditions:
        if one.kind == "tag" and one.key == PROMPT_TAG:
            said = (one.comparator, str(one.value).lower())
            return said in {("=", "true"), ("!=", "false")}
    return False


def without_prompt_tag(conditions: Sequence[Condition]) -> list[Condition]:
    """What is no prompt has no tag that says so: a condition on the tag is met by leaving prompts out."""
    return [one for one in conditions if (one.kind, one.key) != ("tag", PROMPT_TAG)]
