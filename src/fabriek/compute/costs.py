"""What a job is charged, at worst and in the end: by what it takes on all its nodes, for its time, at the rate of its GPUs' kind."""

from datetime import date

from fabriek.compute.gpus import may_be
from fabriek.compute.jobs import Job
from fabriek.compute.machine import Machine
from fabriek.funding.policy.rates import Cost, actual, paid_in, wall_hours_max, worst_case
from fabriek.funding.policy.tariffs import Taken
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput

SECONDS_PER_HOUR = 3600


def worst_cost(job: Job, machine: Machine, on: date) -> Cost:
    """What is held: where it is open which kind of GPU it will have, the dearest."""
    return worst_case(
        machine.rates, on, _taken(job), wall_seconds_max=job.wall_seconds_paid, kinds=_kinds(job, machine)
    )


def real_cost(job: Job, machine: Machine, on: date) -> Cost:
    """What is settled, by the kind of GPU that its last attempt had; never more than was held."""
    kind = job.placed.kind if job.placed else job.gpus.kind
    held = worst_cost(job, machine, on)
    return actual(machine.rates, on, _taken(job), ran_seconds=job.ran_seconds, held=held, kind=kind)


def check_wall(job: Job, machine: Machine, on: date) -> None:
    """Raises InvalidInput on a job that asks for longer than its tariff lets one run."""
    hours = wall_hours_max(machine.rates, on, _taken(job), kinds=_kinds(job, machine))
    if hours and job.wall_seconds_max > hours * SECONDS_PER_HOUR:
        raise InvalidInput(
            f"this asks for {job.wall_seconds_max / SECONDS_PER_HOUR:g} hours, and by its tariff a job runs for {hours} hours at most",
            fix=f"ask for --hours {hours}, and let it go on from a checkpoint: --requeue 3",
        )


def currency(job: Job) -> Resource:
    """In which hours it pays."""
    return paid_in(_taken(job))


def _taken(job: Job) -> Taken:
    """Jobs have no disk of a node: what they write lies in their memory, and is paid for there."""
    return Taken(cpus=job.cpus, gpus_milli=job.gpus.milli, memory_bytes=job.memory_bytes, nodes=job.nodes)


def _kinds(job: Job, machine: Machine) -> list[str]:
    return [one.name for one in may_be(job.gpus, machine.capacity.gpu_kinds)] or [job.gpus.kind]
