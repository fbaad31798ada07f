"""The image of a job is one of its inputs: rules, label and grants are asked of it, and what a machine cannot run is refused at once."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.bootstrap import machinery
from fabriek.compute.images import NOT_MOUNTED
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Terms
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.schemas.node import ImageSpec, JobSpec, ObservedState, Phase
from fabriek.worker.admission import admit_jobs
from fabriek.worker.starting import Starter
from tests.factories.executor import MemoryExecutor
from tests.factories.services import WALL_LESS, WALLED, Town, a_town
from tests.factories.vault import fill
from tests.factories.waiting import until

HASH = "5e" * 32


def in_image(image: str, **asked: object) -> JobAsked:
    return JobAsked(("sleep", "60"), terms=Terms(image=image), **asked)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Lab:
    """A person whose project has images of its own, `images@1:tiny.sif`, of some label."""

    town: Town
    person: Caller
    project: str

    def submit(self, asked: JobAsked) -> Job:
        return self.town.services.compute.submit(self.project, asked, by=self.person)

    def start(self, job: Job) -> Job:
        """One round of admission and of starting, to its end."""
        services = self.town.services
        environments = machinery.environments(services.settings)
        starter = Starter(services, environments, lambda: None, server_url="http://127.0.0.1:9", lab_socket_dir="/x")
        admit_jobs(services)
        starter.start_jobs()
        until(lambda: not starter._going)
        starter.close()
        return services.compute.get(self.project, job.id, by=self.person)

    def spec(self, job: Job) -> JobSpec:
        executor = self.town.services.executor
        assert isinstance(executor, MemoryExecutor)
        return executor.spec(handle_of(job))


def a_lab(town: Town, label: str = "internal", *, agreed: bool = True) -> Lab:
    person = town.person("weefsel")
    project = town.project(person)
    by = town.again(person)
    vault = town.services.vault
    for name in ("images", "cells"):
        vault.create(project, name, label=label if name == "images" else "open", by=by)
        fill(town.services, vault.open_upload(project, name, label="", by=by), {"tiny.sif": b"hsqs"}, by=by)
        if agreed or name == "cells":
            vault.agree(name, home=project, project=project, purposes=["civilian"], right="compute", until=date(2027, 1, 1), by=by)  # fmt: skip
    return Lab(town, by, project)


def test_the_image_of_a_job_is_an_input_and_gives_it_its_label(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"), "personal")
    job = lab.submit(in_image("images:tiny.sif", inputs=(InputAsked("cells", "/data"),)))
    assert job.label == "personal"
    assert [(one.dataset_name, one.mount) for one in job.inputs] == [("cells", "/data"), ("images", NOT_MOUNTED)]
    assert [one.dataset_name for one in job.mounted] == ["cells"]
    assert job.terms.image == "images@1:tiny.sif"


def test_what_was_asked_is_kept_as_it_was_found(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"))
    job = lab.submit(in_image("images@1:tiny.sif"))
    assert lab.town.services.compute.get(lab.project, job.id, by=lab.person) == job


def test_an_image_without_an_agreement_is_refused_by_the_rule_of_data(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"), "personal", agreed=False)
    with pytest.raises(NotPermitted) as refused:
        lab.submit(in_image("images:tiny.sif"))
    assert refused.value.fields["rule"].startswith("agreement")  # type: ignore[union-attr]  # a string, as every rule


def test_a_node_is_told_the_file_and_the_grant_and_mounts_no_image(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"))
    job = lab.start(lab.submit(in_image("images:tiny.sif", inputs=(InputAsked("images", "/data"),))))
    spec = lab.spec(job)
    (seen,) = spec.inputs
    assert spec.image == ImageSpec("tiny.sif", seen.grant)  # one version, one grant
    assert seen.mount == "/data"
    assert JobSpec.from_json(spec.to_json()) == spec


def test_the_environment_of_a_job_in_an_image_is_the_hash_that_its_node_saw(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"))
    job = lab.start(lab.submit(in_image("images:tiny.sif")))
    assert job.environment_hash == ""
    started = ObservedState(Phase.RUNNING, started_at=lab.town.clock.now(), image_hash=HASH)
    lab.town.services.progress.observe(job.id, started)
    assert lab.town.services.compute.get(lab.project, job.id, by=lab.person).environment_hash == HASH


def test_a_listed_image_is_known_by_its_name_and_found_by_its_path(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home", images="torch=/srv/torch.sif"))
    job = lab.start(lab.submit(in_image("torch")))
    assert lab.spec(job).image == ImageSpec("/srv/torch.sif")
    assert (job.inputs, job.label) == ((), "open")


def test_a_name_that_is_not_listed_is_refused(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home", images="torch=/srv/torch.sif"))
    with pytest.raises(NotFound) as refused:
        lab.submit(in_image("jax"))
    assert refused.value.fix == "one of torch"


def test_an_image_that_is_taken_off_the_list_keeps_the_job_from_starting(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home", images="torch=/srv/torch.sif"))
    job = lab.submit(in_image("torch"))
    services = lab.town.services
    object.__setattr__(services, "settings", replace(services.settings, job_images=""))
    started = lab.start(job)
    assert (started.state, started.reason) == (State.FAILED, "the operator lists no image torch")


def test_a_machine_that_cannot_unpack_one_says_what_to_install(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home", able=replace(WALLED, images=False)))
    with pytest.raises(NotPermitted) as refused:
        lab.submit(in_image("images:tiny.sif"))
    assert (refused.value.fields["rule"], refused.value.fix) == ("image.tools", "apt install squashfs-tools")


def test_without_walls_no_job_has_an_image_whatever_it_reads(database: Database, tmp_path: Path) -> None:
    town = a_town(database, tmp_path / "home", able=WALL_LESS, unsandboxed=True, images="torch=/srv/torch.sif")
    with pytest.raises(NotPermitted) as refused:
        a_lab(town, "open").submit(in_image("torch"))
    assert (refused.value.fields["rule"], refused.value.fix) == ("sandbox.required", WALL_LESS.fix)


def test_an_image_and_packages_together_are_refused(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"))
    with pytest.raises(InvalidInput, match="brings its own packages"):
        lab.submit(in_image("images:tiny.sif", requirements="numpy\n"))


def test_a_job_in_an_image_is_not_packed(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"))
    job = lab.submit(in_image("images:tiny.sif"))
    packing = lab.town.services.packing
    with pytest.raises(InvalidInput, match="an image"):
        packing.pack_job(lab.project, job, by=lab.person)
    with pytest.raises(InvalidInput, match="an image"):
        packing.pack(lab.project, in_image("images:tiny.sif"), by=lab.person)


def test_two_versions_as_data_and_as_image_have_two_grants(database: Database, tmp_path: Path) -> None:
    lab = a_lab(a_town(database, tmp_path / "home"))
    services, by = lab.town.services, lab.person
    fill(services, services.vault.open_upload(lab.project, "images", label="", by=by), {"tiny.sif": b"newer"}, by=by)
    job = lab.start(lab.submit(in_image("images@2:tiny.sif", inputs=(InputAsked("images@1", "/data"),))))
    spec = lab.spec(job)
    assert spec.image is not None
    assert spec.image.grant != spec.inputs[0].grant
    assert job.terms.image == "images@2:tiny.sif"
