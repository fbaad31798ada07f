"""Without walls, where the machine allows none and the operator said so: the job's command as one of our own processes.

It can read what we can, so that nothing above the lowest label comes near it. What it started dies with it all the same.
"""

import ctypes
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.node.forwarder import FORWARD
from fabriek.node.inside import catches
from fabriek.node.limits.groups import kill
from fabriek.node.limits.rlimits import tree_below
from fabriek.node.room import Room
from fabriek.node.sandbox import ANY_PORT, SERVE_COMMAND, Command, make_shim
from fabriek.node.variables import SHIM_DIR, SPARE_BIN
from fabriek.schemas.node import HOME

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Bare:
    """`mounts`: folder outside, and the path that the job would see inside walls: here it goes by its variables."""

    room: Room
    argv: Sequence[str]
    variables: dict[str, str]
    mounts: Sequence[tuple[Path, str]]
    python: str
    lab_dir: str
    inside: dict[str, int]
    begins: str = ""
    port: int = 0

    def command(self, ends: Mapping[str, int]) -> Command:
        if any("\0" in word for word in (*self.argv, *self.variables.values())):
            raise InvalidInput("the command or a variable holds a NUL byte", fix="leave it out")
        limits = ",".join(f"{name}={value}" for name, value in self.inside.items()) or "-"
        served = f"{self.port}:{self.room.door}"
        argv = [self.python, "-I", "-S", str(FORWARD), str(ANY_PORT), f"{self.lab_dir}/lab.sock", served, limits]
        begins = self.begins or str(self.room.work)
        return Command([*argv, str(ends["status"]), "--", *self.argv], b"", self._variables(), begins)

    def filter(self) -> bytes:
        return b""

    def enter(self) -> None:
        """Nothing is left behind: it stays what we are."""

    def _variables(self) -> dict[str, str]:
        temporary = self.room.scratch / "tmp"
        temporary.mkdir(exist_ok=True)
        outside = {inside: str(folder) for folder, inside in self.mounts}
        found = {name: outside.get(value, value) for name, value in self.variables.items()}
        place, serves = self.room.scratch / "shim", self.argv[0] == SERVE_COMMAND
        shim = str(make_shim(place, (self.python,), str(place), serves=serves))
        found["PATH"] = found["PATH"].removesuffix(f":{SPARE_BIN}").replace(SHIM_DIR, shim)
        ours = {"TMPDIR": str(temporary), "FABRIEK_OUTPUT": str(self.room.output), "FABRIEK_DOOR": str(self.room.door)}
        if "FABRIEK_SECRETS" in found:
            ours["FABRIEK_SECRETS"] = str(self.room.secrets)
        return found | ours | ({"HOME": str(self.room.work)} if found["HOME"] == HOME else {})


class Loose:
    """The forwarder and all below it. Orphans come to us, so that none gets away."""

    def __init__(self, outer: "subprocess.Popen[bytes]", info: int) -> None:
        self.info, self._outer = info, outer
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def hear(self) -> bool:
        return bool(os.read(self.info, 1))

    def tell(self, number: int) -> bool:
        if self._outer.poll() is not None or not catches(self._outer.pid, number):
            return False
        os.kill(self._outer.pid, number)
        return True

    def end(self) -> None:
        while below := [pid for pid in tree_below(os.getpid()) if pid != os.getpid()]:
            for pid in below:
                kill(pid)
            for pid in below:
                self._wait(pid)

    def close(self) -> None:
        os.close(self.info)

    def _wait(self, pid: int) -> None:
        if pid == self._outer.pid:
            self._outer.wait()
            return
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:  # a grandchild still: it comes to us once its parent is gone
            return
