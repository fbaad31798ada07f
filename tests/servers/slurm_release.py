"""Which release of Slurm a cluster runs: the host's own, or a newer one that `.ci/slurm-2411` unpacked into a folder.

A program of that folder runs in a mount namespace of its own, with the folder as its root and the host's devices, processes, users and
temporary files in it; nothing is mounted on the host, and nothing is left when the program ends.
"""

from pathlib import Path

FOLDER = Path("/var/cache/fabriek-slurm-2411")

ENTER = """
for place in proc sys dev tmp; do mount --rbind /$place $1/$place; done
for file in passwd group hosts; do mount --bind /etc/$file $1/etc/$file; done
root=$1 user=$2; shift 2
exec chroot --userspec=$user $root "$@"
"""


def inside(*words: str, user: str = "root:root") -> list[str]:
    """The command line that runs a program of the folder."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", ENTER, "enter", str(FOLDER), user, *words]


def outside(process: int, *words: str) -> list[str]:
    """The command line by which a batch job of such a cluster runs a program of the host: it steps back to where that process lives."""
    return ["/usr/bin/nsenter", f"--mount=/proc/{process}/ns/mnt", "--", *words]


def why_absent() -> str:
    """Empty when the newer release is there, else the reason."""
    if (FOLDER / "whole").exists():
        return ""
    return f"Slurm's REST interface was not tested: {FOLDER} is not there (.ci/slurm-2411 makes it, with root and apt)"
