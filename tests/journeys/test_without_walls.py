"""The demo on a machine that allows no user namespaces, as a stock Ubuntu 24.04: made by taking them away from this one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.factory import clean_environment

NONE = "echo 0 > /proc/sys/user/max_user_namespaces && exec "
INSIDE = ["unshare", "--user", "--map-root-user", "bash", "-c"]


def without_namespaces(*arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    command = f"{sys.executable} -m fabriek.cli {' '.join(arguments)}"
    argv = [*INSIDE, NONE + command]
    return subprocess.run(argv, env=clean_environment(home), capture_output=True, text=True, check=False, timeout=200)


@pytest.fixture(scope="module", autouse=True)
def _namespaces_can_be_taken_away() -> None:
    tried = subprocess.run([*INSIDE, NONE + "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"user namespaces cannot be taken away here: {tried.stderr.strip()}")


def test_doctor_names_the_one_command_that_allows_them(tmp_path: Path) -> None:
    said = without_namespaces("doctor", "--home", str(tmp_path / "home"), home=tmp_path / "home")
    assert "no user namespace is allowed" in said.stdout
    assert "fix: sudo sysctl user.max_user_namespaces=" in said.stdout


def test_the_demo_runs_on_open_data_and_says_what_was_left_out(tmp_path: Path) -> None:
    said = without_namespaces("demo", "--no-stay", "--home", str(tmp_path / "demo"), home=tmp_path / "demo")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "biopsies@1, labelled open" in said.stdout
    assert "left out here: the sandbox" in said.stdout
    assert "sudo sysctl user.max_user_namespaces=" in said.stdout
