"""Inside the walls: the members of a gang, one process for each node of the job, each told who it is and where the first listens.

Runs as `python -I -S gang.py MEMBERS COMMAND…` with the standard library alone. What they write comes out line by line, each line under
its member's number. The first that fails ends all, and its exit code is the gang's.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time

END_SECONDS = 5.0
"""What members have between being asked to stop, because another failed, and the end of all."""

LINE_BYTES_MAX = 1 << 16
MASTER_PORT = 29_500
HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class Member:
    """One process, and what it has said of a line that is not whole yet."""

    def __init__(self, number: int, argv: "list[str]", environment: "dict[str, str]") -> None:
        self.number = number
        self.said, ends = os.pipe()
        self.process = subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=ends, stderr=ends, close_fds=True
        )
        os.close(ends)
        self.ended = os.pidfd_open(self.process.pid)
        self._line = b""

    def hear(self) -> bool:
        """Writes its whole lines out; whether more may come."""
        piece = os.read(self.said, LINE_BYTES_MAX)
        lines = (self._line + piece).split(b"\n")
        self._line = lines.pop()
        if self._line and (not piece or len(self._line) >= LINE_BYTES_MAX):
            lines.append(self._line)
            self._line = b""
        told = b"".join(b"%d: %s\n" % (self.number, line) for line in lines)
        while told:
            told = told[os.write(1, told) :]
        return bool(piece)

    def exit_code(self) -> int:
        code = self.process.wait()
        return code if code >= 0 else 128 - code


def main(members: int, argv: "list[str]") -> int:
    for heard in HEARD:
        signal.signal(heard, lambda _number, _frame: None)  # the word goes to our whole group, the members among them
    common = dict(os.environ) | {"MASTER_PORT": str(free_port()), "MASTER_ADDR": "127.0.0.1"}
    gang = []
    try:
        for number in range(members):
            gang.append(Member(number, argv, common | told(number, members, common)))  # noqa: PERF401  # those that began are ended
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        end(gang)
        return 127
    return watch(gang)


def told(number: int, members: int, common: "dict[str, str]") -> "dict[str, str]":
    """Who this member is, in the words of Slurm and of torchrun."""
    names = common.get("SLURM_JOB_NODELIST", "").split(",")
    us = {
        "SLURM_NODEID": number, "SLURM_PROCID": number, "SLURM_LOCALID": 0, "SLURM_NTASKS": members, "SLURM_NPROCS": members,
        "SLURM_STEP_ID": 0, "SLURM_STEP_NUM_TASKS": members, "SLURMD_NODENAME": names[number % len(names)],
        "RANK": number, "WORLD_SIZE": members, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1, "GROUP_RANK": number,
        "GROUP_WORLD_SIZE": members, "NODE_RANK": number, "PET_NNODES": members, "PET_NODE_RANK": number,
        "PET_MASTER_ADDR": common["MASTER_ADDR"], "PET_MASTER_PORT": common["MASTER_PORT"],
    }  # fmt: skip
    return {name: str(value) for name, value in us.items()} | devices_of(number, common)


def devices_of(number: int, common: "dict[str, str]") -> "dict[str, str]":
    """The GPUs of a member, `0,1;2,3` being those of two."""
    each = common.get("FABRIEK_MEMBER_GPUS", "").split(";")
    if number >= len(each) or not each[number]:
        return {}
    return {"CUDA_VISIBLE_DEVICES": each[number], "SLURM_JOB_GPUS": each[number], "SLURM_STEP_GPUS": each[number]}


def free_port() -> int:
    """The usual one, where it is free: in a network of the job's own it is."""
    for port in (MASTER_PORT, 0):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    return MASTER_PORT


def watch(gang: "list[Member]") -> int:
    """Until all have ended and said everything; after the first failure no longer than they are given to stop."""
    poller, who = select.poll(), {}
    for member in gang:
        for descriptor in (member.said, member.ended):
            poller.register(descriptor, select.POLLIN)
            who[descriptor] = member
    first, give_up = 0, float("inf")
    while who and time.monotonic() < give_up:
        wait = None if give_up == float("inf") else max(0.0, give_up - time.monotonic()) * 1000
        for descriptor, _ in poller.poll(wait):
            member = who[descriptor]
            if descriptor == member.said and member.hear():
                continue
            poller.unregister(descriptor)
            del who[descriptor]
            if descriptor == member.ended and (code := member.exit_code()) and not first:
                first, give_up = code, time.monotonic() + END_SECONDS
                sys.stderr.write(f"member {member.number} ended with {code}, and ends all\n")
                sys.stderr.flush()
                end(gang)
    return first


def end(gang: "list[Member]") -> None:
    for member in gang:
        if member.process.poll() is None:
            member.process.terminate()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
