"""Which tests run on one worker, and what is begun first, so that all workers end together."""

from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

FIRST = (
    "slurm", "slurm-rest", "slurm-journeys", "tests/journeys/test_restart.py", "portal", "lying-store", "bad-jobs", "s3",
    "tests/unit/sdk/test_many_files.py", "tests/unit/sdk/test_pushing.py", "tests/unit/sealing/test_adding.py", "tests/unit/sealing/test_pages.py",
    "tests/contract/test_collecting.py", "tests/unit/compute/executors/test_environments.py", "tests/differential", "tests/journeys", "tests/portal",
    "tests/unit/compute/executors", "tests/docs", "tests/architecture", "tests/contract", "tests/api",
)  # fmt: skip
"""Groups, files and folders that take longest. What is not named comes after them: who gets a long one last leaves the others idle."""


class ByFile(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """A group runs on one worker, and so does a file: its tests share a server, which every worker would start anew."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # else what has most tests would come first, and not what takes longest

    def _split_scope(self, nodeid: str) -> str:
        return str(super()._split_scope(nodeid)).partition("::")[0]


def longest_first(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    mark: Any = item.get_closest_marker("xdist_group")
    if mark is not None and mark.args[0] in FIRST:
        return FIRST.index(mark.args[0])
    return next((at for at, begun in enumerate(FIRST) if item.nodeid.startswith(begun)), len(FIRST))
