"""The command line where only the client is installed."""

import json
import subprocess
import sys

import pytest

from fabriek.schemas.codes import MEANINGS, Code

WITHOUT = """
import sys
for absent in {absent}:
    sys.modules[absent] = None
sys.platform = {platform!r}
from fabriek.cli.main import main
main({arguments})
"""


def told(*arguments: str, absent: tuple[str, ...] = (), platform: str = "linux") -> "subprocess.CompletedProcess[str]":
    code = WITHOUT.format(absent=absent, platform=platform, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["up", "down", "doctor", "migrate", "backup", "restore", "demo"])
def test_a_command_of_the_server_names_what_to_install(command: str) -> None:
    said = told(command, "--json", absent=("sqlalchemy",))
    assert said.returncode == MEANINGS[Code.UNAVAILABLE].exit
    error = json.loads(said.stderr)
    assert error["detail"] == f"fabriek {command} belongs to the server, and sqlalchemy is not installed here"
    assert error["fix"].startswith("pip install 'fabriek[server")


def test_the_demo_names_its_own_packages_too() -> None:
    said = told("demo", absent=("sklearn",))
    assert "sklearn is not installed here" in said.stderr
    assert "pip install 'fabriek[server,demo]'" in said.stderr


def test_elsewhere_than_on_linux_the_server_says_so() -> None:
    said = told("up", platform="darwin")
    assert "runs on Linux only" in said.stderr
    assert said.returncode == MEANINGS[Code.UNAVAILABLE].exit


def test_the_client_needs_nothing_of_the_server() -> None:
    said = told("--help", absent=("sqlalchemy", "fastapi", "uvicorn", "alembic", "starlette", "jinja2"))
    assert said.returncode == 0
    assert "For the operator" in said.stdout


@pytest.mark.parametrize("command", ["push", "pull", "hold", "labels"])
def test_help_about_data_loads_neither_the_wire_nor_the_cryptography(command: str) -> None:
    """Each command about data is loaded with all others: what one of them imports, a push waits for."""
    said = told("data", command, "--help", absent=("pydantic", "httpx", "cryptography", "rich"))
    assert (said.returncode, said.stderr) == (0, "")
    assert f"data {command}" in said.stdout


def test_starting_and_stopping_loads_no_server_into_the_command() -> None:
    """The process that it starts does; whoever types the command waits for one of them."""
    code = "import sys, fabriek.ops.up; sys.exit('sqlalchemy' in sys.modules or 'fabriek.bootstrap' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_command_that_is_none_is_a_usage_error() -> None:
    said = told("nonsense")
    assert said.returncode == 2
    assert "No such command" in said.stderr


@pytest.mark.parametrize(
    "command", [("run", "--mem", "1GiB", "--", "true"), ("session", "start", "jupyter", "--mem", "1")]
)
def test_an_option_that_is_none_never_becomes_a_part_of_the_command(command: tuple[str, ...]) -> None:
    said = told(*command)
    assert said.returncode == 2
    assert "No such option '--mem'" in said.stderr
    assert "--memory" in said.stderr
