"""What may be sealed of a folder that a job left, seen by its sizes alone."""

import os
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.node.outputs import check_size

MEBIBYTE = 1 << 20


def test_results_within_the_jobs_memory_pass_with_their_holes(tmp_path: Path) -> None:
    os.truncate(_file(tmp_path / "hole"), 4 * MEBIBYTE)
    check_size(tmp_path, 4 * MEBIBYTE)


def test_a_hole_beyond_the_jobs_memory_is_refused_with_both_sizes(tmp_path: Path) -> None:
    os.truncate(_file(tmp_path / "hole"), 1 << 40)
    with pytest.raises(InvalidInput, match=r"would be read as 1\.0 TiB"):
        check_size(tmp_path, 4 * MEBIBYTE)


def test_one_file_under_many_names_counts_under_each(tmp_path: Path) -> None:
    file = _file(tmp_path / "0", MEBIBYTE)
    for number in range(1, 10):
        os.link(file, tmp_path / str(number))
    with pytest.raises(InvalidInput):
        check_size(tmp_path, 4 * MEBIBYTE)


def test_large_results_on_a_disk_pass_when_they_are_what_they_seem(tmp_path: Path) -> None:
    _file(tmp_path / "model", 4 * MEBIBYTE)
    check_size(tmp_path, MEBIBYTE)


def _file(place: Path, size: int = 0) -> Path:
    place.write_bytes(os.urandom(size))
    return place
