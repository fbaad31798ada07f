"""Where a job stands: on which nodes, and on which of their GPUs. Kept with the job, so that nobody gives away what somebody has."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Placement:
    """`nodes` and `devices` count from 0; of each node the devices that the job has there, all of one `kind`, by the machine's own
    numbers. Where Slurm places jobs, this is what is planned with, and Slurm gives the devices.
    """

    nodes: tuple[int, ...]
    devices: tuple[tuple[int, ...], ...]
    kind: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Placement":
        return cls(tuple(plain["nodes"]), tuple(tuple(one) for one in plain["devices"]), plain["kind"])
