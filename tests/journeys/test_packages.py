"""Packages as people meet them: asked for, fetched, approved, and installed by real jobs that have no network."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.waiting import until
from tests.factories.wheels import put_wheel
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(400), pytest.mark.xdist_group("packages")]

TRY = """
import subprocess, sys
for name in sys.argv[1:]:
    done = subprocess.run(["pip", "install", "--quiet", name], capture_output=True, text=True)
    print(name, done.returncode, done.stdout, done.stderr)
import greeter
print("greeter says", greeter.word, "in", greeter.__file__)
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A factory of one person, who may decide alone, with a folder of wheels that they carried in."""
    if reason := why_no_jobs():
        pytest.skip(reason)
    room = tmp_path_factory.mktemp("packages")
    carried, home = room / "carried", room / "home"
    for folder in (carried, home):
        folder.mkdir(mode=0o700)
    put_wheel(carried, "greeter_app", "2.1", {"greeter_app.py": "import greeter\n"}, requires=["greeter>=1"])
    put_wheel(carried, "greeter", "1.0")
    put_wheel(carried, "unwanted", "1.0")
    put_wheel(carried, "demanding", "1.0", requires=["unwanted"])
    (home / "fabriek.toml").write_text(f'packages = "approved"\npackages_folder = "{carried}"\npackages_alone = true\n')
    with quickstarted(home) as running:
        yield running


@pytest.fixture(scope="module")
def approved(factory: Running) -> str:
    """greeter-app and what it needs, asked for and approved; the id of the request."""
    request = json.loads(factory.run("package", "request", "greeter-app==2.1", "--json").stdout)["id"]

    def is_scanned() -> bool:
        return json.loads(factory.run("package", "show", request, "--json").stdout)["state"] == "scanned"

    until(is_scanned)
    done = factory.run("package", "approve", request)
    assert done.returncode == 0, done.stderr
    assert "no vulnerability data was given" in done.stdout
    return request


def test_a_job_without_network_installs_what_is_approved_and_nothing_else(
    factory: Running, approved: str, tmp_path: Path
) -> None:
    (tmp_path / "try.py").write_text(TRY)
    done = factory.run("run", "--", "python", "try.py", "unwanted", "greeter-app", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unwanted 1 " in done.stdout
    assert "fabriek package request unwanted==VERSION" in done.stdout
    assert "greeter-app 0 " in done.stdout
    assert "greeter says hello in /home/job/.local/lib/python3" in done.stdout


def test_an_environment_is_built_from_approved_packages(factory: Running, approved: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("greeter-app==2.1\n")
    (tmp_path / "try.py").write_text(TRY)
    done = factory.run("run", "--requirements", "requirements.txt", "--", "python", "try.py", "unwanted", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unwanted 1 " in done.stdout
    assert "greeter says hello in" in done.stdout
    assert "/environments/" in done.stdout


def test_what_is_not_approved_is_refused_when_it_is_submitted(factory: Running, approved: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "greeter==1.0\nunwanted==1.0\nnowhere>=2\nother ; python_version < '3'\n"
    )
    done = factory.run("run", "--requirements", "requirements.txt", "--", "true", cwd=tmp_path)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "unwanted==1.0, nowhere>=2 are not approved for this project" in done.stderr
    assert "fabriek package request unwanted==1.0; fabriek package request nowhere==VERSION" in done.stderr
    assert "package.approved" in done.stderr


def test_a_withdrawn_version_is_in_no_new_job_though_its_environment_is_there(
    factory: Running, approved: str, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("demanding\n")
    added = factory.run("package", "add", str(factory.home.parent / "carried" / "demanding-1.0-py3-none-any.whl"))
    assert added.returncode == 0, added.stderr
    assert factory.run("package", "approve", added.stdout.split()[0]).returncode == 0
    argv = ("run", "--requirements", "requirements.txt", "--", "true")
    done = factory.run(*argv, cwd=tmp_path)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "unwanted is not approved for this project, and demanding needs it" in said
    assert "fabriek package request unwanted==VERSION" in said
    assert f"{factory.url.replace('localhost', '127.0.0.1')}/packages?ask=unwanted" in said

    (tmp_path / "requirements.txt").write_text("greeter==1.0\n")
    assert factory.run(*argv, cwd=tmp_path).returncode == 0
    gone = factory.run("package", "withdraw", "greeter==1.0", "--reason", "it phones home")
    assert gone.returncode == 0, gone.stderr
    again = factory.run(*argv, cwd=tmp_path)
    assert again.returncode == 5
    assert "greeter==1.0 is not approved" in again.stderr
