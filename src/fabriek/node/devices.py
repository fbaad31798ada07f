"""The GPUs that a job was given: their device files, and the variables by which programs find them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from fabriek.kernel.units import shown
from fabriek.schemas.node import JobSpec

COMMON = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
"""Device files that every program on a GPU opens, whichever it has."""


def device_files(numbers: Iterable[int], folder: Path = Path("/dev")) -> Iterator[Path]:
    """Those of these GPUs and no others, as far as the machine has them."""
    wanted = [f"nvidia{number}" for number in sorted(numbers)]
    for name in (*wanted, *COMMON) if wanted else ():
        if (folder / name).exists():
            yield folder / name


def gpu_variables(job: JobSpec) -> dict[str, str]:
    """Within walls only the job's own GPUs are there, and libraries count from 0; without walls they go by the machine's numbers."""
    given = sorted({number for each in job.devices for number in each})
    if not given:
        return {}
    names = {number: number if job.unsandboxed else index for index, number in enumerate(given)}
    members = [",".join(str(names[number]) for number in each) for each in job.devices]
    first = members[0]
    found = {"CUDA_VISIBLE_DEVICES": first, "SLURM_JOB_GPUS": ",".join(map(str, job.devices[0]))}
    if len(members) > 1:
        found["FABRIEK_MEMBER_GPUS"] = ";".join(members)
    if job.gpu_part_milli:
        found["FABRIEK_GPU_PART"] = shown(job.gpu_part_milli * 1_000)
    return found
