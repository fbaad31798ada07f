"""The wiring of the lab: tracking, the registry, models that are answered for, base models, and what the portal shows of them."""

from collections.abc import Callable
from typing import TypedDict

from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.compute.jobs import Job
from fabriek.compute.lineage import JobLineage
from fabriek.compute.machine import Machine
from fabriek.compute.releasing import Releasing
from fabriek.compute.rising import Rising
from fabriek.compute.store import SqlJobs
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound
from fabriek.kernel.ids import Ids
from fabriek.lab.adopting import Adopting
from fabriek.lab.appending import Appending
from fabriek.lab.base_models.service import BaseModels
from fabriek.lab.base_models.store import SqlBaseModels, SqlContents, SqlUses
from fabriek.lab.comparing import Comparing
from fabriek.lab.desk import Parts
from fabriek.lab.grouping import Grouping
from fabriek.lab.keeping import Keeping
from fabriek.lab.links import Linking, Origin, Read
from fabriek.lab.live import Live
from fabriek.lab.notes import Notes
from fabriek.lab.registry.facts import Facts
from fabriek.lab.registry.looking import Looking
from fabriek.lab.registry.promoting import Guard, Promoting
from fabriek.lab.registry.service import Registry
from fabriek.lab.registry.store import SqlModels, SqlModelVersions
from fabriek.lab.registry.store_facts import SqlModelCards, SqlPromotions
from fabriek.lab.runs import Run
from fabriek.lab.service import Lab
from fabriek.lab.store import SqlExperiments, SqlRuns
from fabriek.lab.store_artifacts import SqlArtifacts
from fabriek.lab.store_groups import SqlGroups
from fabriek.lab.store_notes import SqlNotes
from fabriek.lab.store_points import SqlPoints
from fabriek.lab.store_search import SqlSearch
from fabriek.lab.store_tracks import SqlTracks
from fabriek.vault.agreeing.agreements import DataRight
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault


class LabServices(TypedDict):
    """The lab's part of `Services`."""

    lab: Lab
    adopting: Adopting
    appending: Appending
    keeping: Keeping
    registry: Registry
    facts: Facts
    promoting: Promoting
    base_models: BaseModels
    comparing: Comparing
    grouping: Grouping
    notes: Notes
    live: Live
    linking: Linking


def lab_services(
    database: Database, *, vault: Vault, jobs: SqlJobs, releasing: Releasing, access: Access, audit: Audit, labels: Labels, machine: Machine,
    clock: Clock, ids: Ids,
) -> LabServices:  # fmt: skip
    experiments, runs, models = SqlExperiments(database), SqlRuns(database), SqlModels(database)
    points = SqlPoints(database)
    parts = Parts(
        experiments, runs, points, SqlTracks(database), SqlSearch(database), audit, labels, clock, ids, is_released=vault.is_released,
        released_in=vault.released_in, looks=releasing.looks,
    )  # fmt: skip
    lab = Lab(parts)
    keeping = Keeping(
        SqlArtifacts(database), experiments, runs, models, safe=vault.safe, rooms=vault, audit=audit,
        may_take_away=_take_away_rule(vault, jobs, releasing), serves=_serves_rule(jobs),
    )  # fmt: skip
    promotions, lineage = SqlPromotions(database), JobLineage(jobs, jobs, vault)
    registry = Registry(models, SqlModelVersions(database), keeping, parts, guard=Guard(promotions))
    base_models = BaseModels(
        SqlBaseModels(database), SqlContents(database), SqlUses(database), safe=vault.safe, rooms=vault, labelled=vault,
        job_labels=Rising(jobs, runs, vault, access, audit, labels, machine), labels=labels, audit=audit, clock=clock,
    )  # fmt: skip
    facts = Facts(
        registry, keeping, SqlModelCards(database), runs, lab, lineage, Looking(vault.safe, vault), labels=labels,
        bases=base_models.of_job, is_released=vault.is_released, audit=audit, clock=clock,
    )  # fmt: skip
    facts = Facts(
        registry, keeping, SqlModelCards(database), runs, lab, lineage, Looking(vault.safe, vault), labels=labels,
        bases=base_models.of_job, is_released=vault.is_released, audit=audit, clock=clock,
    )  # fmt: skip
    return LabServices(
        lab=lab, adopting=Adopting(parts), appending=Appending(runs, points, experiments.transaction), keeping=keeping, registry=registry,
        facts=facts, promoting=Promoting(promotions, facts, registry, lineage, audit, clock, ids), base_models=base_models,
        comparing=Comparing(lab), grouping=Grouping(SqlGroups(database), lab, audit, clock, ids),
        notes=Notes(SqlNotes(database), lab, audit, clock, ids), live=Live(lab),
        linking=Linking(lab, registry, lambda job: _origin_of(jobs.get(job))),
    )  # fmt: skip


def _take_away_rule(vault: Vault, jobs: SqlJobs, releasing: Releasing) -> Callable[[Caller, Run], None]:
    """Whether a person may take what a run made: only who may take away everything that its job read, and what is not withheld."""

    def check(by: Caller, run: Run) -> None:
        if not run.job:
            return
        job: Job = jobs.get(run.job)
        releasing.check_readable(job, by=by)
        read = [one.dataset for one in job.inputs]
        vault.require_right(read, DataRight.TAKE_AWAY, project=job.project, purpose=job.purpose, by=by)

    return check


def _serves_rule(jobs: SqlJobs) -> Callable[[str, str], bool]:
    """Whether a job serves the model whose files lie there: then it reads those, and no other's."""

    def check(job_id: str, place: str) -> bool:
        try:
            serves = jobs.get(job_id).terms.serves
        except NotFound:
            return False
        return serves is not None and f"{place.rstrip('/')}/".startswith(f"{serves.place}/")

    return check


def _origin_of(job: Job) -> Origin:
    """What the lab says of the job of a run."""
    read = [Read(one.dataset, one.dataset_name, one.version, one.version_id, one.label) for one in job.inputs]
    return Origin(job.id, job.name, job.short, read, job.code, job.output, job.environment_hash, job.array)
