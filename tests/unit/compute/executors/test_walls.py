"""What a job can reach, and what it cannot: each way out is tried by a real job in a real sandbox."""

import json
import os
import socket
from pathlib import Path

import pytest

from fabriek.schemas.node import InputSpec, OutputSpec
from tests.servers.machine import Machine

pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).parents[4]

TRY_TO_READ = """
import json, os, sys
found = []
for path in json.loads(sys.argv[1]):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read(1)
        found.append(path)
    except OSError:
        pass
print(json.dumps(found))
"""
TRY_TO_WRITE = """
import json, os, sys
written = []
for path in json.loads(sys.argv[1]):
    try:
        open(path, "a").write("x")
        written.append(path)
    except OSError:
        pass
print(json.dumps(written))
"""
TRY_TO_CONNECT = """
import socket, sys
for family, address in (
    (socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))),
    (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET6, ("::1", int(sys.argv[1]))),
    (socket.AF_UNIX, chr(0) + sys.argv[2]),
):
    try:
        with socket.socket(family) as s:
            s.settimeout(5)
            s.connect(address)
        print("reached", address)
    except OSError as error:
        print("refused")
"""
WHO = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "uid": os.getuid(), "groups": os.getgroups(), "caps": int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapAmb"], 16),
    "new": status["NoNewPrivs"].strip(), "pids": [p for p in os.listdir("/proc") if p.isdigit()], "cwd": os.getcwd(),
    "variables": dict(os.environ),
}))
"""


def an_input(folder: Path, mount: str = "/data", dataset: str = "biopsies") -> InputSpec:
    folder.mkdir()
    (folder / "rows.csv").write_text("1,2\n")
    return InputSpec(dataset, 3, str(folder), mount)


def test_a_job_reads_its_inputs_and_its_code(machine: Machine, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text(
        "import os\nprint(open('/data/rows.csv').read(), os.environ['FABRIEK_DATA_BIOPSIES'])"
    )
    code_spec = InputSpec("code", 1, str(code), "/work")
    seen = machine.run("python", "train.py", inputs=(an_input(tmp_path / "in"),), code=code_spec)
    assert (seen.state.exit_code, seen.log) == (0, "1,2\n /data\n")


def test_a_job_cannot_read_the_servers_files_or_another_jobs(machine: Machine) -> None:
    other = machine.start("sh", "-c", "echo secret > mine; echo ready; sleep 600")
    machine.said(other, "ready")
    rooms = [
        str(machine.jobs),
        str(machine.scratch),
        str(machine.home),
        str(machine.scratch / f"{other.job}-1" / "work"),
    ]
    paths = [
        *rooms,
        str(ROOT / "pyproject.toml"),
        "/etc/shadow",
        "/etc/hostname",
        "/sys",
        "/mnt",
        "/var",
        "/proc/1/cwd/../../mnt",
    ]
    seen = machine.python(f"import sys; sys.argv.append({json.dumps(json.dumps(paths))})\n{TRY_TO_READ}")
    machine.executor.cancel(other)
    assert json.loads(seen.log) == []


def test_a_job_writes_into_its_own_folders_only(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    inputs = (an_input(folder),)
    denied = [
        "/data/rows.csv",
        "/data/new",
        "/usr/x",
        "/etc/passwd",
        "/x",
        "/run/fabriek/x",
        "/dev/x",
        "/run/forward.pyc",
    ]
    allowed = ["/home/job/x", "/output/x", "/tmp/x", "/dev/shm/x"]
    code = f"import sys; sys.argv.append({json.dumps(json.dumps(denied + allowed))})\n{TRY_TO_WRITE}"
    seen = machine.python(code, inputs=inputs)
    assert json.loads(seen.log) == allowed
    assert (folder / "rows.csv").read_text() == "1,2\n"


def test_a_job_has_no_network(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here, socket.socket(socket.AF_UNIX) as abstract:
        name = f"fabriek-{os.getpid()}"
        abstract.bind("\0" + name)
        abstract.listen()
        port = here.getsockname()[1]
        seen = machine.python(f"import sys; sys.argv += ['{port}', '{name}']\n{TRY_TO_CONNECT}")
    assert seen.log.split() == ["refused"] * 4


def test_a_job_is_a_plain_user_alone_in_its_namespace(machine: Machine) -> None:
    seen = machine.python(WHO)
    who = json.loads(seen.log)
    assert (who["uid"], who["caps"], who["new"], who["cwd"]) == (1000, 0, "1", "/home/job")
    assert len(who["pids"]) <= 4
    assert "token-of-the-node" not in seen.log


def test_nothing_of_the_servers_environment_reaches_a_job(machine: Machine) -> None:
    variables = json.loads(machine.python(WHO, environment={"SEED": "7"}).log)["variables"]
    assert variables.pop("SEED") == "7"
    assert set(variables) == {
        "PATH", "HOME", "LANG", "TMPDIR", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "FABRIEK_JOB_ID", "FABRIEK_OUTPUT", "FABRIEK_DOOR",
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PWD", "LC_CTYPE",
    } - ({"LC_CTYPE"} - set(variables))  # fmt: skip


@pytest.mark.skipif(os.getuid() != 0, reason="jobs have a uid of their own only where the server runs as root")
def test_each_job_has_a_real_uid_of_its_own(machine: Machine) -> None:
    both = [machine.start("sh", "-c", "echo ready; sleep 600") for _ in range(2)]
    for one in both:
        machine.said(one, "ready")
    uids = [(machine.scratch / f"{one.job}-1" / "work").stat().st_uid for one in both]
    for one in both:
        machine.executor.cancel(one)
    assert len(set(uids)) == 2
    assert all(uid >= 200_000 for uid in uids)


def test_a_job_cannot_make_namespaces_of_its_own(machine: Machine) -> None:
    assert machine.run("unshare", "--user", "--map-root-user", "true").state.exit_code != 0


@pytest.mark.parametrize(
    "variable",
    [
        "LD_PRELOAD",
        "ld_preload",
        "LD_LIBRARY_PATH",
        "BASH_ENV",
        "PYTHONHOME",
        "SLURM_JOB_ID",
        "SPANK_X",
        "FABRIEK_JOB_ID",
        "A\0--bind",
        "A=B",
        "",
    ],
)
def test_a_variable_that_reaches_under_the_sandbox_is_refused(machine: Machine, variable: str) -> None:
    seen = machine.run("true", environment={variable: "x"})
    assert seen.state.exit_code is None
    assert seen.state.started_at is None
    assert "variable" in seen.state.reason


@pytest.mark.parametrize(
    "changes",
    [{"argv": ("true", "x\0--bind\0/\0/host")}, {"environment": {"A": "x\0--setenv"}}, {"inputs": "/data\0--bind"}],
    ids=["argv", "variable", "mount"],
)
def test_a_nul_byte_does_not_become_an_option_of_the_sandbox(
    machine: Machine, tmp_path: Path, changes: dict[str, object]
) -> None:
    if "inputs" in changes:
        changes = {"inputs": (an_input(tmp_path / "in", str(changes["inputs"])),)}
    seen = machine.run("true", **changes)
    assert (seen.state.exit_code, seen.state.started_at) == (None, None)


@pytest.mark.parametrize(
    "mount",
    ["/", "/usr/lib/x", "/etc", "/data/../etc", "data", "/output", "/home/job/x", "/home", "/run/fabriek", "//data"],
)
def test_an_input_cannot_take_a_place_that_is_the_sandboxs(machine: Machine, tmp_path: Path, mount: str) -> None:
    seen = machine.run("true", inputs=(an_input(tmp_path / "in", mount),))
    assert (seen.state.exit_code, seen.state.started_at) == (None, None)
    assert "cannot hold an input" in seen.state.reason


def test_an_input_that_may_not_be_opened_keeps_the_job_from_starting(machine: Machine, tmp_path: Path) -> None:
    seen = machine.run("true", inputs=(InputSpec("biopsies", 3, str(tmp_path / "ended"), "/data"),))
    assert (seen.state.exit_code, seen.state.reason) == (None, "this grant has ended")


def test_links_that_lead_out_of_the_output_are_not_followed(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "servers").write_text("secret")
    code = f"""
import os
os.makedirs("/output/deep")
open("/output/deep/model", "w").write("weights")
os.symlink("model", "/output/deep/latest")
os.symlink("deep", "/output/also")
outside = "{tmp_path / "servers"}"
for name, target in (("a", outside), ("b", "../../../../../../etc/shadow"), ("c", "/etc"), ("d", "b"), ("e", "e"), ("deep/f", "../..")):
    os.symlink(target, "/output/" + name)
os.mkfifo("/output/pipe")
"""
    seen = machine.python(code, output=OutputSpec(str(tmp_path / "out")))
    assert (seen.state.exit_code, seen.state.output) == (0, "ver_of_output")
    left = sorted(str(one.relative_to(tmp_path / "out")) for one in (tmp_path / "out").rglob("*"))
    assert left == ["also", "deep", "deep/latest", "deep/model"]


def test_tokens_stay_off_the_disk(machine: Machine) -> None:
    handle = machine.start(
        "sh", "-c", "echo ready; sleep 600", node_token="canary-node", environment={"TOKEN": "canary-lab"}
    )
    machine.said(handle, "ready")
    kept = b"".join(file.read_bytes() for file in machine.jobs.rglob("*") if file.is_file())
    commands = b"".join(_read(one / "cmdline") for one in Path("/proc").iterdir() if one.name.isdigit())
    machine.executor.cancel(handle)
    assert b"canary" not in kept
    assert b"canary" not in commands


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
