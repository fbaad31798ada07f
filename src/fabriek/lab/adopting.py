"""A run that began somewhere else: on a machine without a line to us, or on another tracking server. It comes with an id of its own.

Asking twice is asking once, so a client that was cut off asks again. An id that another run has already is given up for one that follows
from it, the same each time; the run's tags say which was asked for.
"""

import hashlib
from collections.abc import Mapping

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotPermitted
from fabriek.lab.desk import Parts
from fabriek.lab.names import check_key, check_value
from fabriek.lab.recording import JOB_TAG, NAME_TAG, OUTSIDE_LABEL, instant
from fabriek.lab.runs import Run, RunStatus, is_run_id
from fabriek.lab.service import Lab, Logged

GIVEN_TAG = "fabriek.given_id"


class Adopting:
    """Taking in runs from outside."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._lab = parts, Lab(parts)

    def adopt(
        self,
        project: str,
        run_id: str,
        experiment: str,
        *,
        name: str,
        person: str,
        started_ms: int,
        label: str,
        tags: Mapping[str, str],
        by: Caller,
    ) -> Logged:
        """The run, as it stands here by now. label: below which it is not taken in; ours are never lowered by it.

        Raises NotFound for an unknown experiment, InvalidInput on an id that is none of a run or a label that we do not know.
        """
        require(by, "lab.write", project=project)
        if by.job:
            raise NotPermitted("a job logs into the run that it was given", rule="lab.adopt", fix="log there")
        if not is_run_id(run_id):
            raise InvalidInput(f"Invalid run ID: '{run_id[:100]}'", fix="32 hexadecimal digits")
        labels = self._parts.labels
        carried = labels.highest([OUTSIDE_LABEL, *([labels.of(label).name] if label else [])])
        if labels.withholds_logs(carried):
            raise NotPermitted(
                f"what carries the label {carried} is measured here, in a job: nobody could let go of what came from outside",
                rule="label.logs_withheld",
                fix="run it as a job",
            )
        home = self._lab.experiment(project, experiment, by=by)
        # Alone among all who ask for that id: at PostgreSQL's usual isolation two would find it free.
        with self._parts.experiments.transaction(alone=f"adopt:{run_id}"):
            chosen, is_new = self._free_or_ours(project, run_id)
            if is_new:
                if home.is_deleted:
                    raise InvalidInput(
                        f"The experiment {home.id} must be in the 'active' state. Current state is deleted."
                    )
                begun = instant(started_ms, "start_time") if started_ms else self._parts.clock.now()
                called = check_value(name or f"run-{chosen[:8]}", "name")
                self._parts.runs.add(
                    Run(chosen, project, home.id, called, person or by.person, RunStatus.RUNNING, begun, carried)
                )
                self._parts.tracks.put_tags(chosen, _checked(tags) | {GIVEN_TAG: run_id, NAME_TAG: called})
                self._parts.audit.record("run.adopted", chosen, by, project=project, label=carried)
        return self._lab.run(project, chosen, by=by)

    def _free_or_ours(self, project: str, run_id: str) -> tuple[str, bool]:
        """(the id that it has or may have, whether it is yet to be made). Raises AlreadyExists where both are taken."""
        other = hashlib.sha256(f"{project} {run_id}".encode()).hexdigest()[:32]
        there = self._parts.runs.some([run_id, other])
        tags = self._parts.tracks.tags(list(there))
        for candidate in (run_id, other):
            if candidate not in there:
                return candidate, True
            if there[candidate].project == project and tags.get(candidate, {}).get(GIVEN_TAG) == run_id:
                return candidate, False
        raise AlreadyExists(f"the run {run_id} is here already", fix="give it another id")


def _checked(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        check_key(key, "key"): check_value(value, "value")
        for key, value in tags.items()
        if key not in {JOB_TAG, GIVEN_TAG}
    }
