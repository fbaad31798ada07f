"""A node whose inputs are plain folders, for tests of the executor alone: `python -m tests.servers.node_twin warm`.

The grant names the folder to copy from; the upload names the folder to copy to.
"""

import shutil
import sys
from pathlib import Path

from fabriek.kernel.errors import NotFound
from fabriek.node.supervisor import run_attempt
from fabriek.node.warm import serve
from fabriek.schemas.node import JOB_FILE, InputSpec, JobSpec, OutputSpec


class FolderInputs:
    """Inputs that are folders already."""

    def open(self, spec: InputSpec, into: Path) -> None:
        if not Path(spec.grant).is_dir():
            raise NotFound("this grant has ended", fix="submit the job again")
        shutil.copytree(spec.grant, into, dirs_exist_ok=True, symlinks=True)


class FolderOutputs:
    """Results that stay a folder."""

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        shutil.copytree(folder, spec.upload, dirs_exist_ok=True, symlinks=True)
        return "ver_of_output"


def run(folder: Path) -> None:
    job = JobSpec.from_json((folder / JOB_FILE).read_text("utf-8"))
    run_attempt(folder, job, FolderInputs(), FolderOutputs())


if __name__ == "__main__":
    sys.exit(serve(run))
