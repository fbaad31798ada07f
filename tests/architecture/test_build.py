"""What the build takes from npm: one pinned package or none, and never another."""

import hashlib
import importlib.util
import io
import shutil
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

HOOK = Path(__file__).parents[2] / "hatch_build.py"


@pytest.fixture
def hook() -> ModuleType:
    if not HOOK.exists():
        pytest.skip("the build's hook is not beside the tests")
    pytest.importorskip("hatchling", reason="hatchling is not installed: the build's hook was not looked at")
    spec = importlib.util.spec_from_file_location("hatch_build", HOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def an_npm(folder: Path, script: str) -> str:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    return str(npm)


def a_package(folder: Path) -> Path:
    packed = folder / "other.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        for name in ("package/dist/tus.min.js", "package/LICENSE"):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"other"))
    return packed


def test_without_npm_or_a_network_it_says_so_and_takes_nothing(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert hook._fetch(assets) == "npm is not installed"
    npm = an_npm(tmp_path, "exit 1")
    monkeypatch.setattr(shutil, "which", lambda _: npm)
    assert hook._fetch(assets).startswith("npm did not give tus-js-client")
    assert list(assets.iterdir()) == []


def test_a_package_that_is_not_the_pinned_one_stops_the_build(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets, packed = tmp_path / "assets", a_package(tmp_path)
    assets.mkdir()
    npm = an_npm(tmp_path, f"cp {packed} .")
    monkeypatch.setattr(shutil, "which", lambda _: npm)
    with pytest.raises(RuntimeError, match="is not the one"):
        hook._fetch(assets)
    assert list(assets.iterdir()) == []


@pytest.mark.parametrize("left", ["nothing", "another one", "one of the two", "half of it"])
def test_what_an_earlier_build_left_is_looked_at_and_not_believed(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    """Without npm the files stay out of the package, whatever lies there."""
    assets = tmp_path / "src" / "fabriek" / "portal" / "assets"
    assets.mkdir(parents=True)
    bodies = {name: f"the pinned {name}".encode() for name in hook.WANTED.values()}
    monkeypatch.setattr(hook, "SHA256", {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()})
    monkeypatch.setattr(shutil, "which", lambda _: None)

    def built() -> list[str]:
        data: dict[str, list[str]] = {"artifacts": []}
        hook.Fetched(str(tmp_path), {}, None, None, "", "").initialize("standard", data)
        return data["artifacts"]

    (assets / "tus.version").write_text(hook.VERSION)
    for name, body in bodies.items():
        (assets / name).write_bytes(body)
    assert built() == [f"src/fabriek/portal/assets/{name}" for name in bodies]
    assert capsys.readouterr().err == ""
    for name, body in bodies.items():
        match left:
            case "nothing":
                (assets / name).unlink()
            case "another one":
                (assets / name).write_bytes(b"another one")
            case "half of it":
                (assets / name).write_bytes(body[:-5])
    if left == "one of the two":
        (assets / "tus.license.txt").unlink()
    assert built() == []
    assert "built without uploads" in capsys.readouterr().err


def test_the_files_that_lie_here_are_those_of_the_package(hook: ModuleType) -> None:
    assets = HOOK.parent / "src" / "fabriek" / "portal" / "assets"
    if not all((assets / name).exists() for name in hook.WANTED.values()):
        pytest.skip("this was built without npm: there is no file to look at")
    assert hook._are_there(assets)
