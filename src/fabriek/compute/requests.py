"""What a person asks of the machine, checked before anything else looks at it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabriek.compute.gpus import Gpus
from fabriek.compute.images import image_of
from fabriek.compute.notices.notices import NoticeAsked
from fabriek.compute.secrets.secrets import SecretUse, check_uses
from fabriek.compute.terms import Terms
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.node import may_hold_input

_FORBIDDEN_VARIABLE = re.compile(
    r"(?i)(LD_|DYLD_|SLURM_|SPANK_|FABRIEK_|MLFLOW_TRACKING_|GLIBC_|MALLOC_)|"
    r"(?i:(BASH_ENV|ENV|IFS|PATH|HOME|PYTHONHOME|PYTHONSTARTUP|PYTHONINSPECT|PYTHONUSERBASE)$)"
)


@dataclass(frozen=True, slots=True)
class InputAsked:
    """A dataset version, `name`, `name@3` or `project/name@3`, and where the job sees it."""

    dataset: str
    mount: str


@dataclass(frozen=True, slots=True)
class JobAsked:
    """The whole request. Sizes in bytes, times in seconds, both with CPUs and GPUs for each node; an empty purpose means the project's."""

    argv: tuple[str, ...]
    name: str = ""
    code: str = ""
    inputs: tuple[InputAsked, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    requirements: str = ""
    purpose: str = ""
    experiment: str = ""
    gpus: Gpus = field(default_factory=Gpus)
    cpus: int = 1
    memory_bytes: int = 2 * 2**30
    wall_seconds_max: int = 3600
    priority: str = "normal"
    array: str = ""
    sweep: Mapping[str, Sequence[str]] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    secrets: tuple[SecretUse, ...] = ()
    notify: tuple[NoticeAsked, ...] = ()
    nodes: int = 1


def check(asked: JobAsked) -> None:
    """Raises InvalidInput without a command, on a mount that is taken or named twice, a variable that would reach under the sandbox, or a NUL."""
    if not asked.argv or not asked.argv[0]:
        raise InvalidInput("there is no command", fix="fabriek run -- python train.py")
    _check_mounts([one.mount for one in asked.inputs])
    if image_of(asked.terms.image) is not None and asked.requirements.strip():
        raise InvalidInput(
            "an image brings its own packages, and this job names others too", fix="leave out --image or --requirements"
        )
    check_uses(asked.secrets, asked.environment)
    for name in (*asked.environment, *(one.variable for one in asked.secrets)):
        if _FORBIDDEN_VARIABLE.match(name):
            raise InvalidInput(f"the variable {name} is not yours to set in a job", fix="use another name")
    for name, value in asked.environment.items():
        if "\0" in value:
            raise InvalidInput(f"the variable {name} holds a NUL byte", fix="leave it out")
    if any("\0" in word for word in asked.argv):
        raise InvalidInput("the command holds a NUL byte", fix="leave it out")


def _check_mounts(mounts: Sequence[str]) -> None:
    for mount in mounts:
        if not may_hold_input(mount):
            raise InvalidInput(
                f"{mount!r} cannot hold an input inside the sandbox", fix="mount the data at /data, or at /data/NAME"
            )
    if any(one != other and (one + "/").startswith(other + "/") for one in mounts for other in mounts) or len(
        set(mounts)
    ) < len(mounts):
        raise InvalidInput(
            "two inputs share a mount point, or one lies inside another", fix="give each its own, /data/a and /data/b"
        )
