"""A node whose inputs are plain folders, for tests of the executor alone: `python -m tests.servers.node_twin [rlimits] warm`.

The grant names the folder to copy from; the upload names the folder to copy to. With `rlimits`, jobs are bounded as on a machine
where no control group can be made.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fabriek.kernel.errors import NotFound
from fabriek.node import leading
from fabriek.node.batch import job_file_of, run
from fabriek.node.limits import limiter, rlimits
from fabriek.node.limits.limiter import Limiter
from fabriek.node.member import run as run_member
from fabriek.node.outputs import Whole
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

    def part(self, spec: OutputSpec, folder: Path) -> str:
        return json.dumps(
            {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
        )

    def whole(self, spec: OutputSpec, parts: Mapping[int, str]) -> Whole:
        """Where two left the same path, both contents are in the file."""
        apart = set()
        for text in parts.values():
            for path, content in json.loads(text).items():
                file = Path(spec.upload, path)
                apart |= {path} if file.exists() else set()
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("a") as out:
                    out.write(content)
        return Whole("ver_of_output", tuple(sorted(apart)))

    def given(self) -> Mapping[str, str]:
        return GIVEN


def doors(bounds: Callable[[JobSpec, int | None], Limiter] = limiter.limiter) -> Doors:
    return Doors(
        lambda _job: FolderDoors(), lambda _job: FolderDoors(), bounds, secrets=lambda _job: FolderDoors(), images=lambda _job: FolderDoors()
    )  # fmt: skip


if __name__ == "__main__":
    leading.SILENT_SECONDS_MAX = 12.0  # three signs of life missed: nobody here waits for a switch that restarts
    if "attempt" in sys.argv or "task" in sys.argv:
        job_file = job_file_of(*sys.argv[-2:]) if "task" in sys.argv else sys.argv[-1]
        sys.exit(run(job_file, doors()))
    if "member" in sys.argv:
        sys.exit(run_member(sys.argv[-1], doors()))
    bounds = rlimits.make if "rlimits" in sys.argv else limiter.limiter
    sys.exit(serve(doors(bounds)))
