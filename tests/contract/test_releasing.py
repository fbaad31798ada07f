"""What a job emits above the line of the policy is withheld until two people, never its author, let go of it."""

from collections.abc import Sequence
from contextlib import suppress
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
from fabriek.lab.metrics import Metric
from fabriek.vault.labelling.proposals import Outcome
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

    def joins(self, organisation: str, name: str) -> Caller:
        person = self.services.access.invite(
            organisation, name, f"{name}@{organisation}.example", [], by=self.town.operator
        )
        self.services.access.add_member(self.project, person.id, "member", by=self.hanna)
        return self.town.caller(person)

    def ran(self, by: Caller, reads: str = "cells") -> Job:
        asked = JobAsked(("true",), inputs=(InputAsked(reads, "/data"),))
        job = self.services.compute.submit(self.project, asked, by=by)
        return self.services.compute.cancel(self.project, job.id, by=by)

    def made(self, job: Job) -> str:
        """The version that the job's node sealed as its result."""
        vault = self.services.vault
        for one in job.inputs:
            vault.grant_to_job(one.version_id, job.id, project=job.project, purpose=job.purpose, person=job.person)
        node = Caller(f"job:{job.id}", job=job.id, project_rights={job.project: frozenset({"data.write"})})
        upload = vault.output_for_job(job.project, job.id, job.label)
        version = fill(self.services, upload, {"result": b"result"}, by=node)
        vault.end_job(job.id)
        return version.id

    def reads(self, by: Caller, job: Job | None = None) -> bool:
        rules = []
        try:
            self.services.compute.readable_log(self.project, (job or self.job).id, by=by)
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


def test_who_decides_sees_the_metrics_that_they_decide_on_and_nobody_else_does(lab: Lab) -> None:
    services, releasing = lab.services, lab.services.releasing
    run = services.lab.open_run(
        lab.job.project, "Default", job=lab.job.id, label=lab.job.label, person=lab.hanna.person, name="r"
    )
    inside = frozenset({"lab.view", "lab.write"})
    node = Caller("", job=lab.job.id, project_rights={lab.job.project: inside})
    services.lab.log(lab.job.project, run, metrics=[Metric("loss", 0.5, 1, 0)], by=node)

    def seen(by: Caller) -> tuple[list[float], bool, list[float]]:
        """What the run's page has, whether it says that something is withheld, and the curve."""
        logged = services.lab.run(lab.job.project, run, by=by)
        curve: Sequence[tuple[int, Metric]] = []
        with suppress(NotPermitted):
            curve = services.lab.history(lab.job.project, run, "loss", limit=9, by=by)
        return [one.value for one in logged.metrics], logged.withheld, [point.value for _, point in curve]

    def looks() -> list[str]:
        found = services.audit.events(by=lab.town.operator, limit=100, subject=lab.job.id).items
        return [one.person for one in found if one.action == "release.looked"]

    nothing, all_of_it = ([], True, []), ([0.5], False, [0.5])
    assert [seen(one) for one in (lab.hanna, lab.stef)] == [nothing, nothing]
    assert (
        rule(lambda: services.lab.histories(lab.job.project, run, ["loss"], limit=9, by=lab.hanna))
        == "label.logs_withheld"
    )
    assert looks() == []
    assert seen(lab.henk) == all_of_it
    assert set(looks()) == {lab.henk.person}
    # In a list, where nobody looks at one in particular, and to a node, nothing is shown.
    found = services.lab.search(lab.job.project, [], filter_text="", order_by=[], by=lab.henk)
    assert [(one.metrics, one.withheld) for one in found] == [([], True)]
    assert services.lab.run(lab.job.project, run, by=node).metrics == []
    release = releasing.propose(lab.project, lab.job.id, "It names nobody.", by=lab.henk)
    assert seen(lab.hanna) == nothing
    releasing.sign(release.id, by=lab.hilde)
    before = len(looks())
    assert [seen(one) for one in (lab.hanna, lab.stef, lab.henk)] == [all_of_it] * 3
    assert len(looks()) == before


def test_a_release_waits_for_who_decides_and_asking_how_it_stands_is_no_look(lab: Lab) -> None:
    releasing = lab.services.releasing
    everybody = (lab.hanna, lab.stef, lab.henk, lab.hilde)

    def waits() -> list[int]:
        return [len(releasing.waiting(by=one)) for one in everybody]

    def standing(by: Caller, job: Job = lab.job) -> tuple[int, bool, frozenset[str], bool]:
        found = releasing.standing(lab.project, job.id, by=by)
        return len(found.proposals), found.withheld, found.organisations, found.decides

    owner = frozenset({lab.hanna.organisation})
    assert [standing(one) for one in everybody] == [(0, True, owner, decides) for decides in (False, False, True, True)]
    with pytest.raises(NotPermitted):
        standing(lab.town.person("stranger"))
    assert waits() == [0, 0, 0, 0]
    release = releasing.propose(lab.project, lab.job.id, "It names nobody.", by=lab.henk)
    assert waits() == [0, 0, 0, 1]
    ((proposal, job),) = releasing.waiting(by=lab.hilde)
    assert (proposal.id, job.id) == (release.id, lab.job.id)
    assert [one.action for one in lab.services.audit.events(by=lab.town.operator, limit=9, subject=lab.job.id).items
            if one.action == "release.looked"] == []  # fmt: skip
    releasing.sign(release.id, by=lab.hilde)
    assert waits() == [0, 0, 0, 0]
    assert standing(lab.hanna) == (1, False, frozenset(), False)


def test_who_is_listed_as_deciding_is_who_decides_also_behind_two_jobs(lab: Lab) -> None:
    """The list asks about many at once, and by labels that it does not check: of what was not meddled with it says the same."""
    vault, releasing = lab.services.vault, lab.services.releasing
    vault.create(lab.project, "theirs", label="export-controlled", by=lab.stef)
    fill(lab.services, vault.open_upload(lab.project, "theirs", by=lab.stef), {"a": b"a"}, by=lab.stef)
    vault.agree(
        "theirs", home=lab.project, project=lab.project, purposes=["civilian"], right="take_away",
        until=date(2027, 1, 1), by=lab.stef,
    )  # fmt: skip
    pia = lab.joins("partner", "pia")
    jobs = [lab.job, lab.ran(lab.hanna, lab.made(lab.ran(lab.stef, "theirs"))), lab.ran(pia, lab.made(lab.job))]
    for job in jobs:
        releasing.propose(lab.project, job.id, "It names nobody.", by=lab.hanna)
    for by in (lab.hanna, lab.stef, lab.henk, pia):
        decides = [job.id for job in jobs if releasing.standing(lab.project, job.id, by=by).decides]
        assert [job.id for _, job in releasing.waiting(by=by)] == decides
    assert [len(releasing.waiting(by=by)) for by in (lab.hanna, lab.stef, lab.henk, pia)] == [0, 0, 2, 1]


def test_many_releases_are_listed_with_as_many_questions_as_one(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    releasing, database = lab.services.releasing, lab.services.database
    asked, rows = list[object](), database.rows
    counted = []
    for more in ([lab.job], [lab.ran(lab.hanna), lab.ran(lab.stef), lab.ran(lab.hanna)]):
        for job in more:
            releasing.propose(lab.project, job.id, "It names nobody.", by=lab.hanna)
        with monkeypatch.context() as patch:
            patch.setattr(database, "rows", lambda *said: (asked.append(said), rows(*said))[1])
            found = releasing.waiting(by=lab.henk)
        counted.append((len(found), len(asked)))
        asked.clear()
    assert counted == [(1, 3), (4, 3)]


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


def test_whose_data_is_behind_two_jobs_releases_what_the_second_emits(lab: Lab) -> None:
    """The first one's result belongs to the lead organisation, which must not let go of a partner's data for that."""
    vault, releasing = lab.services.vault, lab.services.releasing
    vault.create(lab.project, "theirs", label="export-controlled", by=lab.stef)
    fill(lab.services, vault.open_upload(lab.project, "theirs", by=lab.stef), {"a": b"a"}, by=lab.stef)
    vault.agree(
        "theirs", home=lab.project, project=lab.project, purposes=["civilian"], right="take_away",
        until=date(2027, 1, 1), by=lab.stef,
    )  # fmt: skip
    pia, piet = (lab.joins("partner", name) for name in ("pia", "piet"))
    between = lab.made(lab.ran(lab.stef, "theirs"))
    job = lab.ran(lab.hanna, between)
    result = lab.made(job)
    assert [lab.reads(one, job) for one in (lab.henk, lab.hilde, lab.stef, pia)] == [False, False, False, True]
    release = releasing.propose(lab.project, job.id, "It names nobody.", by=lab.hanna)
    assert rule(lambda: releasing.sign(release.id, by=lab.henk)) == "release.owner"
    for author in (lab.hanna, lab.stef):
        assert rule(lambda by=author: releasing.sign(release.id, by=by)) == "proposal.author"  # type: ignore[misc]
        assert rule(lambda by=author: vault.open(result, project=lab.project, by=by)) == "label.logs_withheld"  # type: ignore[misc]
    assert vault.open(result, project=lab.project, by=pia)
    assert releasing.sign(release.id, by=pia).outcome is Outcome.OPEN
    assert not lab.reads(lab.hanna, job)
    assert releasing.sign(release.id, by=piet).outcome is Outcome.AGREED
    assert vault.open(result, project=lab.project, by=lab.hanna)


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
