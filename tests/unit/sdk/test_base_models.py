"""Which files of a folder are a model's."""

from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.base_models import files_below
from tests.factories.base_models import a_model


def test_a_folder_is_read_as_deep_as_it_goes_without_what_tools_left(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m")
    for left in (".git", ".cache", "__pycache__"):
        (folder / left).mkdir()
        (folder / left / "x").write_text("x")
    assert list(files_below(folder)) == ["README.md", "config.json", "model.safetensors", "onnx/notes.txt"]


def test_a_snapshot_of_the_hubs_client_is_followed_into_its_own_blobs(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "models--tiny" / "blobs", tmp_path / "models--tiny" / "snapshots" / "0123"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (blobs / "abc").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/abc")
    assert files_below(snapshot) == {"config.json": blobs / "abc"}


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    for number, target in enumerate((secret, Path("../secret"), Path("/etc/hostname"), tmp_path / "nowhere")):
        folder = a_model(tmp_path / f"m{number}")
        (folder / "config.json").unlink()
        (folder / "config.json").symlink_to(target)
        with pytest.raises(InvalidInput, match="is a link to outside"):
            files_below(folder)
    inside = a_model(tmp_path / "inside")
    (inside / "again.json").symlink_to("config.json")
    assert "again.json" in files_below(inside)


def test_what_is_no_folder_of_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(InvalidInput):
            files_below(folder)
