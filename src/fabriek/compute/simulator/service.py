"""What one may ask the simulator: this factory's own past, under shares as they would be."""

from collections.abc import Mapping
from dataclasses import replace

from fabriek.compute.machine import Machine
from fabriek.compute.order import DECIDES_HERE
from fabriek.compute.powering.work import parts_of
from fabriek.compute.service import Compute
from fabriek.compute.sharing.agreed import agreed
from fabriek.compute.simulator import replay
from fabriek.compute.simulator.outcomes import Outcome
from fabriek.compute.simulator.replay import Policy, scaled
from fabriek.compute.simulator.traces import trace_of
from fabriek.funding.policy.comparing import View
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound


class Simulator:
    """Replays through the same admission code that decides on real jobs."""

    def __init__(self, compute: Compute, funding: Funding, machine: Machine, clock: Clock) -> None:
        self._compute, self._funding, self._machine, self._clock = compute, funding, machine, clock

    def compare(self, factors: Mapping[str, float], *, by: Caller) -> list[tuple[str, Outcome]]:
        """The finished jobs under the present shares, and with some scaled. `factors`: a share's name or id → factor.

        Raises NotFound when there is nothing to replay, or no share of that name.
        """
        trace = trace_of(self._compute.finished(by=by))
        if not trace:
            raise NotFound(
                "no job has run to its end yet, so there is nothing to replay", fix="fabriek run -- python train.py"
            )
        today, ours, view = self._clock.today(), self._machine, self._funding.view()
        kinds = parts_of(ours.works_on(today))
        machine = replay.Machine(ours.capacity, ours.table(today), ours.contract, parts=kinds)
        outcomes = [("as it is", replay.replay(trace, machine, self._policy(view)))]
        if factors:
            named = ", ".join(f"{name} x {factor:g}" for name, factor in factors.items())
            parts = scaled(Policy(view.parts), self._by_id(factors)).shares
            outcomes.append((named, replay.replay(trace, machine, self._policy(replace(view, parts=parts)))))
        return outcomes

    def names(self) -> Mapping[str, str]:
        """Share id → its name, for showing outcomes."""
        return {share.id: share.name for share in self._funding.shares()}

    def _policy(self, view: View) -> Policy:
        found = agreed(view, self._funding.shares)
        return Policy(found.parts, DECIDES_HERE, found.rules)

    def _by_id(self, factors: Mapping[str, float]) -> dict[str, float]:
        ids = {name: share.id for share in self._funding.shares() for name in (share.name, share.id)}
        if unknown := sorted(set(factors) - set(ids)):
            raise NotFound(f"there is no share {unknown[0]}", fix="fabriek funding shares")
        return {ids[name]: factor for name, factor in factors.items()}
