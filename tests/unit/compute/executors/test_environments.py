"""Environments are built once per list, from wheels alone, and nothing of a package runs outside the sandbox."""

import subprocess
from pathlib import Path

import pytest

from fabriek.compute.executors.environments import Approved, Environments
from fabriek.kernel.errors import InvalidInput
from tests.factories.threads import at_once
from tests.factories.wheels import a_wheel, put_wheel, wheel_name
from tests.servers.upstream import an_upstream


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's index: a folder of wheels, as pip is told of it."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_" + "LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def test_an_environment_is_built_once_and_named_by_what_is_in_it(index: Path, tmp_path: Path) -> None:
    put_wheel(index, "greeter", "1.0", {"greeter.py": "word = 'hello'\n"})
    environments = Environments(tmp_path / "environments")
    built = at_once(lambda _: environments.build(b"greeter\n"), times=2)
    first = built[0]
    assert not isinstance(first, Exception)
    assert built == [first, first]
    said = subprocess.run(
        [first.path, "-c", "import greeter; print(greeter.word)"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "hello\n"
    put_wheel(index, "greeter", "2.0", {"greeter.py": "word = 'goodbye'\n"})
    assert Environments(tmp_path / "environments").build(b"# the same list\ngreeter\n") == first
    assert environments.build(b"greeter>=2\n").hash != first.hash


def test_nothing_of_a_package_runs_while_its_environment_is_built(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    put_wheel(
        index, "evil", "1.0", {"evil.pth": f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n", "evil.py": ""}
    )
    environments = Environments(tmp_path / "environments")
    built = environments.build(b"evil\n")
    environments.build(b"evil\n")
    assert not marker.exists()
    subprocess.run([built.path, "-c", ""], check=True)
    assert marker.exists(), "the package would have run, had its interpreter been started"


def test_a_package_without_a_wheel_is_not_built(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    source = tmp_path / "sourced-1.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(marker)!r}, 'w')\n")
    subprocess.run(["tar", "czf", str(index / "sourced-1.0.tar.gz"), "-C", str(tmp_path), "sourced-1.0"], check=True)
    with pytest.raises(InvalidInput, match="could not be built"):
        Environments(tmp_path / "environments").build(b"sourced\n")
    assert not marker.exists()


def test_a_failed_build_says_pips_last_words_and_leaves_nothing(index: Path, tmp_path: Path) -> None:
    assert index.is_dir()
    with pytest.raises(InvalidInput, match="No matching distribution found for nowhere"):
        Environments(tmp_path / "environments").build(b"nowhere==9\n")
    assert [one.suffix for one in (tmp_path / "environments").iterdir()] == [".lock"]


def test_with_approved_packages_alone_nothing_of_this_machines_configuration_counts(
    index: Path, tmp_path: Path
) -> None:
    put_wheel(index, "greeter", "9.0")
    environments = Environments(tmp_path / "environments")
    with an_upstream({wheel_name(): a_wheel()}) as address:
        approved = Approved(address, "prj_1", (), "http://factory/packages")
        built = environments.build(b"greeter\n", approved)
        with pytest.raises(InvalidInput) as refused:
            environments.build(b"greeter==9.0\n", approved)
    asked = "import greeter, importlib.metadata as m; print(m.version('greeter'))"
    assert subprocess.run([built.path, "-c", asked], capture_output=True, text=True, check=True).stdout == "1.0\n"
    assert subprocess.run([built.path, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    assert refused.value.detail == (
        "greeter==9.0 is not approved for this project: fabriek package request greeter==9.0, "
        "or http://factory/packages?ask=greeter%3D%3D9.0"
    )


def test_an_environment_of_one_project_or_from_before_a_withdrawal_is_not_handed_out(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "environments")
    with an_upstream({wheel_name(): a_wheel()}) as address:
        mine = Approved(address, "prj_1", (), "")
        first = environments.build(b"greeter\n", mine)
        assert environments.build(b"greeter\n", mine) == first
    with an_upstream({}) as address:
        for other in (Approved(address, "prj_2", (), ""), Approved(address, "prj_1", (wheel_name(),), "")):
            with pytest.raises(InvalidInput, match="greeter is not approved for this project"):
                environments.build(b"greeter\n", other)
        assert environments.build(b"greeter\n", Approved(address, "prj_1", (), "")) == first


def test_what_a_package_needs_and_is_not_approved_is_named_with_what_needs_it(tmp_path: Path) -> None:
    raw = a_wheel("greeter", requires=["voice>=2"])
    with an_upstream({wheel_name(): raw}) as address, pytest.raises(InvalidInput) as refused:
        Environments(tmp_path / "environments").build(b"greeter\n", Approved(address, "prj_1", (), "/packages"))
    assert refused.value.fix == "fabriek package request voice==VERSION"
    assert "voice>=2 is not approved for this project, and greeter needs it" in refused.value.detail


def test_the_base_is_the_installation_itself(tmp_path: Path) -> None:
    base = Environments(tmp_path).base()
    assert Environments(tmp_path).base() == base
    assert Path(base.path).exists()
    assert Environments(tmp_path, base.path).base() == base
