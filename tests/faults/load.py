"""Jobs that are handed over and followed while something dies, as the worker does it: what is unavailable is tried again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.slurm import SlurmExecutor
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.kernel.errors import Unavailable
from tests.factories.waiting import until
from tests.faults.witness import Witness

OVER = frozenset({Phase.DONE, Phase.LOST})


@dataclass(frozen=True)
class Counted:
    """What must be nought. An orphan runs, or may yet run, and nobody follows it; a false success never wrote that it ended."""

    duplicates: int
    orphans: int
    false_successes: int


@dataclass
class Load:
    executor: SlurmExecutor
    witness: Witness
    waiting: list[JobSpec] = field(default_factory=list)
    states: dict[Handle, ObservedState] = field(default_factory=dict)

    def add(self, count: int) -> None:
        self.waiting += [self.witness.spec() for _ in range(count)]

    def step(self) -> None:
        """Hands over what waits, and looks how the others are."""
        try:
            while self.waiting:
                self.executor.submit(self.waiting[0])
                spec = self.waiting.pop(0)
                self.states[Handle(spec.job, spec.attempt)] = ObservedState(Phase.STARTING)
            unknown = [handle for handle, state in self.states.items() if state.phase not in OVER]
            self.states |= zip(unknown, self.executor.poll(unknown), strict=True)
        except Unavailable:
            return

    def finish(self, *, seconds_max: float = 300.0) -> None:
        """Returns when every job is over. One whose launch a dying controller cut is begun again by Slurm after two minutes."""
        until(self.is_over, seconds_max=seconds_max, instead=self._unfinished)

    def _unfinished(self) -> list[object]:
        still = {handle: state for handle, state in self.states.items() if state.phase not in OVER}
        asked = self.executor._slurm
        return [still, asked.ask("squeue", "--states", "all") if isinstance(asked, SlurmCommands) else ""]

    def is_over(self) -> bool:
        """Whether every job is, after one more look."""
        self.step()
        return not self.waiting and all(state.phase in OVER for state in self.states.values())

    def counted(self, left: Callable[[], Sequence[str]]) -> Counted:
        """`left` names what of the load's jobs is still about once all are over."""
        begun, ended = self.witness.begun(), self.witness.ended()
        followed = {handle.job for handle in self.states}
        succeeded = [handle.job for handle, state in self.states.items() if state.exit_code == 0]
        return Counted(
            duplicates=sum(count - 1 for count in begun.values()),
            orphans=len(begun.keys() - followed) + len(left()),
            false_successes=sum(1 for job in succeeded if ended[job] != 1),
        )
