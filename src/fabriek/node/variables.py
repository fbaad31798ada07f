"""The variables that a job's command finds."""

import re
from collections.abc import Mapping
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.node.devices import gpu_variables
from fabriek.schemas.node import DOOR, HOME, SECRETS, JobSpec

SPARE_BIN = "/run/bin"
"""Last on the path: holds `python` for systems that know it as `python3` only."""

SHIM_DIR = "/run/slurm"
"""Holds the commands of Slurm that scripts call within a job; before /usr, where the machine may have its own."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are on any system."""

PROXY_PORT = 3128
"""Where a job that named hosts finds its proxy."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FORBIDDEN = re.compile(
    r"(LD_|DYLD_|GLIBC_|MALLOC_|SLURM_|SPANK_|FABRIEK_)|"
    r"(BASH_ENV|BASH_FUNC.*|ENV|IFS|SHELLOPTS|BASHOPTS|PS4|PYTHONHOME|PYTHONSTARTUP|PYTHONINSPECT|PYTHONUSERBASE|PYTHONPLATLIBDIR)$",
    re.IGNORECASE,
)
"""What changes a program before its first line, or speaks in the name of the scheduler or of us."""


def check_environment(environment: dict[str, str]) -> None:
    """Raises InvalidInput on a variable that is nobody's to set in a job, or that is none."""
    for name, value in environment.items():
        if not NAME.fullmatch(name) or "\0" in value:
            raise InvalidInput(
                f"{name!r} is not a variable", fix="name it with letters, digits and _; no NUL in its value"
            )
        if FORBIDDEN.match(name):
            raise InvalidInput(f"the variable {name} is not yours to set in a job", fix="use another name")


def variables_of(job: JobSpec, secrets: Mapping[str, str]) -> dict[str, str]:
    """All of them: ours last, so that nothing of the asker's stands in their place. Raises InvalidInput.

    secrets: variable → value.
    """
    asked = job.environment | dict(secrets)
    check_environment(asked)
    ours = {
        "PATH": _path(job),
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108  # inside the walls
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FABRIEK_JOB_ID": job.job,
        "FABRIEK_OUTPUT": "/output",
        "FABRIEK_DOOR": DOOR,
    }
    if any(one.file for one in job.secrets):
        ours["FABRIEK_SECRETS"] = SECRETS
    if job.hosts and not job.unsandboxed:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        ours |= dict.fromkeys(names, f"http://127.0.0.1:{PROXY_PORT}")
        ours |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    for one in job.inputs:
        name = re.sub(r"[^A-Za-z0-9]", "_", one.dataset.rpartition("/")[2]).upper()
        ours[f"FABRIEK_DATA_{name}"] = one.mount
    # The machine may have more cores than the job: libraries that count them would start threads that wait for each other.
    threads = {name: str(job.cpus) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return threads | asked | ours | job.slurm | gpu_variables(job)


def _path(job: JobSpec) -> str:
    if job.image:
        return f"{SHIM_DIR}:{SYSTEM_PATH}"
    return f"{Path(job.python).parent}:{SHIM_DIR}:/usr/local/bin:/usr/bin:/bin:{SPARE_BIN}"
