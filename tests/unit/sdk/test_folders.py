"""What may be pushed of a folder, before anything is read."""

import os

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.folders import DATA_BYTES_MAX, FILE_BYTES_MAX, check_size


def standing(size: int, data_bytes: int) -> os.stat_result:
    """Of a file that no disk here could hold."""
    return os.stat_result((0o100644, 1, 1, 1, 0, 0, size, 0, 0, 0), {"st_blocks": data_bytes // 512})


def test_a_file_of_more_data_than_a_version_can_say_is_refused_before_it_is_sent() -> None:
    check_size("a", standing(FILE_BYTES_MAX, 0))
    check_size("a", standing(DATA_BYTES_MAX, DATA_BYTES_MAX + 2**20))  # what the disk keeps beside it is not the file's
    for size, data_bytes in ((FILE_BYTES_MAX + 1, 0), (FILE_BYTES_MAX, DATA_BYTES_MAX + 512)):
        with pytest.raises(InvalidInput, match="TiB"):
            check_size("a", standing(size, data_bytes))
