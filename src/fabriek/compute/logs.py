"""A job's output: read from the machine while it runs, sealed into the vault when it has ended."""

from collections.abc import Iterator

from fabriek.compute.executors.contract import Executor
from fabriek.compute.jobs import EarlierLog, Job
from fabriek.compute.progress import handle_of
from fabriek.vault.service import Vault

PART_BYTES = 4 * 2**20


class Logs:
    """Where output is, whatever the job's state."""

    def __init__(self, executor: Executor, vault: Vault) -> None:
        self._executor, self._vault = executor, vault

    def part(self, job: Job, offset: int, count: int) -> bytes:
        """Up to `count` bytes from an offset, over all attempts; empty where there is no more yet. Whoever calls has asked for the right."""
        for earlier in job.earlier_logs:
            if offset < earlier.size:
                return self._opened(job, earlier.id, offset, min(offset + count, earlier.size))
            offset -= earlier.size
        if job.log:
            return self._opened(job, job.log, offset, offset + count)
        if (
            len(job.earlier_logs) == job.attempts
        ):  # the next attempt has not begun: what the machine has is the last one's
            return b""
        return self._executor.logs(handle_of(job), offset, count)

    def kept(self, job: Job) -> str:
        """The sealed output of an ended job, to be noted before the machine forgets it; empty where it wrote nothing."""
        if job.log or not self._executor.logs(handle_of(job), 0, 1):
            return job.log
        return self.seal(job).id

    def seal(self, job: Job) -> EarlierLog:
        """Seals the output of the latest attempt."""
        count = 0

        def counted() -> Iterator[bytes]:
            nonlocal count
            for piece in self._pieces(job):
                count += len(piece)
                yield piece

        sealed = self._vault.safe.put(self._vault.room(job.project), counted())
        return EarlierLog(sealed.id, count)

    def _opened(self, job: Job, sealed: str, start: int, stop: int) -> bytes:
        return b"".join(self._vault.safe.open(self._vault.room(job.project), sealed, start, stop))

    def _pieces(self, job: Job) -> Iterator[bytes]:
        offset = 0
        while piece := self._executor.logs(handle_of(job), offset, PART_BYTES):
            offset += len(piece)
            yield piece
