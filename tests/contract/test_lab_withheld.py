"""What a label withholds is withheld in every view of several runs too, and from those who may look at one."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotPermitted
from fabriek.lab.live import Seen
from fabriek.lab.metrics import Metric
from tests.contract.test_releasing import Lab
from tests.factories.services import a_town


@pytest.fixture
def lab(database: Database, tmp_path: Path) -> Lab:
    return Lab(a_town(database, tmp_path / "home"))


def a_run(lab: Lab) -> str:
    """Of a job on data above the line, with a canary among its metrics."""
    job = lab.ran(lab.hanna)
    run = lab.services.lab.open_run(
        job.project, "Default", job=job.id, label=job.label, person=lab.hanna.person, name="r"
    )
    node = Caller("", job=job.id, project_rights={job.project: frozenset({"lab.view", "lab.write"})})
    lab.services.lab.log(job.project, run, metrics=[Metric("loss", 0.7654321, 1, 0)], by=node)
    return run


def test_no_view_of_several_runs_shows_it_or_counts_as_a_look(lab: Lab) -> None:
    services, project, runs = lab.services, lab.job.project, [a_run(lab), a_run(lab)]
    group = services.grouping.make(project, "both", runs, by=lab.hanna)
    for by in (lab.hanna, lab.henk):  # henk may decide about the release, and so look at one
        compared = services.comparing.compare(project, runs, by=by)
        assert [one.withheld for one in compared.runs] == [True, True]
        assert compared.overlays == []
        assert "0.765" not in repr(compared)
        assert "0.765" not in repr(services.grouping.group(project, group.id, by=by))
        for where in ({"group": group.id}, {"experiment": "0"}, {}):
            assert services.grouping.best(project, metric="loss", goal="min", by=by, **where) is None
        services.notes.write(project, runs[0], "I saw nothing.", by=by)
        assert services.linking.of_run(project, runs[0], by=by).origin is not None
        with pytest.raises(NotPermitted, match="label"):
            services.live.run(project, runs[0], by=by)
    with pytest.raises(NotPermitted, match="label"):
        list(services.live.news(project, runs[0], Seen(), by=lab.hanna))
    seen = services.audit.events(by=lab.town.operator, limit=200).items
    assert [one for one in seen if one.action == "release.looked"] == []
