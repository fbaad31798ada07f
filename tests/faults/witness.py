"""What jobs themselves wrote down, into one file that is only ever appended to: the one account that neither we nor Slurm can gloss over."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

from fabriek.compute.executors.contract import JobSpec
from tests.factories.executor import a_spec

SAYS = 'echo "begun $0" >> {file}; sleep {seconds}; echo "ended $0" >> {file}'


class Witness:
    """Below a folder that is shared with the jobs. Nobody's: jobs run as its owner."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        shutil.chown(folder, "nobody", "nogroup")
        self.folder, self.file = folder, folder / "witness"
        self.file.touch(mode=0o600)
        shutil.chown(self.file, "nobody", "nogroup")

    def spec(self, *, seconds: float = 0.5, cpus: int = 1) -> JobSpec:
        """A job that writes that it began, and that it ended."""
        job = a_spec(lab_socket_dir=str(self.folder), shared=str(self.folder), memory_bytes=64 * 2**20, cpus=cpus)
        return replace(job, argv=("sh", "-c", SAYS.format(file=self.file, seconds=seconds), job.job))

    def begun(self) -> Counter[str]:
        return self._said("begun")

    def ended(self) -> Counter[str]:
        return self._said("ended")

    def _said(self, word: str) -> Counter[str]:
        lines = [line.split(" ") for line in self.file.read_text().splitlines()]
        return Counter(name for said, name in lines if said == word)
