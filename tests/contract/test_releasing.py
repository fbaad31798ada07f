"""What a job emits above the line of the policy is withheld until two people, never its author, let go of it."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, NotFound, NotPermitted, WrongState
from fabriek.vault.proposals import Outcome
from tests.factories.services import Town, a_town
from tests.factories.vault import fill


class Lab:
    """A hospital's project with `hanna` its lead, a partner `stef`, and two colleagues of hers; one job of hers on data above the line."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        hanna, stef = town.person("hospital"), town.person("partner")
        self.project = town.project(hanna)
        colleagues = [
            self.services.access.invite(hanna.organisation, name, f"{name}@hospital.example", [], by=town.operator)
            for name in ("henk", "hilde")
        ]
        self.hanna = town.again(hanna)
        for person in (stef.person, *(one.id for one in colleagues)):
            self.services.access.add_member(self.project, person, "member", by=self.hanna)
        self.stef = town.again(stef)
        self.henk, self.hilde = (self.services.identity.caller_for(one.id) for one in colleagues)
        with self.services.database.transaction():
            self.services.database.execute(update(projects).values(label_ceiling="personal+export-controlled"))
        vault = self.services.vault
        vault.create(self.project, "cells", label="export-controlled", by=self.hanna)
        upload = vault.open_upload(self.project, "cells", by=self.hanna)
        fill(self.services, upload, {"a": b"a"}, by=self.hanna)
        vault.agree(
            "cells", home=self.project, project=self.project, purposes=["civilian"], right="take_away",
            until=date(2027, 1, 1), by=self.hanna,
        )  # fmt: skip
        self.job = self.ran(self.hanna)

    def ran(self, by: Caller) -> Job:
        asked = JobAsked(("true",), inputs=(InputAsked("cells", "/data"),))
        job = self.services.compute.submit(self.project, asked, by=by)
        return self.services.compute.cancel(self.project, job.id, by=by)

    def reads(self, by: Caller) -> bool:
        rules = []
        try:
            self.services.compute.readable_log(self.project, self.job.id, by=by)
        except NotPermitted as refused:
            rules.append(refused.fields["rule"])
        assert set(rules) <= {"label.logs_withheld"}
        return not rules


@pytest.fixture
def lab(database: Database, tmp_path: Path) -> Lab:
    return Lab(a_town(database, tmp_path / "home"))


def rule(act: object) -> str:
    with pytest.raises(NotPermitted) as refused:
        act()  # type: ignore[operator]
    return str(refused.value.fields["rule"])


def test_two_people_of_the_owner_release_and_never_the_author(lab: Lab) -> None:
    releasing = lab.services.releasing
    assert lab.job.state is State.CANCELLED
    # Who decides may look; the author and partners may not.
    assert [lab.reads(one) for one in (lab.hanna, lab.stef, lab.henk)] == [False, False, True]
    release = releasing.propose(lab.project, lab.job.id, "It names nobody.", by=lab.hanna)
    assert release.signatures == ()
    with pytest.raises(AlreadyExists):
        releasing.propose(lab.project, lab.job.id, "Again.", by=lab.henk)
    assert rule(lambda: releasing.sign(release.id, by=lab.hanna)) == "proposal.author"
    assert rule(lambda: releasing.sign(release.id, by=lab.stef)) == "release.owner"
    with pytest.raises(NotFound):
        releasing.sign(release.id, by=lab.town.person("stranger"))
    assert releasing.sign(release.id, by=lab.henk).outcome is Outcome.OPEN
    assert rule(lambda: releasing.sign(release.id, by=lab.henk)) == "proposal.second_person"
    assert not lab.reads(lab.hanna)
    assert releasing.sign(release.id, by=lab.hilde).outcome is Outcome.AGREED
    assert [lab.reads(one) for one in (lab.hanna, lab.stef)] == [True, True]
    with pytest.raises(WrongState):
        releasing.propose(lab.project, lab.job.id, "Again.", by=lab.hanna)


def test_a_refused_release_releases_nothing(lab: Lab) -> None:
    releasing = lab.services.releasing
    release = releasing.propose(lab.project, str(lab.job.number), "It names nobody.", by=lab.henk)
    assert [one.person for one in release.signatures] == [lab.henk.person]
    assert rule(lambda: releasing.refuse(release.id, "no", by=lab.stef)) == "release.owner"
    releasing.refuse(release.id, "It names somebody.", by=lab.hilde)
    with pytest.raises(WrongState):
        releasing.sign(release.id, by=lab.hilde)
    assert not lab.reads(lab.hanna)
    assert [str(one.outcome) for one in releasing.of_job(lab.project, lab.job.id, by=lab.stef)] == ["refused"]


def test_a_member_leaves_by_themselves_a_lead_removes_others_and_one_lead_stays(lab: Lab) -> None:
    vault = lab.services.vault
    assert rule(lambda: vault.remove_member(lab.project, lab.henk.person, by=lab.stef)) == "project.manage"
    vault.remove_member(lab.project, lab.stef.person, by=lab.stef)
    vault.remove_member(lab.project, lab.henk.person, by=lab.hanna)
    for gone in (lab.stef, lab.henk):
        assert not lab.services.identity.caller_for(gone.person).project_rights
        with pytest.raises(NotFound):
            vault.remove_member(lab.project, gone.person, by=lab.hanna)
    with pytest.raises(WrongState):
        vault.remove_member(lab.project, lab.hanna.person, by=lab.hanna)
    found = vault.find("cells", project=lab.project, by=lab.hanna)
    assert found.epoch == 3
