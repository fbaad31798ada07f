"""Lists of hashes that sha256sum reads, and that are read as sha256sum writes them."""

import subprocess
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.packing import checksums

NAMES = ("plain", "two words", "back\\slash", "line\nbreak", "-dash", "é")


def test_sha256sum_agrees_in_both_directions_whatever_files_are_called(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_text(name)
    hashes = {name: checksums.hash_of(tmp_path / name) for name in NAMES}
    text = checksums.write(hashes)
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "-"], cwd=tmp_path, input=text, text=True, check=True
    )
    theirs = subprocess.run(
        ["sha256sum", "--", *NAMES], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert checksums.read(theirs) == hashes == checksums.read(text)


def test_links_are_neither_named_nor_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "folder").symlink_to("/etc")
    assert list(checksums.files_below(tmp_path)) == ["a"]
    with pytest.raises(OSError, match="link"):
        checksums.hash_of(tmp_path / "link")


@pytest.mark.parametrize("text", ["nonsense", "0" * 63 + "  a", f"{'0' * 64}  a\n{'1' * 64}  ./a", f"{'0' * 64}"])
def test_a_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checksums.read(text)
