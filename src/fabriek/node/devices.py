"""The GPUs that a job was given: their device files, and the variables by which programs find them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.kernel.units import shown
from fabriek.schemas.node import JobSpec

COMMON = ("ctl", "-uvm", "-uvm-tools", "-modeset")
"""Device files that every program on a GPU opens, whichever it has: they are of the driver."""


def devices_of(job: JobSpec) -> Iterator[Path]:
    """The device files that the job may open. Raises Unavailable where a scheduler granted one that is not there."""
    given = {number for each in job.devices for number in each}
    for number in sorted(given) if job.gpus_visible else ():
        if not Path(f"{job.gpu_devices}{number}").exists():
            raise Unavailable(
                f"GPU {job.gpu_devices}{number} was granted, and is not on this machine", fix="correct gpu_devices"
            )
    yield from device_files(given, job.gpu_devices)


def device_files(numbers: Iterable[int], begin: str = "/dev/nvidia") -> Iterator[Path]:
    """Those of these GPUs and no others, as far as the machine has them."""
    wanted = [str(number) for number in sorted(numbers)]
    for end in (*wanted, *COMMON) if wanted else ():
        if (file := Path(begin + end)).exists():
            yield file


def gpu_variables(job: JobSpec) -> dict[str, str]:
    """Within walls only the job's own GPUs are there, and libraries count from 0; without walls they go by the machine's numbers, or as the
    scheduler says that they are to be counted.
    """
    given = sorted({number for each in job.devices for number in each})
    if not given:
        return {}
    names = {number: number if job.unsandboxed else index for index, number in enumerate(given)}
    members = [",".join(str(names[number]) for number in each) for each in job.devices]
    first = job.gpus_visible if job.unsandboxed and job.gpus_visible else members[0]
    found = {"CUDA_VISIBLE_DEVICES": first, "SLURM_JOB_GPUS": ",".join(map(str, job.devices[0]))}
    if len(members) > 1:
        found["FABRIEK_MEMBER_GPUS"] = ";".join(members)
    if job.gpu_part_milli:
        found["FABRIEK_GPU_PART"] = shown(job.gpu_part_milli * 1_000)
    return found
