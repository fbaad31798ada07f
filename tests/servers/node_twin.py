"""A node whose inputs are plain folders, for tests of the executor alone: `python -m tests.servers.node_twin [rlimits] warm`.

The grant names the folder to copy from; the upload names the folder to copy to. With `rlimits`, jobs are bounded as on a machine
where no control group can be made.
"""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fabriek.kernel.errors import NotFound
from fabriek.node.batch import job_file_of, run
from fabriek.node.limits import limiter, rlimits
from fabriek.node.limits.limiter import Limiter
from fabriek.node.supervisor import Doors
from fabriek.node.warm import serve
from fabriek.schemas.node import ImageSpec, InputSpec, JobSpec, OutputSpec

GIVEN = {"TOKEN": "canary-" + "k7q2" * 4, "KEY": "-----BEGIN KEY-----\ncanary-line-two\n-----END KEY-----"}
"""Every job's secrets."""


class FolderDoors:
    """Inputs that are folders already, and results that stay one."""

    def open(self, spec: InputSpec, into: Path) -> None:
        if not Path(spec.grant).is_dir():
            raise NotFound("this grant has ended", fix="submit the job again")
        shutil.copytree(spec.grant, into, dirs_exist_ok=True, symlinks=True)

    def open_image(self, spec: ImageSpec, place: Path) -> None:
        shutil.copyfile(Path(spec.grant, spec.file), place)

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        shutil.copytree(folder, spec.upload, dirs_exist_ok=True, symlinks=True)
        return "ver_of_output"

    def given(self) -> Mapping[str, str]:
        return GIVEN


def doors(bounds: Callable[[JobSpec, int | None], Limiter] = limiter.limiter) -> Doors:
    return Doors(
        lambda _job: FolderDoors(), lambda _job: FolderDoors(), bounds, secrets=lambda _job: FolderDoors(), images=lambda _job: FolderDoors()
    )  # fmt: skip


if __name__ == "__main__":
    if "attempt" in sys.argv or "task" in sys.argv:
        job_file = job_file_of(*sys.argv[-2:]) if "task" in sys.argv else sys.argv[-1]
        sys.exit(run(job_file, doors()))
    bounds = rlimits.make if "rlimits" in sys.argv else limiter.limiter
    sys.exit(serve(doors(bounds)))
