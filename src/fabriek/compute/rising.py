"""How a job's label rises while it runs: it read something that nobody named at its submission, such as a base model of the lab."""

from dataclasses import dataclass, replace

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute.jobs import Job
from fabriek.compute.machine import Machine
from fabriek.compute.ports import Jobs
from fabriek.compute.walls import check_gang, check_openings, check_shared, check_walls
from fabriek.kernel.callers import SYSTEM
from fabriek.lab.ports import Runs
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault


@dataclass(frozen=True, slots=True)
class Rising:
    """The label of a job, of its runs and of what it leaves in the vault: they rise together. What its runs logged and registered carries
    theirs.
    """

    jobs: Jobs
    runs: Runs
    vault: Vault
    access: Access
    audit: Audit
    labels: Labels
    machine: Machine

    def check(self, job: str, label: str) -> None:
        """Raises NotPermitted where a job that carried this label too would not have been let in: it reaches the network, say."""
        self._risen(self.jobs.get(job), label)

    def rise(self, job: str, label: str) -> None:
        """From now on the job carries this label too. Idempotent. Raises NotPermitted as `check` does."""
        # Its runs too: one that began while the label rose may have missed it.
        stand = [self.jobs.get(job).label, *(run.label for run in self.runs.of_job(job))]
        if not any(self.labels.exceeds(label, one) for one in stand):
            return
        with self.jobs.transaction(alone=f"job:{job}"):
            found = self.jobs.get(job)
            risen = self._risen(found, label)
            self.jobs.save(replace(found, label=risen))
            for run in self.runs.of_job(job):
                self.runs.relabel(run.id, self.labels.highest([run.label, risen]))
            self.vault.raise_outputs(job, risen)
            self.audit.record("job.label_rose", job, SYSTEM, project=found.project, label=risen)

    def _risen(self, job: Job, label: str) -> str:
        risen = self.labels.highest([job.label, label])
        if risen != job.label:
            check_walls(risen, self.labels, self.machine)
            check_shared(job.gpus, risen, self.labels)
            check_gang(job.nodes, risen, self.labels, self.machine, batch=job.terms.batch)
            check_openings(job.terms, risen, self.access.project(job.project).slug, self.labels, self.machine)
        return risen
