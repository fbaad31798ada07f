"""The variables that lead a job's pip to the index, beside those that its owner set."""

from fabriek.compute.terms import Network, Terms
from fabriek.worker.installing import INSIDE, pip_variables
from tests.factories.compute import a_job


def variables(*, walls: bool = True, network: Network = Network.NONE, **environment: str) -> dict[str, str]:
    job = a_job(environment=environment, terms=Terms(network=network))
    return pip_variables(job, "secret", "3.11", walls=walls)


def test_a_job_without_network_finds_the_index_with_its_own_token() -> None:
    found = variables()
    assert found["PIP_INDEX_URL"] == "http://job:secret@127.0.0.1:5000/packages/simple/"
    assert (found["PIP_PREFIX"], found["PYTHONPATH"]) == (INSIDE, f"{INSIDE}/lib/python3.11/site-packages")


def test_what_its_owner_says_counts() -> None:
    assert variables(PYTHONPATH="/home/job/src")["PYTHONPATH"].startswith("/home/job/src:/home/job/.local/")
    assert "PIP_PREFIX" not in variables(PIP_TARGET="/tmp/here")
    assert variables(PIP_CONFIG_FILE="/home/job/pip.conf")["PIP_CONFIG_FILE"] == "/home/job/pip.conf"
    assert variables(PIP_INDEX_URL="http://elsewhere") == {}


def test_a_job_that_reaches_the_machines_network_keeps_what_is_configured_there() -> None:
    assert variables(network=Network.HOST) == {}
    assert variables(walls=False) == {}
