"""A job's output: read from the machine while it runs, sealed into the vault when it has ended."""

from collections.abc import Iterator

from fabriek.compute.executors.contract import Executor
from fabriek.compute.jobs import Job
from fabriek.compute.progress import Progress, handle_of
from fabriek.vault.service import Vault

PART_BYTES = 4 * 2**20


class Logs:
    """Where output is, whatever the job's state."""

    def __init__(self, executor: Executor, progress: Progress, vault: Vault) -> None:
        self._executor, self._progress, self._vault = executor, progress, vault

    def part(self, job: Job, offset: int, count: int) -> bytes:
        """Up to `count` bytes from an offset; empty where there is no more yet. Whoever calls has asked for the right."""
        if job.log:
            return b"".join(self._vault.safe.open(self._vault.room(job.project), job.log, offset, offset + count))
        return self._executor.logs(handle_of(job), offset, count)

    def keep(self, job: Job) -> None:
        """Seals the output of an ended job, before the machine forgets it. Idempotent."""
        if not job.log:
            sealed = self._vault.safe.put(self._vault.room(job.project), self._pieces(job))
            self._progress.note(job.id, log=sealed.id)

    def _pieces(self, job: Job) -> Iterator[bytes]:
        offset = 0
        while piece := self._executor.logs(handle_of(job), offset, PART_BYTES):
            offset += len(piece)
            yield piece
