"""What a job is charged, at worst and in the end: its amount on all nodes together, for its time, at the rate of its GPUs' kind."""

from datetime import date

from fabriek.compute.gpus import may_be
from fabriek.compute.jobs import Job
from fabriek.compute.machine import Machine
from fabriek.funding.policy.rates import Cost, actual, worst_case


def worst_cost(job: Job, machine: Machine, on: date) -> Cost:
    """What is held: where it is open which kind of GPU it will have, the dearest."""
    shape = job.shape
    kinds = [one.name for one in may_be(job.gpus, machine.capacity.gpu_kinds)] or [job.gpus.kind]
    return worst_case(
        machine.rates, on, gpus_milli=shape.gpus_milli_in_all, cpus=shape.cpus_in_all, wall_seconds_max=job.wall_seconds_paid, kinds=kinds
    )  # fmt: skip


def real_cost(job: Job, machine: Machine, on: date) -> Cost:
    """What is settled, by the kind of GPU that its last attempt had; never more than was held."""
    shape = job.shape
    kind = job.placed.kind if job.placed else job.gpus.kind
    return actual(
        machine.rates, on, gpus_milli=shape.gpus_milli_in_all, cpus=shape.cpus_in_all, ran_seconds=job.ran_seconds,
        held=worst_cost(job, machine, on), kind=kind,
    )  # fmt: skip
