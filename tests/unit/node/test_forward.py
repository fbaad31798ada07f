"""The program within the walls, run outside of them: it keeps the exit code and gives the lab time to come back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from fabriek.node.forwarder import copy_forward


def forward(path: Path, *argv: str, limits: str = "-", python: str = sys.executable) -> tuple[int, str, bytes]:
    """Exit code, output, and what came on the status descriptor. python: the job's interpreter, for which it is laid ready."""
    status, theirs = os.pipe()
    words = [
        sys.executable,
        "-I",
        "-S",
        str(copy_forward(python, path)),
        "0",
        str(path / "lab.sock"),
        f"0:{path}",
        limits,
        str(theirs),
        "--",
        *argv,
    ]
    with subprocess.Popen(
        words, pass_fds=[theirs], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        os.close(theirs)
        said, _ = process.communicate()
    with os.fdopen(status, "rb") as heard:
        return process.returncode, said, heard.read()


def test_exit_codes_are_the_commands(tmp_path: Path) -> None:
    assert forward(tmp_path, "sh", "-c", "echo word; exit 7") == (7, "word\n", b"1")
    assert forward(tmp_path, "sh", "-c", "kill -KILL $$")[0] == 128 + signal.SIGKILL
    assert forward(tmp_path, "not-a-command")[0] == 127
    assert forward(tmp_path, str(tmp_path))[:2] == (127, f"{tmp_path}: Permission denied\n")


def test_the_command_has_none_of_our_descriptors(tmp_path: Path) -> None:
    code, said, _ = forward(tmp_path, "sh", "-c", "ls /proc/self/fd | wc -l")
    assert (code, int(said)) == (0, 4)  # three, and the one with which ls reads the folder


def test_limits_hold_for_the_command(tmp_path: Path) -> None:
    assert forward(tmp_path, "sh", "-c", "ulimit -n", limits="nofile=77,core=0")[:2] == (0, "77\n")


def test_an_interpreter_that_is_not_like_ours_reads_the_source(tmp_path: Path) -> None:
    assert forward(tmp_path, "sh", "-c", "exit 7", python="/opt/other/bin/python")[0] == 7
    assert copy_forward("/opt/other/bin/python", tmp_path).read_bytes().startswith(b'"""')
    assert copy_forward(sys.executable, tmp_path).suffix == ".pyc"
