"""A pack: a job of ours that runs where we do not see it. What was checked and packed here; what came back, as it was claimed."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from fabriek.compute.gpus import MILLI, Gpus
from fabriek.compute.jobs import Shape
from fabriek.kernel.errors import WrongState
from fabriek.kernel.purposes import Purpose


class State(StrEnum):
    PACKED = "packed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.PACKED: frozenset({State.RETURNED, State.WITHDRAWN}),
    State.RETURNED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
"""A pack has no state of running: nobody here would know."""


@dataclass(frozen=True, slots=True)
class PackedInput:
    """A dataset version that the job reads, and where. `content_hash` is what its signed record says."""

    dataset: str
    dataset_name: str
    version: int
    version_id: str
    label: str
    content_hash: str
    mount: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What a person brought back. `site` is their word for where it ran; `results` the SHA-256 of the list of hashes that job.sh wrote."""

    site: str
    exit_code: int
    results: str
    output: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pack:
    """`job`: the job that it was made of, empty where it was asked for as a pack. `stays`: why the inputs' data may not go along; empty
    where it may. `checksums`: SHA-256 of the list of hashes of all that is in the folder, once that is written.
    """

    id: str
    project: str
    person: str
    name: str
    purpose: Purpose
    label: str
    argv: tuple[str, ...]
    cpus: int
    gpus: int
    memory_bytes: int
    wall_seconds_max: int
    packed_at: datetime
    inputs: tuple[PackedInput, ...] = ()
    code: str = ""
    code_hash: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    requirements: str = ""
    job: str = ""
    stays: str = ""
    checksums: str = ""
    state: State = State.PACKED
    returned: Returned | None = None

    def __post_init__(self) -> None:
        Shape(self.cpus, Gpus(self.gpus * MILLI), self.memory_bytes, self.wall_seconds_max)


def seal(pack: Pack, checksums: str) -> Pack:
    """The pack with what its folder holds; once. Raises WrongState for another folder."""
    if pack.state is not State.PACKED or pack.checksums not in {"", checksums}:
        raise WrongState(f"{pack.id} has its folder already", fix="fabriek run --pack DIR makes another")
    return replace(pack, checksums=checksums)


def move(pack: Pack, to: State) -> Pack:
    """Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[pack.state]:
        raise WrongState(f"{pack.id} is {pack.state}, it cannot become {to}", fix=f"fabriek pack show {pack.id}")
    return replace(pack, state=to)


def take_back(pack: Pack, returned: Returned) -> Pack:
    """The pack with its results. The same results again change nothing; others raise WrongState."""
    if pack.returned is not None and pack.returned.results == returned.results:
        return pack
    return replace(move(pack, State.RETURNED), returned=returned)
