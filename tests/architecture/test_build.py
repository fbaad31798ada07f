"""What the build takes from npm: one pinned package or none, and never another."""

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
