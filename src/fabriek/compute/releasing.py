"""Verbs of releasing what a job emitted, where its label withholds that: two people let go of it, and never the job's author."""

from collections.abc import Sequence
from dataclasses import dataclass

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute.jobs import Job
from fabriek.compute.ports import JobNames, Jobs
from fabriek.compute.references import Reference
from fabriek.kernel.callers import Caller, require, require_confirmed
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, NotFound, NotPermitted, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.vault.labelling import proposals
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.labelling.proposals import Act, Outcome, Proposal, Signature
from fabriek.vault.ports import Proposals
from fabriek.vault.service import Vault


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the release of a job. `proposals`: newest first. `withheld`: whether anything of it is, now; then `organisations`
    are those whose people decide, and `decides` says whether the caller is one of them.
    """

    proposals: Sequence[Proposal]
    withheld: bool
    organisations: frozenset[str] = frozenset()
    decides: bool = False


class Releasing:
    """Logs, metrics, artifacts and results above the line of the label policy."""

    def __init__(
        self,
        kept: Proposals,
        jobs: Jobs,
        names: JobNames,
        access: Access,
        vault: Vault,
        audit: Audit,
        labels: Labels,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._kept, self._jobs, self._names, self._access, self._vault = kept, jobs, names, access, vault
        self._audit, self._labels, self._clock, self._ids = audit, labels, clock, ids

    def check_readable(self, job: Job, *, by: Caller) -> None:
        """Raises NotPermitted where the label withholds what the job emitted. Who decides about its release may look, which is recorded."""
        if not self._labels.withholds_logs(job.label) or self._vault.is_released(job.id):
            return
        if not self.looks(job.id, by):
            raise NotPermitted(
                f"the output of this job carries the label {job.label}",
                rule="label.logs_withheld",
                fix=f"ask for a release: fabriek job release {job.id}",
            )

    def looks(self, job_id: str, by: Caller) -> bool:
        """Whether the caller decides about the release of a job, and so may look at what is withheld of it; then it is recorded."""
        try:
            job = self._jobs.get(job_id)
        except NotFound:
            return False
        if not self._may_decide(job, by):
            return False
        with self._jobs.transaction():
            self._audit.record("release.looked", job.id, by, project=job.project)
        return True

    def propose(self, project_ref: str, job_id: str, reason: str, *, by: Caller) -> Proposal:
        """Asks for a release; whoever may decide about it signs with that. Raises WrongState when nothing is withheld or the job goes on,
        AlreadyExists.
        """
        job = self._job(self._access.project(project_ref).id, job_id, by)
        if not self._labels.withholds_logs(job.label) or self._vault.is_released(job.id):
            raise WrongState("nothing of this job is withheld", fix="fabriek job log JOB")
        if not job.has_ended():
            raise WrongState("a job that goes on may still say anything", fix="ask again when it has ended")
        now = self._clock.now()
        signed = (Signature(by.person, by.organisation, now),) if self._may_decide(job, by) else ()
        proposal = Proposal(
            self._ids.new("rel"), Act.RELEASE, job.id, job.project, job.label, proposals.read_reason(reason), by.person, now,
            signatures=signed,
        )  # fmt: skip
        with self._jobs.transaction(alone=f"job:{job.id}"):
            if any(one.outcome is Outcome.OPEN for one in self._kept.about(job.id)):
                raise AlreadyExists("a release of this job waits for its second person", fix="sign or refuse that one")
            self._kept.add(proposal)
            self._audit.record("release.proposed", proposal.id, by, job=job.id, label=job.label)
        return proposal

    def sign(self, proposal_id: str, *, by: Caller) -> Proposal:
        """One more signature; with two, and somebody of every organisation whose data is above the line, it is released.

        Raises NotPermitted (`proposal.author`, `proposal.second_person`, `release.owner`), WrongState.
        """
        require_confirmed(by)
        proposal, job = self._found(proposal_id, by)
        with self._jobs.transaction(alone=f"job:{job.id}"):
            proposal, job = self._found(proposal_id, by)
            authors = self._authors(job)
            if by.person not in authors:
                self._check_decides(job, by)
            signature = Signature(by.person, by.organisation, self._clock.now())
            signed = proposals.sign(proposal, signature, authors=authors)
            if proposals.is_signed(signed, self._owners(job)):
                signed = proposals.agree(signed)
            self._kept.save(signed)
            self._audit.record("release.signed", proposal_id, by, job=job.id, outcome=str(signed.outcome))
        return signed

    def refuse(self, proposal_id: str, words: str, *, by: Caller) -> Proposal:
        """Whoever may decide refuses, or the proposer takes it back."""
        _, job = self._found(proposal_id, by)
        with self._jobs.transaction(alone=f"job:{job.id}"):
            proposal, job = self._found(proposal_id, by)
            if by.person != proposal.proposed_by:
                self._check_decides(job, by)
            refused = proposals.refuse(proposal, by.person, words)
            self._kept.save(refused)
            self._audit.record("release.refused", proposal_id, by, job=job.id)
        return refused

    def of_job(self, project_ref: str, job_id: str, *, by: Caller) -> Sequence[Proposal]:
        """Newest first."""
        return self._kept.about(self._job(self._access.project(project_ref).id, job_id, by).id)

    def standing(self, project_ref: str, job_id: str, *, by: Caller) -> Standing:
        """For pages that show a button or leave it out. Asking this is no look at what is withheld."""
        job = self._job(self._access.project(project_ref).id, job_id, by)
        proposed = self._kept.about(job.id)
        if not self._labels.withholds_logs(job.label) or self._vault.is_released(job.id):
            return Standing(proposed, withheld=False)
        return Standing(proposed, withheld=True, organisations=self._owners(job), decides=self._may_decide(job, by))

    def waiting(self, *, by: Caller) -> Sequence[tuple[Proposal, Job]]:
        """The releases that wait for this caller, each with its job; oldest first. A few questions, however many wait."""
        seen = [one for one in by.project_rights if by.may("job.view", project=one)]
        asked = [one for one in self._kept.open_in(seen, Act.RELEASE) if not one.is_signed_by(by.person)]
        about = self._names.among(one.subject for one in asked)
        deciders = self._vault.waiting.deciders({job.id: [one.dataset for one in job.inputs] for job in about.values()})
        return [
            (one, job)
            for one in asked
            if by.organisation in deciders[(job := about[one.subject]).id].organisations
            and by.person not in deciders[job.id].authors | {job.person}
        ]

    def _job(self, project: str, job_id: str, by: Caller) -> Job:
        require(by, "job.view", project=project)
        said = Reference.read(job_id)
        if said.number is not None:
            return self._names.called(project, said.number, said.index)
        job = self._jobs.get(said.job)
        if job.project != project:
            raise NotFound("there is no such job", fix="fabriek job ls")
        return job

    def _found(self, proposal_id: str, by: Caller) -> tuple[Proposal, Job]:
        """A release and its job. Raises NotFound also for who may not see the job."""
        proposal = self._kept.get(proposal_id)
        if proposal.act is not Act.RELEASE or not by.may("job.view", project=proposal.project):
            raise nothing_here()
        return proposal, self._jobs.get(proposal.subject)

    def _owners(self, job: Job) -> frozenset[str]:
        return self._vault.owners_above_the_line([one.dataset for one in job.inputs])

    def _authors(self, job: Job) -> frozenset[str]:
        """Of the job, and of those whose results it read: else who may not let go of theirs has another carry them out."""
        return self._vault.authors_behind([one.dataset for one in job.inputs]) | {job.person}

    def _may_decide(self, job: Job, by: Caller) -> bool:
        return by.organisation in self._owners(job) and by.person not in self._authors(job)

    def _check_decides(self, job: Job, by: Caller) -> None:
        if not self._may_decide(job, by):
            raise NotPermitted(
                "people of the organisation that owns the data decide about a release",
                rule="release.owner",
                fix="ask two of them to sign: fabriek job release",
            )
