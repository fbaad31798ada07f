"""Jobs that mean harm: each is ended or bounded, nothing of it stays, and the machine goes on."""

import os
import re
from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Phase
from fabriek.schemas.node import InputSpec, OutputSpec
from tests.factories.waiting import until
from tests.servers.machine import Machine
from tests.servers.processes import processes_saying

pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).parents[4]
SMALL = 128 << 20

FORK_FOR_EVER = """
import os, time
mark = "78.4471"
while True:
    try:
        if os.fork() == 0:
            continue
    except OSError:
        time.sleep(0.01)
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        os.execvp("sleep", ["sleep", "79.5312"])
    os._exit(0)
os.wait()
"""
FILL = """
import os, sys
os.chdir(sys.argv[1])
try:
    for number in range(100):
        with open(f"part{number}", "wb") as out:
            for _ in range(16):
                out.write(bytes(1 << 20))
except OSError as error:
    print("stopped:", error.errno)
"""
EMPTY_FILES = """
import os
os.chdir("/run/job")
try:
    for number in range(10_000_000):
        open(str(number), "w").close()
except OSError as error:
    print("stopped:", error.errno)
"""
REACH_OUT = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def tried(name, result):
    if result >= 0:
        print("did", name)
server = int(sys.argv[1])
ids = [server, *map(int, sys.argv[2].split(","))]
for pid in ids:
    for what, number in (("attach", 16), ("seize", 0x4206)):
        tried(f"{what} {pid}", libc.ptrace(number, pid, 0, 0))
    for name in ("environ", "cwd", "mem", "fd", "root"):
        try:
            os.readlink(f"/proc/{pid}/{name}") if name in ("cwd", "root") else open(f"/proc/{pid}/{name}", "rb").read(1)
            print("read", pid, name)
        except OSError:
            pass
    try:
        os.kill(pid, 0)
        print("may signal", pid)
    except OSError:
        pass
for path in sys.argv[3:]:
    # Never made: below the job's own /tmp it may make what it likes, and that is none of ours.
    for how, flags in (("read", os.O_RDONLY), ("wrote", os.O_WRONLY | os.O_APPEND)):
        try:
            opened = os.open(path, flags)
            os.read(opened, 1) if how == "read" else os.write(opened, b"h")
            print(how, path)
        except OSError:
            pass
"""
DEVICES = """
import os, stat
for kind in (stat.S_IFBLK, stat.S_IFCHR):
    for place in ("/output/disk", "/home/job/disk", "/tmp/disk", "/dev/shm/disk"):
        try:
            os.mknod(place, kind | 0o666, os.makedev(1, 1))
            open(place, "rb").read(1)
            print("opened", place)
        except OSError:
            pass
for one in ("/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/kvm", "/dev/loop0", "/dev/sda", "/dev/net/tun", "/dev/userfaultfd", "/dev/vhost-net"):
    if os.path.exists(one):
        print("there is", one)
"""
KERNEL = (
    "/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/sys/vm/drop_caches", "/proc/1/mem", "/proc/acpi/wakeup", "/proc/timer_list",
    "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/sys/kernel/debug/x", "/sys/class/net/eth0/address",
)  # fmt: skip


def test_forks_without_end_stay_within_the_bound_until_time_is_over(machine: Machine) -> None:
    seen = machine.python(FORK_FOR_EVER, processes_max=32, wall_seconds_max=2, grace_seconds=1)
    assert "time limit" in seen.state.reason
    assert processes_saying("78.4471") == []
    assert machine.run("true").state.exit_code == 0


def test_a_daemon_ends_with_the_command_that_left_it(machine: Machine) -> None:
    seen = machine.python(DAEMON, wall_seconds_max=60)
    assert (seen.state.exit_code, seen.state.reason) == (0, "")
    assert processes_saying("79.5312") == []


@pytest.mark.parametrize("folder", ["/tmp", "/output", "/home/job", "/dev/shm", "/run/job"])  # inside the walls
def test_a_job_that_fills_a_folder_gets_no_more_than_its_memory(machine: Machine, folder: str) -> None:
    seen = machine.run("python", "-c", FILL, folder, memory_bytes=SMALL)
    assert "memory limit" in seen.state.reason or "stopped: 28" in seen.log
    assert seen.state.memory_bytes_peak <= SMALL
    machine.executor.release(seen.handle)
    assert not (machine.scratch / f"{seen.handle.job}-1").exists()


def test_files_without_content_are_bounded_too(machine: Machine) -> None:
    seen = machine.python(EMPTY_FILES, memory_bytes=SMALL, wall_seconds_max=100)
    assert "memory limit" in seen.state.reason or "stopped: 28" in seen.log
    machine.executor.release(seen.handle)


def test_a_line_of_a_hundred_megabytes_costs_nobody_its_length(machine: Machine) -> None:
    code = "import sys\nfor _ in range(1600): sys.stdout.write('x' * 65536)\nsys.stdout.flush()\nopen('done', 'w')\nimport time; time.sleep(81.2264)"
    handle = machine.start("python", "-c", code, log_bytes_max=1 << 20)
    until(lambda: len(machine.log(handle)) == 1 << 20)
    until((machine.scratch / f"{handle.job}-1" / "work" / "done").exists)
    supervisor = _supervisor_of("81.2264")
    machine.executor.cancel(handle)
    seen = machine.ended(handle)
    assert supervisor < 150 << 20
    assert seen.state.log_bytes_dropped == 1600 * 65536 - (1 << 20)
    assert len(seen.log) < (1 << 20) + 200


def test_a_job_neither_sees_nor_touches_the_processes_of_others(machine: Machine) -> None:
    other = machine.start("sh", "-c", "echo ready; sleep 82.7713")
    machine.said(other, "ready")
    others = ",".join(map(str, processes_saying("82.7713")))
    seen = machine.run("python", "-c", REACH_OUT, str(os.getpid()), others)
    machine.executor.cancel(other)
    assert (seen.state.exit_code, seen.log) == (0, "")


def test_a_job_reaches_nothing_of_the_kernel_or_the_server(machine: Machine) -> None:
    ours = [
        str(machine.jobs),
        str(machine.home / "lab" / "x"),
        str(ROOT / "pyproject.toml"),
        "/run/fabriek/../../etc/shadow",
    ]
    seen = machine.run("python", "-c", REACH_OUT, "999999", "999998", *KERNEL, *ours)
    assert (seen.state.exit_code, seen.log) == (0, "")


def test_a_job_changes_no_switch_of_the_kernel(machine: Machine) -> None:
    switches = (
        "find /proc/sys /proc/irq /proc/bus /proc/fs /proc/scsi /proc/1 -maxdepth 3 -writable -type f 2>/dev/null"
    )
    seen = machine.run(
        "sh", "-c", f"for one in $({switches}); do (echo 1 > $one) 2>/dev/null && echo changed $one; done; true"
    )
    # Those of messages, semaphores and shared memory are of its own namespace, and end with it.
    own = re.compile(r"changed /proc/(1/|sys/fs/mqueue/|sys/kernel/(msg|sem|shm|auto_msgmni))")
    assert [line for line in seen.log.splitlines() if not own.match(line)] == []


def test_the_first_process_within_the_walls_holds_nothing_worth_reading(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "cat /proc/1/environ; cat /proc/1/cmdline", node_token="canary-node")
    assert seen.state.exit_code == 0
    assert "canary" not in seen.log


def test_a_job_has_no_devices_but_the_harmless(machine: Machine) -> None:
    assert machine.python(DEVICES).log == ""


def test_a_hard_link_brings_nothing_into_the_output(machine: Machine, tmp_path: Path) -> None:
    code = """
import os
for source in ("/etc/passwd", "/usr/bin/env", "/data/rows", "/run/forward.py", "/run/fabriek/lab.sock"):
    try:
        os.link(source, "/output/" + source.replace("/", "_"))
        print("linked", source)
    except OSError:
        pass
"""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "rows").write_text("1")
    inputs = (InputSpec("rows", 1, str(tmp_path / "in"), "/data"),)
    assert machine.python(code, inputs=inputs, output=OutputSpec(str(tmp_path / "out"))).log == ""


@pytest.mark.parametrize(
    "code",
    [
        "open('/output/hole', 'wb').truncate(1 << 40)",
        "import os\nopen('/output/a', 'wb').write(bytes(16 << 20))\nfor n in range(100): os.link('/output/a', f'/output/{n}')",
        "for n in range(1000): open(f'/output/{n}', 'wb').truncate(100 << 20)",
    ],
    ids=["a hole of a terabyte", "one file under a hundred names", "a thousand holes"],
)
def test_results_that_are_larger_than_the_job_could_hold_are_not_sealed(
    machine: Machine, tmp_path: Path, code: str
) -> None:
    seen = machine.python(code, output=OutputSpec(str(tmp_path / "out")))
    assert (seen.state.phase, seen.state.output) == (Phase.DONE, "")
    assert "the results could not be sealed" in seen.state.reason or seen.state.exit_code != 0
    assert not (tmp_path / "out").exists()


def test_sockets_pipes_and_closed_folders_leave_nothing_in_the_results(machine: Machine, tmp_path: Path) -> None:
    code = """
import os, socket
os.mkfifo("/output/pipe")
socket.socket(socket.AF_UNIX).bind("/output/socket")
os.makedirs("/output/shut/inner")
open("/output/shut/inner/kept", "w").write("x")
os.chmod("/output/shut/inner/kept", 0)
os.chmod("/output/shut", 0)
"""
    machine.python(code, output=OutputSpec(str(tmp_path / "out")))
    left = sorted(str(one.relative_to(tmp_path / "out")) for one in (tmp_path / "out").rglob("*"))
    assert left == ["shut", "shut/inner", "shut/inner/kept"]


def _supervisor_of(mark: str) -> int:
    """The most memory, in bytes, that the supervisor above a process has held."""
    pid = processes_saying(mark)[0]
    while b"node_twin" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024
