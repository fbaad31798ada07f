"""Where the root lies in an image, and every file that is refused before anything reads it as a file system."""

import io
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.node.images import sif
from fabriek.node.images.sif import Place, place_of
from tests.factories.images import DATA, a_root, a_sif, a_squashfs, a_superblock, why_no_images

MACHINE = "x86_64"
AMD64, ARM64 = b"02", b"04"


def found(content: bytes, machine: str = MACHINE) -> Place:
    return place_of(io.BytesIO(content), machine)


def test_the_root_of_a_sif_file_is_its_primary_partition() -> None:
    assert found(a_sif(a_superblock(), architecture=AMD64)) == Place(DATA, 4_096)


def test_a_squashfs_on_its_own_is_an_image_from_its_first_byte() -> None:
    assert found(a_superblock()) == Place(0, 4_096)


def test_what_mksquashfs_writes_is_found_in_both(tmp_path: Path) -> None:
    if reason := why_no_images():
        pytest.skip(reason)
    content = a_squashfs(a_root(tmp_path / "root"), tmp_path / "x").read_bytes()
    assert found(content) == Place(0, len(content))
    assert found(a_sif(content, architecture=AMD64)) == Place(DATA, len(content))


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF" * 100, b"PK\x03\x04" * 100, bytes(4_096)])
def test_a_file_that_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="neither a SIF file nor a squashfs"):
        found(content)


def test_an_image_for_another_machine_is_refused_and_one_that_does_not_say_is_tried() -> None:
    with pytest.raises(InvalidInput, match="another machine than x86_64"):
        found(a_sif(a_superblock(), architecture=ARM64))
    assert found(a_sif(a_superblock(), architecture=ARM64), "aarch64") == Place(DATA, 4_096)
    assert found(a_sif(a_superblock(), architecture=sif.UNKNOWN)) == Place(DATA, 4_096)


def test_an_encrypted_image_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="encrypted") as refused:
        found(a_sif(a_superblock(), architecture=AMD64, file_system=sif.ENCRYPTED_SQUASH))
    assert "--encrypt" in refused.value.fix


def test_another_file_system_and_another_purpose_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no squashfs"):
        found(a_sif(a_superblock(), architecture=AMD64, file_system=2))
    with pytest.raises(InvalidInput, match="holds no root"):
        found(a_sif(a_superblock(), architecture=AMD64, purpose=4))


@pytest.mark.parametrize(
    "untrue",
    [
        {"offset": -1}, {"offset": 1 << 62}, {"size_bytes": -1}, {"size_bytes": 1 << 62}, {"size_bytes": 10}, {"offset": DATA + 1},
        {"descriptors": -1}, {"descriptors": 1 << 40}, {"begins": -1}, {"begins": 1 << 62}, {"descriptors": sif.DESCRIPTORS_MAX + 1},
    ],
)  # fmt: skip
def test_a_header_that_says_what_cannot_be_is_refused(untrue: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="damaged or cut short"):
        found(a_sif(a_superblock(), architecture=AMD64, **untrue))  # type: ignore[arg-type]


def test_an_image_is_refused_wherever_it_is_cut() -> None:
    for content in (a_sif(a_superblock(), architecture=AMD64), a_superblock()):
        for end in (*range(0, min(len(content), 200), 7), len(content) - 4_096 + 50, len(content) - 1):
            with pytest.raises(InvalidInput):
                found(content[:end])


@pytest.mark.parametrize("version", [0, 3, 5])
def test_a_squashfs_of_another_version_is_refused(version: int) -> None:
    with pytest.raises(InvalidInput, match=f"version {version}"):
        found(a_superblock(version=version))


def test_a_squashfs_that_claims_more_than_the_file_has_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cut short"):
        found(a_superblock(used=8_192)[:4_096])
