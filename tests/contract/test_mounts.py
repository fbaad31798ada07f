"""Inputs of real jobs behind real walls, read in place from a real server: what a job sees, and what is left when it is over."""

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.executors.contract import Handle, Phase
from fabriek.node.mounts.mounting import why_not
from fabriek.node.mounts.serving import LOOK_SECONDS
from fabriek.schemas.node import MOUNT, InputSpec
from fabriek.vault.versions import Version
from fabriek.worker.closing import CLOSING_SECONDS
from tests.factories.tables import a_database
from tests.factories.vault import Doors, World, a_push, a_world
from tests.factories.waiting import until
from tests.servers.machine import Machine, Seen, a_machine

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("mounts")]

NODE = (sys.executable, "-m", "fabriek.node")
CANARY = b"canary-" + b"v3q9" * 6
BIG = os.urandom(5 * 2**20 + 321)


@dataclass
class Place:
    """A vault on a real port, and a machine whose node reads from it."""

    world: World
    machine: Machine
    doors: Doors

    @property
    def url(self) -> str:
        return self.doors.url

    def start(self, version: Version, code: str, **changes: Any) -> Handle:
        job = changes.setdefault("job", f"job_{time.monotonic_ns()}")
        self.world.directory.add_node(job, "prj_1")
        grant = self.world.vault.grant_to_job(version.id, job, project="prj_1", purpose="civilian")
        inputs = (InputSpec(version.dataset, 1, grant.id, "/data/scans"),)
        more = {"inputs": inputs, "server_url": self.url, "node_token": job, "inputs_by": MOUNT, "grace_seconds": 1}
        return self.machine.start("python", "-c", code, **(more | changes))

    def run(self, version: Version, code: str, **changes: Any) -> Seen:
        return self.machine.ended(self.start(version, code, **changes))


@contextmanager
def a_place(database: Database) -> Iterator[Place]:
    if reason := why_not():
        pytest.skip(f"inputs cannot be mounted here: {reason}")
    world = a_world(database)
    with world.served() as doors, a_machine(NODE) as machine:
        yield Place(world, machine, doors)


@pytest.fixture
def place(lite_database: Database) -> Iterator[Place]:
    with a_place(lite_database) as found:
        yield found


@pytest.fixture
def lite_database(tmp_path: Path) -> Iterator[Database]:
    opened = a_database(tmp_path / "vault.db")
    yield opened
    opened.close()


def test_a_job_reads_every_byte_and_every_name_where_it_mounted_them(place: Place) -> None:
    many = {f"many/{number:04}": str(number).encode() for number in range(400)}
    version = a_push(place.world, "scans", {"a/big.bin": BIG, "a/empty": b"", "ünïcode\n name": b"odd", **many})
    seen = place.run(
        version,
        "import hashlib, os, mmap\n"
        "os.chdir('/data/scans')\n"
        "print(sorted(os.listdir('.')), len(os.listdir('many')), os.stat('a/empty').st_size)\n"
        "print(hashlib.sha256(open('a/big.bin', 'rb').read()).hexdigest())\n"
        "with open('a/big.bin', 'rb') as f:\n"
        "    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); print(m[3_000_000:3_000_004].hex(), len(m))\n"
        "    f.seek(-5, 2); print(f.read().hex())\n"
        "print(all(open(f'many/{n:04}').read() == str(n) for n in range(400)), os.path.exists('nothing'))\n"
        "print([line.split()[2] for line in open('/proc/mounts') if line.split()[1] == '/data/scans'])\n",
    )
    assert seen.state.exit_code == 0, (seen.state, seen.log)
    assert seen.log.splitlines() == [
        "['a', 'many', 'ünïcode\\n name'] 400 0",
        hashlib.sha256(BIG).hexdigest(),
        f"{BIG[3_000_000:3_000_004].hex()} {len(BIG)}",
        BIG[-5:].hex(),
        "True False",
        "['fuse']",
    ]
    assert seen.state.reason == ""


def test_names_that_lie_on_many_pages_are_found_when_they_are_asked_for(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in range(3_000):
        (folder / str(number % 5)).mkdir(parents=True, exist_ok=True)
        (folder / str(number % 5) / f"{number:05d}").write_bytes(str(number).encode())
    with (folder / "holes").open("wb") as out:
        out.truncate(200 * 2**20)
        out.seek(150 * 2**20)
        out.write(b"data")
    pushed = place.doors.vault("hanna").push(folder, "pages").version
    seen = place.run(
        place.world.parts.versions.get(pushed.id),
        "import os\n"
        "os.chdir('/data/scans')\n"
        "print(sorted(os.listdir('.')), [len(os.listdir(str(n))) for n in range(5)], os.path.exists('3/x'))\n"
        "print(all(open(f'{n % 5}/{n:05d}').read() == str(n) for n in range(0, 3_000, 13)))\n"
        "with open('holes', 'rb') as f: print(f.seek(150 * 2**20 - 2), f.read(8))\n",
    )
    assert seen.state.exit_code == 0, (seen.state, seen.log)
    assert seen.log.splitlines() == [
        "['0', '1', '2', '3', '4', 'holes'] [600, 600, 600, 600, 600] False", "True", f"{150 * 2**20 - 2} b'\\x00\\x00data\\x00\\x00'",
    ]  # fmt: skip


def test_nothing_can_be_written_there(place: Place) -> None:
    version = a_push(place.world, "scans", {"x": b"x"})
    seen = place.run(
        version,
        "import os\n"
        "for act in (lambda: open('/data/scans/new', 'w'), lambda: open('/data/scans/x', 'a'), lambda: os.remove('/data/scans/x')):\n"
        "    try: act()\n"
        "    except OSError as e: print(e.errno)\n",
    )
    assert seen.log.split() == ["30", "30", "30"]


def test_damage_is_an_error_to_the_job_and_its_log_names_the_file_and_its_reason_the_version(place: Place) -> None:
    version = a_push(place.world, "scans", {"fine": b"fine", "spoilt": os.urandom(2**20)})
    for name, sealed in place.world.blobs.objects.items():
        if len(sealed) > 2**20:
            place.world.blobs.objects[name] = sealed[:500_000] + bytes([sealed[500_000] ^ 1]) + sealed[500_001:]
    seen = place.run(
        version,
        "print(open('/data/scans/fine').read())\n"
        "try: open('/data/scans/spoilt', 'rb').read()\n"
        "except OSError as e: print(e.errno)\n",
    )
    *printed, named = seen.log.splitlines()
    assert " ".join(printed).split() == ["fine", "5"]
    assert named == "[fabriek: the input /data/scans is damaged: spoilt]"
    # The reason is kept in plain.
    assert "spoilt" not in seen.state.reason
    assert seen.state.reason.startswith(f"the input /data/scans is damaged ({version.dataset}@1): ")


def test_a_grant_that_ended_closes_the_mount_and_what_the_kernel_held_of_it(
    place: Place,
) -> None:
    version = a_push(place.world, "scans", {"x": BIG})
    handle = place.start(
        version,
        "import time\n"
        "f = open('/data/scans/x', 'rb', buffering=0); f.read(2**20); print('read', flush=True)\n"
        "while True:\n"
        "    try: f.seek(0); f.read(4096)\n"
        "    except OSError as e: print('refused', e.errno, flush=True); break\n"
        "    time.sleep(0.1)\n"
        "try: open('/data/scans/x')\n"
        "except OSError as e: print('refused', e.errno, flush=True)\n",
        job="job_ends",
    )
    place.machine.said(handle, "read")
    place.world.vault.end_job("job_ends")
    seen = place.machine.ended(handle)
    assert seen.log.splitlines() == ["read", "refused 13", "refused 13"]
    assert seen.state.reason == "access to the input /data/scans ended while the job read it"


def test_a_mount_closes_within_a_minute_of_the_end_of_its_agreement(place: Place) -> None:
    """As long as closing takes to come round again, and the node to look: both are counted, neither is waited for."""
    assert CLOSING_SECONDS + LOOK_SECONDS <= 45
    world = place.world
    version = a_push(world, "scans", {"x": BIG}, label="personal")
    today = world.clock.today()
    world.vault.agree(
        "scans", home="lab", project="lab", purposes=["civilian"], right="compute", until=today, by=world.hanna
    )
    handle = place.start(
        version,
        "import time\n"
        "f = open('/data/scans/x', 'rb', buffering=0); f.read(2**20); print('read', flush=True)\n"
        "while True:\n"
        "    try: f.seek(0); f.read(4096)\n"
        "    except OSError as e: print('refused', e.errno, flush=True); break\n"
        "    time.sleep(0.1)\n",
        job="job_expires",
    )
    place.machine.said(handle, "read")
    assert world.vault.close_what_ended() == 0
    world.clock.move(timedelta(days=1))
    assert world.vault.close_what_ended() == 1
    seen = place.machine.ended(handle)
    assert seen.log.splitlines() == ["read", "refused 13"]
    assert seen.state.reason == "access to the input /data/scans ended while the job read it"


def test_a_job_whose_grant_has_ended_before_does_not_start(place: Place) -> None:
    version = a_push(place.world, "scans", {"x": b"x"})
    spec = InputSpec(version.dataset, 1, "grt_nothing", "/data/scans")
    seen = place.run(version, "print('started')", inputs=(spec,))
    assert (seen.state.phase, seen.state.exit_code, seen.log) == (Phase.DONE, None, "")
    assert "no such thing" in seen.state.reason


def test_what_was_read_is_gone_when_the_job_is_over(place: Place) -> None:
    version = a_push(place.world, "scans", {"x": CANARY * 1000})
    seen = place.run(version, "print(len(open('/data/scans/x', 'rb').read()))")
    assert seen.log.strip() == str(len(CANARY) * 1000)
    assert_nothing_left(place.machine)
    place.machine.executor.release(seen.handle)
    assert list(place.machine.scratch.iterdir()) == []


@pytest.mark.parametrize("by", ["mount", "copy"])
def test_what_was_read_is_gone_after_its_supervisor_was_killed(place: Place, by: str) -> None:
    version = a_push(place.world, "scans", {"x": CANARY * 1000})
    handle = place.start(
        version,
        "import time; open('/tmp/kept', 'wb').write(open('/data/scans/x', 'rb').read()); print('read', flush=True); time.sleep(600)",
        inputs_by=by,
    )
    place.machine.said(handle, "read")
    if by == MOUNT:  # whoever is on the node and looks finds nothing there
        assert [list(folder.iterdir()) for folder in place.machine.scratch.glob("*/inputs/0")] == [[]]
    family = processes_of(place.machine)
    os.kill(supervisor_of(place.machine), signal.SIGKILL)
    until(lambda: place.machine.state(handle).phase is Phase.LOST)
    until(lambda: not any(Path(f"/proc/{pid}").exists() and not is_dead(pid) for pid in family))
    place.machine.executor.release(handle)
    assert_nothing_left(place.machine)
    assert list(place.machine.scratch.iterdir()) == []


def test_a_server_that_was_restarted_wipes_what_a_killed_supervisor_left(place: Place) -> None:
    version = a_push(place.world, "scans", {"x": CANARY * 1000})
    handle = place.start(
        version, "import time; print(len(open('/data/scans/x').read()), flush=True); time.sleep(600)", inputs_by="copy"
    )
    place.machine.said(handle, str(len(CANARY) * 1000))
    os.kill(supervisor_of(place.machine), signal.SIGKILL)
    place.machine.executor.close()
    again = Machine(place.machine.home, NODE)
    until(lambda: again.state(handle).phase is Phase.LOST)
    again.executor.release(handle)
    assert_nothing_left(again)
    again.executor.close()


def test_a_job_that_is_stopped_while_it_reads_from_a_silent_server_ends(place: Place) -> None:
    version = a_push(place.world, "scans", {"x": BIG})
    handle = place.start(
        version, "import time; f = open('/data/scans/x', 'rb'); print('open', flush=True); time.sleep(1); f.read()"
    )
    place.machine.said(handle, "open")
    place.world.blobs.objects.clear()
    place.machine.executor.cancel(handle)
    assert place.machine.ended(handle).state.reason.startswith("cancelled")


def assert_nothing_left(machine: Machine) -> None:
    """Neither in the rooms nor anywhere in shared memory, and nothing is mounted."""
    assert [file for top in (machine.home, Path("/dev/shm")) for file in holding(CANARY, top)] == []
    assert str(machine.scratch) not in Path("/proc/mounts").read_text()


def holding(canary: bytes, top: Path) -> Iterator[Path]:
    """Files below a folder; larger ones than any that a test here makes belong to others."""
    for parent, _, names in os.walk(top):
        for file in (Path(parent, name) for name in names):
            try:
                if (
                    file.is_file()
                    and not file.is_symlink()
                    and file.stat().st_size < 2**23
                    and canary in file.read_bytes()
                ):
                    yield file
            except FileNotFoundError:  # of somebody else, who removed it
                continue


def processes_of(machine: Machine) -> list[int]:
    """Every process that speaks of this machine's folders, or descends from one that does."""
    supervisor = supervisor_of(machine)
    family, grew = {supervisor}, True
    while grew:
        children = {pid for pid, parent in parents().items() if parent in family}
        grew = not children <= family
        family |= children
    return sorted(family)


def parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def supervisor_of(machine: Machine) -> int:
    """Whoever holds the lock of the one attempt."""
    (lock,) = machine.jobs.glob("*/lock")
    inode = lock.stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
            return int(words[4])
    raise AssertionError("nobody holds the lock")


def is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
