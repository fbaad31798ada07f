"""One member of a gang on several hosts: the same inputs, walls and bounds as a job of one node has, on the node where Slurm started it."""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from fabriek.kernel.wiping import wipe
from fabriek.node.batch import given_by
from fabriek.node.gang import told
from fabriek.node.leading import part_file, state_file
from fabriek.node.outputs import Outputs
from fabriek.node.pulse import beat
from fabriek.node.room import uid_taken
from fabriek.node.supervisor import Attempt, Doors, Seat
from fabriek.node.telling import Teller
from fabriek.schemas.node import JobSpec, ObservedState, OutputSpec, write_whole


def run(member_file: str, doors: Doors) -> int:
    """Runs it to its end. 0 also when it failed: how it ended is in its state. 1 when its leader left before it began."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    job = as_member(JobSpec.from_json(Path(member_file).read_text("utf-8")), os.environ)
    teller = Teller(job.member, partial(_write_all, 1))
    teller.say(address=own_address(os.environ), port=free_port() if job.member == 0 else 0)
    beat(partial(teller.say, alive=True))
    met = sys.stdin.buffer.readline()
    if not met:
        return 1
    seat = seat_of(job, teller, **json.loads(met))
    scratch = Path(job.scratch)
    scratch.mkdir(parents=True, mode=0o700)
    try:
        Attempt(job, doors, seat).run(lambda: None)
    finally:
        wipe(scratch)
    return 0


def as_member(job: JobSpec, environment: Mapping[str, str]) -> JobSpec:
    """The job as one node has it: which it is and what it has of the machine, Slurm says."""
    number = int(environment["SLURM_PROCID"])
    given = given_by(environment)
    return replace(
        job, member=number, scratch=f"{job.scratch}-{number}", devices=(given,) if given else (),
        gpus_visible=environment.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, given)) if given else "",
    )  # fmt: skip


def seat_of(job: JobSpec, teller: Teller, addresses: Sequence[str], port: int) -> Seat:
    """addresses: of all members, in order. port: where the first may listen."""
    folder = Path(job.folder)

    def changed(state: ObservedState) -> None:
        teller.say(phase=state.phase, exit_code=state.exit_code, reason=state.reason[:300])

    def keep(outputs: Outputs, spec: OutputSpec, output: Path) -> str:
        write_whole(part_file(folder, job.member), outputs.part(spec, output))
        return part_file(folder, job.member).name

    words = {"MASTER_ADDR": addresses[0], "MASTER_PORT": str(port)}
    return Seat(
        state=state_file(folder, job.member),
        uid=partial(uid_taken, folder),
        hosts=tuple(hosts_of(job, addresses)),
        log=lambda: teller,
        words=words | told(job.member, job.nodes, job.slurm | words),
        keep=keep,
        changed=changed,
    )


def hosts_of(job: JobSpec, addresses: Sequence[str]) -> list[tuple[str, str]]:
    """Every member's name with its address. `job`, the host name inside, is one's own as others reach it: libraries tell it to them."""
    names = job.slurm.get("SLURM_JOB_NODELIST", "").split(",")
    found = [("127.0.0.1", "localhost")]
    for number, (address, name) in enumerate(zip(addresses, names, strict=False)):
        found.append((address, f"job {name}" if number == job.member else name))
    return found


def own_address(environment: Mapping[str, str]) -> str:
    """The address from which this node reaches the one where the step was begun: others reach us there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.connect((environment.get("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1"), 9))  # nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(line.getsockname()[0])


def free_port() -> int:
    """Of this node's own network, which others use too."""
    with socket.socket() as tried:
        tried.bind(("", 0))
        return int(tried.getsockname()[1])


def _write_all(descriptor: int, piece: bytes) -> None:
    while piece:
        piece = piece[os.write(descriptor, piece) :]
