"""A job in an image, behind the walls of any job: what it sees, what it reaches, and what an image that means harm comes to."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fabriek.schemas.node import ImageSpec, InputSpec, OutputSpec, Phase
from tests.factories.images import COMMANDS, a_root, a_sif, a_squashfs, why_no_images
from tests.factories.waiting import until
from tests.servers.machine import Machine
from tests.unit.compute.executors.test_lab import a_lab

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(120)]

SYSTEM_PYTHON = "/usr/bin/python3"
ROOT = Path(__file__).parents[4]
AS_NOBODY = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from fabriek.schemas.node import ImageSpec
from tests.servers.machine import TWIN, a_machine
with a_machine((*TWIN, "rlimits")) as machine:
    well = machine.run("sh", "-c", "cat /etc/image; ls / | grep -c usr; id -u", image=ImageSpec(sys.argv[2]))
    bomb = machine.run("true", image=ImageSpec(sys.argv[3]), memory_bytes=64 << 20)
    machine.executor.release(well.handle)
    machine.executor.release(bomb.handle)
    left = list(machine.scratch.glob("job_*"))
    print(json.dumps([well.state.reason + well.log, bomb.state.reason, len(left)]))
"""


@pytest.fixture(scope="module", autouse=True)
def _images() -> None:
    if reason := why_no_images():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ImageSpec:
    """A system of busybox, in a SIF file on the machine."""
    folder = tmp_path_factory.mktemp("tiny")
    data = a_squashfs(a_root(folder / "root"), folder / "root.squashfs").read_bytes()
    (folder / "tiny.sif").write_bytes(a_sif(data))
    return ImageSpec(str(folder / "tiny.sif"))


def built(folder: Path, *pseudo: str, files: dict[str, str | bytes] | None = None, links: dict[str, str] | None = None) -> ImageSpec:  # fmt: skip
    return ImageSpec(
        str(a_squashfs(a_root(folder / "root", files or {}, links or {}), folder / "image.squashfs", *pseudo))
    )


def test_a_job_sees_the_files_of_its_image_in_place_of_the_machines(machine: Machine, tiny: ImageSpec) -> None:
    seen = machine.run(
        "sh", "-c", "cat /etc/image; ls /bin | grep -c .; ls -d /usr /lib /opt 2>/dev/null; true", image=tiny
    )
    assert (seen.state.exit_code, seen.log) == (0, f"tiny\n{len(COMMANDS) + 1}\n"), seen.state


def test_the_state_of_a_job_names_its_image_by_hash(machine: Machine, tiny: ImageSpec) -> None:
    seen = machine.run("true", image=tiny)
    assert seen.state.image_hash == hashlib.sha256(Path(tiny.file).read_bytes()).hexdigest()
    assert machine.run("true").state.image_hash == ""


def test_an_image_of_the_vault_is_opened_by_its_grant(machine: Machine, tiny: ImageSpec) -> None:
    file = Path(tiny.file)
    assert machine.run("cat", "/etc/image", image=ImageSpec(file.name, str(file.parent))).log == "tiny\n"


def test_inputs_and_results_go_their_ways(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells/a.txt").write_text("a cell\n")
    (tmp_path / "out").mkdir()
    image = built(tmp_path, links={"data": "/etc", "output": "/nowhere", "home": "etc"})
    inputs = (InputSpec("cells", 1, str(tmp_path / "cells"), "/data/cells"),)
    seen = machine.run(
        "sh", "-c", "cat /data/cells/* > $FABRIEK_OUTPUT/copy; touch ~/here && ls ~", image=image, inputs=inputs,
        output=OutputSpec(str(tmp_path / "out")),
    )  # fmt: skip
    assert (seen.state.reason, seen.log) == ("", "here\n")
    assert (tmp_path / "out/copy").read_text() == "a cell\n"


def test_a_job_cannot_change_its_image_nor_what_lies_beside_it(machine: Machine, tiny: ImageSpec) -> None:
    places = "/bin /etc /usr / /run /run/host /run/host/usr /run/fabriek /dev"
    seen = machine.run("sh", "-c", f"for one in {places}; do touch $one/x 2>/dev/null && echo $one; done; true", image=tiny)  # fmt: skip
    assert (seen.state.exit_code, seen.log) == (0, "")


def test_it_reaches_the_lab_and_no_other_network(machine: Machine, tiny: ImageSpec) -> None:
    with a_lab(machine.lab / "lab.sock"):
        seen = machine.run("sh", "-c", "echo hello | nc 127.0.0.1 5000; ls /sys/class/net; grep -c : /proc/net/dev", image=tiny)  # fmt: skip
    assert seen.log.startswith("HELLO\n")
    assert seen.log.rstrip().endswith("1"), seen.log


def test_every_process_of_it_is_filtered_and_has_no_right(machine: Machine, tiny: ImageSpec) -> None:
    asked = "grep -h -E '^(Seccomp|CapEff|NoNewPrivs):' /proc/[0-9]*/status | sort -u; id -u"
    assert machine.run("sh", "-c", asked, image=tiny).log.split() == [
        "CapEff:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:", "2", "1000",
    ]  # fmt: skip


def test_what_only_root_may_make_is_left_out_of_an_image(machine: Machine, tmp_path: Path) -> None:
    devices = ("mem c 666 0 0 1 1", "disk b 666 0 0 8 0")
    image = built(tmp_path, *devices, "bin/su f 4755 0 0 cat /bin/busybox")
    seen = machine.run("sh", "-c", "ls -d /mem /disk 2>/dev/null; stat -c %a /bin/su", image=image)
    assert (seen.state.reason, seen.log.split()) == ("", ["755"])


def test_the_images_own_variables_are_set_and_slurms_commands_stay_first(machine: Machine, tmp_path: Path) -> None:
    script = 'export PATH="/opt/conda/bin:$PATH" MODEL="${MODEL:-of the image}" DATA="${DATA:-of the image}"\n'
    image = built(tmp_path, files={".singularity.d/env/10-docker.sh": script})
    seen = machine.run("sh", "-c", 'echo "$PATH|$MODEL|$DATA"', image=image, environment={"DATA": "of the asker"})
    path, model, data = seen.log.strip().split("|")
    assert path.startswith("/run/slurm:/opt/conda/bin:")
    assert (model, data) == ("of the image", "of the asker")


def test_a_job_in_an_image_hears_that_it_must_stop(machine: Machine, tiny: ImageSpec) -> None:
    script = "trap 'echo saved; exit 3' TERM; echo ready; while true; do sleep 0.1; done"
    handle = machine.start("sh", "-c", script, image=tiny)
    machine.said(handle, "ready")
    machine.executor.cancel(handle)
    seen = machine.ended(handle)
    assert ("saved" in seen.log.splitlines(), seen.state.exit_code, seen.state.reason) == (True, 3, "cancelled")


def test_members_of_a_gang_are_all_in_the_image(machine: Machine, tiny: ImageSpec) -> None:
    seen = machine.run("cat", "/etc/image", image=tiny, nodes=2)
    assert (seen.state.exit_code, seen.log.count("tiny")) == (0, 2)


def test_nothing_of_an_image_stays_when_the_job_is_over(machine: Machine, tiny: ImageSpec) -> None:
    handle = machine.run("true", image=tiny).handle
    assert list(machine.scratch.glob(f"{handle.job}-*"))
    until(lambda: not list(machine.scratch.glob(f"{handle.job}-*/image")))


def test_an_image_that_unpacks_to_more_than_the_jobs_memory_is_stopped(machine: Machine, tmp_path: Path) -> None:
    image = built(tmp_path, files={"zeros": b"a" * (300 << 20)})
    assert Path(image.file).stat().st_size < 8 << 20
    seen = machine.run("true", image=image, memory_bytes=96 << 20)
    assert (seen.state.phase, seen.state.exit_code, seen.state.started_at) == (Phase.DONE, None, None)
    assert "more than the job's 96.0 MiB of memory: ask for more with --memory" in seen.state.reason


def test_an_image_that_is_itself_larger_than_the_jobs_memory_is_refused(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(33 << 20))
    seen = machine.run("true", image=ImageSpec(str(tmp_path / "large")), memory_bytes=32 << 20)
    assert "the image has 33.0 MiB, and the job 32.0 MiB of memory" in seen.state.reason


def test_what_is_no_image_or_a_broken_one_runs_nothing(machine: Machine, tiny: ImageSpec, tmp_path: Path) -> None:
    content = Path(tiny.file).read_bytes()
    broken = bytearray(content)
    broken[-6_000:] = os.urandom(6_000)
    for name, what, says in (
        ("text", b"#!/bin/sh\necho hello\n", "neither a SIF file nor a squashfs"),
        ("cut", content[:-5_000], "damaged or cut short"),
        ("broken", bytes(broken), "could not be unpacked"),
    ):
        (tmp_path / name).write_bytes(what)
        seen = machine.run("echo", "ran", image=ImageSpec(str(tmp_path / name)))
        assert (seen.state.started_at, seen.log) == (None, "")
        assert says in seen.state.reason


def test_an_image_that_the_machine_has_no_more_is_named(machine: Machine) -> None:
    seen = machine.run("true", image=ImageSpec("/nowhere/torch.sif"))
    assert "/nowhere/torch.sif cannot be read: No such file or directory" in seen.state.reason


def test_no_job_in_an_image_runs_without_walls(machine: Machine, tiny: ImageSpec) -> None:
    seen = machine.run("echo", "ran", image=tiny, unsandboxed=True)
    assert ("an image needs them" in seen.state.reason, seen.log) == (True, "")


@pytest.mark.skipif(os.getuid() != 0, reason="every other test here runs as an ordinary user already")
@pytest.mark.skipif(not Path(SYSTEM_PYTHON).exists(), reason="an ordinary user needs a Python that he can reach")
def test_an_ordinary_user_without_control_groups_has_the_same(tiny: ImageSpec, tmp_path: Path) -> None:
    bomb = built(tmp_path, files={"zeros": b"a" * (300 << 20)})
    paths = [str(ROOT), *(path for path in sys.path if path.startswith(str(ROOT)))]
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with tempfile.TemporaryDirectory() as reached:
        Path(reached).chmod(0o755)
        images = [shutil.copy(one.file, Path(reached, name)) for name, one in (("tiny", tiny), ("bomb", bomb))]
        argv = [*become, SYSTEM_PYTHON, "-B", "-c", AS_NOBODY, json.dumps(paths), *images]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/", env={"PATH": os.defpath})
    assert done.returncode == 0, done.stderr
    well, bombed, left = json.loads(done.stdout)
    assert well == "tiny\n0\n1000\n"
    assert "with --memory" in bombed
    assert left == 0
