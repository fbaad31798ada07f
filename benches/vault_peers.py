"""How other tools seal a folder and open it again: age, restic, rclone crypt, gocryptfs, each as its manual says."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PASSPHRASE = "correct horse battery staple"  # noqa: S105  # of stores that last as long as the figure
_VERSIONS = {
    "age": ["age", "--version"],
    "restic": ["restic", "version"],
    "rclone": ["rclone", "version"],
    "gocryptfs": ["gocryptfs", "--version"],
    "openssl": ["openssl", "version"],
}


@dataclass(frozen=True)
class Peer:
    """`prepare`, `put` and `get` are lines for the shell; `put` is given the folder as `$1`. Its store and what comes out lie in `room`."""

    name: str
    room: Path
    making: str
    putting: str
    getting: str
    leaving: str = ":"

    def prepare(self) -> None:
        self.clear()
        (self.room / "store").mkdir(parents=True)
        (self.room / "out").mkdir()
        self._run(self.making)

    def put(self, folder: Path) -> None:
        if not self.room.exists():
            self.prepare()
        self._run(self.putting, str(folder))

    def get(self) -> None:
        self._run(self.getting)

    def clear(self) -> None:
        if self.room.exists():
            self._run(self.leaving)
            shutil.rmtree(self.room)

    def _run(self, line: str, *given: str) -> None:
        own = {"HOME": str(self.room), "RESTIC_PASSWORD": PASSPHRASE, "RESTIC_CACHE_DIR": str(self.room / "cache"),
               "RCLONE_CONFIG": str(self.room / "rclone.conf"), "PASSPHRASE": PASSPHRASE}  # fmt: skip
        done = subprocess.run(
            ["bash", "-ec", line, "peer", *given], cwd=self.room, env={"PATH": os.environ["PATH"], **own},  # for a child
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.name}: {done.stderr[-500:]}"


def peers(work: Path) -> dict[str, Peer]:
    """Those that are installed."""
    room = work / "peers"
    every = [
        Peer(
            "age", room / "age", "age-keygen -o key 2>/dev/null; grep -o 'age1.*' key > public",
            'if [ -f "$1/one.bin" ]; then age -R public "$1/one.bin" > store/one; else tar -C "$1" -cf - . | age -R public > store/tar; fi',
            "if [ -f store/one ]; then age -d -i key store/one > out/one.bin; else age -d -i key store/tar | tar -C out -xf -; fi",
        ),
        Peer(
            "restic", room / "restic", "restic -q -r store init", 'here=$PWD; cd "$1"; restic -q -r "$here/store" backup .',
            "restic -q -r store restore latest --target out",
        ),
        Peer(
            "rclone", room / "rclone",
            'printf "[c]\\ntype = crypt\\nremote = $PWD/store/r\\npassword = $(rclone obscure "$PASSPHRASE")\\n" > rclone.conf',
            'rclone copy --transfers 4 "$1" c:d', "rclone copy --transfers 4 c:d out",
        ),
        Peer(
            "gocryptfs", room / "gocryptfs",
            'printf %s "$PASSPHRASE" > pass; mkdir mnt; gocryptfs -q -init -scryptn 12 -passfile pass store; gocryptfs -q -passfile pass store mnt',
            'cp -r "$1" mnt/d', "cp -r mnt/d/. out/", "fusermount3 -u mnt || fusermount -u mnt",
        ),
    ]  # fmt: skip
    return {peer.name: peer for peer in every if shutil.which(peer.name)}


def versions() -> str:
    """Of each peer that is there, and who is missing."""
    said = []
    for name, argv in _VERSIONS.items():
        if shutil.which(name) is None:
            said.append(f"no {name} (apt-get install {name})")
            continue
        first = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        said.append(" ".join(dict.fromkeys([name, *first.replace(";", " ").split()[:2]])))
    return ", ".join(said)


def cipher_seconds(size_bytes: int) -> float | None:
    """How long one thread of `openssl speed` takes to encipher so many bytes with AES-256-GCM, 16 KiB at a time: the limit of all that seals.
    None without openssl.
    """
    if shutil.which("openssl") is None:
        return None
    argv = ["openssl", "speed", "-mr", "-elapsed", "-seconds", "2", "-bytes", "16384", "-evp", "aes-256-gcm"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    rate = next(line.rsplit(":", 1)[1] for line in said.splitlines() if line.startswith("+F:"))
    return size_bytes / float(rate)
