"""How jobs come to packages: the index for the build of their environment, and variables for the pip that they call themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from fabriek.compute.executors.environments import BUILD_SECONDS_MAX, Approved, Environment, Environments
from fabriek.compute.jobs import Job
from fabriek.compute.terms import Network
from fabriek.schemas.node import HOME
from fabriek.web.services import Services

INSIDE = f"{HOME}/.local"
"""Where a job's own installations go: its interpreter is there to be read only."""


def environment_of(job: Job, services: Services, environments: Environments, server_url: str) -> Environment:
    """The packages that the job sees. Raises InvalidInput where they cannot be had."""
    if not job.requirements.strip():
        return environments.base()
    if services.settings.packages == "operator":
        return environments.build(job.requirements.encode())
    with _approved(job, services, server_url) as approved:
        return environments.build(job.requirements.encode(), approved)


def pip_variables(job: Job, token: str, python_version: str, *, walls: bool) -> dict[str, str]:
    """Lets `pip install` in a job without a network find what is approved for its project. `token`: the job's own for the lab's socket.

    A job on the machine's network, or without walls, keeps what pip is configured to use there; so does one that names an index itself, and
    one in an image, whose interpreter may be any.
    """
    if not walls or job.terms.image or job.terms.network is Network.HOST or "PIP_INDEX_URL" in job.environment:
        return {}
    theirs = job.environment.get("PYTHONPATH", "")
    ours = f"{INSIDE}/lib/python{python_version}/site-packages"
    variables = {
        "PIP_INDEX_URL": f"http://job:{token}@127.0.0.1:5000/packages/simple/",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    if not {"PIP_PREFIX", "PIP_TARGET"} & job.environment.keys():
        variables |= {"PIP_PREFIX": INSIDE}
    said = {name: value for name, value in job.environment.items() if name in variables}
    return variables | said | {"PYTHONPATH": f"{theirs}:{ours}" if theirs else ours}


@contextmanager
def _approved(job: Job, services: Services, server_url: str) -> Iterator[Approved]:
    until = services.clock.now() + timedelta(seconds=BUILD_SECONDS_MAX)
    token = services.job_secrets.issue(job.id, job.project, "packages", until)
    scheme, _, host = server_url.partition("://")
    address = f"{scheme}://build:{token}@{host}/packages/simple/"
    try:
        withdrawn = tuple(services.packages.shelf.withdrawn())
        yield Approved(address, job.project, withdrawn, f"{server_url}/packages")
    finally:
        services.identity.end(token)
