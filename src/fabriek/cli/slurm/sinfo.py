"""`sinfo`: the machine as one partition."""

import re
import sys

from fabriek.cli.session import connect
from fabriek.cli.slurm.fields import PARTITION
from fabriek.cli.slurm.options import known
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.compute import MachineOut

KNOWN = known(
    "h=noheader o=format p=partition N=Node l=long s=summarize e=exact a=all",
    "format partition states",
    "noheader Node long summarize exact all",
)
DEFAULT = "%9P %.5a %.10l %.6D %.6t %N"
HEADINGS = {
    "P": "PARTITION", "R": "PARTITION", "a": "AVAIL", "l": "TIMELIMIT", "D": "NODES", "t": "STATE", "T": "STATE", "N": "NODELIST", "n": "HOSTNAMES",
    "c": "CPUS", "C": "CPUS(A/I/O/T)", "m": "MEMORY", "e": "FREE_MEM", "G": "GRES", "F": "NODES(A/I/O/T)",
}  # fmt: skip


def run(words: list[str]) -> int:
    """Raises InvalidInput on a format that is not known."""
    options, _ = KNOWN.read(words)
    shown = _shown(connect().jobs.machine())
    layout = options.get("format") or DEFAULT
    for row in ([] if "noheader" in options else [HEADINGS]) + [shown]:
        sys.stdout.write(_line(layout, row))
    return 0


def _line(layout: str, row: dict[str, str]) -> str:
    def cell(match: "re.Match[str]") -> str:
        right, width, letter = match.groups()
        if letter not in row:
            raise InvalidInput(
                f"Invalid node format specification: {match[0]}", fix=f"letters: {' '.join(sorted(HEADINGS))}"
            )
        text = row[letter][: int(width)] if width else row[letter]
        return text.rjust(int(width or 0)) if right else text.ljust(int(width or 0))

    return re.sub(r"%(\.?)(\d*)([A-Za-z])", cell, layout).rstrip() + "\n"


def _shown(machine: MachineOut) -> dict[str, str]:
    idle = machine.cpus - machine.cpus_used
    state = "idle" if not machine.cpus_used else "mixed" if idle > 0 else "allocated"
    busy = machine.nodes if machine.cpus_used else 0
    return {
        "P": f"{PARTITION}*", "R": PARTITION, "a": "up", "l": "5-00:00:00", "D": str(machine.nodes), "t": state[:5].rstrip("a"), "T": state,
        "N": "job", "n": "job",
        "c": str(machine.cpus // machine.nodes), "C": f"{machine.cpus_used}/{idle}/0/{machine.cpus}",
        "m": str(machine.memory_bytes // machine.nodes // 2**20),
        "e": str((machine.memory_bytes - machine.memory_bytes_used) // 2**20), "G": _gres(machine) or "(null)",
        "F": f"{busy}/{machine.nodes - busy}/0/{machine.nodes}",
    }  # fmt: skip


def _gres(machine: MachineOut) -> str:
    """Of each node."""
    kinds = [(f"{one.kind}:" if one.kind != "gpu" else "", one.count) for one in machine.gpu_kinds]
    return ",".join(f"gpu:{kind}{count // machine.nodes}" for kind, count in kinds or [("", machine.gpus)] if count)
