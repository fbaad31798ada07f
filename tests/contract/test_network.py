"""Which jobs may name hosts of the network, and what is known afterwards of those that they reached."""

from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.executors.contract import Handle
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Network, Terms
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotPermitted
from fabriek.worker.admission import admit_jobs
from fabriek.worker.watching import watch_jobs
from tests.contract.test_walls import a_holder
from tests.factories.executor import MemoryExecutor
from tests.factories.services import Town, a_town

LIST = "pypi.example, *.files.example, 10.0.0.0/8"


def naming(*hosts: str, inputs: tuple[InputAsked, ...] = ()) -> JobAsked:
    return JobAsked(("sleep", "60"), inputs=inputs, terms=Terms(network=Network.HOSTS, hosts=hosts))


def events(town: Town, by: Caller) -> list[tuple[str, str]]:
    found = town.services.audit.events(by=by).items
    return [(one.action, one.facts) for one in found if one.action.startswith(("job.reached", "job.kept"))]


@pytest.mark.parametrize("host", ["evil.example:443", "pypi.example:22", "127.0.0.1:443", "files.example:443"])
def test_a_host_that_the_operator_does_not_list_is_refused_by_name(
    database: Database, tmp_path: Path, host: str
) -> None:
    holder = a_holder(a_town(database, tmp_path / "home", hosts=LIST), "open")
    with pytest.raises(NotPermitted, match=host) as refused:
        holder.town.services.compute.submit(holder.project, naming("pypi.example:443", host), by=holder.person)
    assert refused.value.fields["rule"] == "network.hosts"


@pytest.mark.parametrize("label", ["internal", "personal"])
def test_a_job_that_reads_labelled_data_names_no_host(database: Database, tmp_path: Path, label: str) -> None:
    holder = a_holder(a_town(database, tmp_path / "home", hosts=LIST), label)
    asked = naming("pypi.example:443", inputs=(InputAsked("cells", "/data"),))
    with pytest.raises(NotPermitted) as refused:
        holder.town.services.compute.submit(holder.project, asked, by=holder.person)
    assert refused.value.fields["rule"] == "network.label"


def test_a_host_that_was_taken_off_the_list_keeps_the_job_from_starting(database: Database, tmp_path: Path) -> None:
    holder = a_holder(a_town(database, tmp_path / "home", hosts=LIST), "open")
    services = holder.town.services
    job = services.compute.submit(holder.project, naming("pypi.example:443"), by=holder.person)
    object.__setattr__(services, "settings", replace(services.settings, job_network_hosts=""))
    assert "may not reach pypi.example:443" in holder.start(job).reason


def test_hosts_that_were_reached_are_in_the_log_and_others_only_counted(database: Database, tmp_path: Path) -> None:
    holder = a_holder(a_town(database, tmp_path / "home", hosts=LIST), "open")
    services = holder.town.services
    asked = naming("pypi.example:443", "a.files.example:443")
    job = holder.start(services.compute.submit(holder.project, asked, by=holder.person))
    executor = services.executor
    assert isinstance(executor, MemoryExecutor)
    attempt = executor._attempts[Handle(job.id, 1)]
    assert (attempt.spec.hosts, attempt.spec.addresses) == (asked.terms.hosts, ("10.0.0.0/8",))
    executor.end(Handle(job.id, 1))
    attempt.state = replace(attempt.state, reached={"pypi.example:443": 3}, refused={"jan.example:443": 2, "others": 5})
    admit_jobs(services)
    watch_jobs(services)
    told = events(holder.town, holder.town.operator)
    assert [action for action, _ in told] == ["job.kept_from_hosts", "job.reached"]
    said = dict(told)
    assert '"pypi.example:443"' in said["job.reached"]
    assert "7" in said["job.kept_from_hosts"]
    assert "jan" not in "".join(said.values())
