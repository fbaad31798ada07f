"""A node whose inputs are plain folders, for tests of the executor alone: `python -m tests.servers.node_twin [rlimits] warm`.

The grant names the folder to copy from; the upload names the folder to copy to. With `rlimits`, jobs are bounded as on a machine
where no control group can be made.
"""

import shutil
import sys
from pathlib import Path

from fabriek.kernel.errors import NotFound
from fabriek.node.batch import run
from fabriek.node.limits import limiter, rlimits
from fabriek.node.supervisor import Doors
from fabriek.node.warm import serve
from fabriek.schemas.node import InputSpec, OutputSpec


class FolderDoors:
    """Inputs that are folders already, and results that stay one."""

    def open(self, spec: InputSpec, into: Path) -> None:
        if not Path(spec.grant).is_dir():
            raise NotFound("this grant has ended", fix="submit the job again")
        shutil.copytree(spec.grant, into, dirs_exist_ok=True, symlinks=True)

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        shutil.copytree(folder, spec.upload, dirs_exist_ok=True, symlinks=True)
        return "ver_of_output"


if __name__ == "__main__":
    if "attempt" in sys.argv:
        sys.exit(run(sys.argv[-1], Doors(lambda _job: FolderDoors(), lambda _job: FolderDoors())))
    bounds = rlimits.make if "rlimits" in sys.argv else limiter.limiter
    sys.exit(serve(Doors(lambda _job: FolderDoors(), lambda _job: FolderDoors(), bounds)))
