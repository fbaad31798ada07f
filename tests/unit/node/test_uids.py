"""Uids of attempts, while others are released beside them."""

import os
import threading
from pathlib import Path

import pytest

from fabriek.kernel.wiping import wipe
from fabriek.node.room import UID_FILE, take_uid

ATTEMPTS = 300


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives jobs a uid of their own")
def test_attempts_that_are_released_meanwhile_keep_none_from_its_uid(tmp_path: Path) -> None:
    """Each looks at the folders of all others, and those may go at any moment."""
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            for number in range(20):
                folder = tmp_path / f"gone-{number}"
                folder.mkdir()
                (folder / UID_FILE).write_text("1")
            wipe(*[tmp_path / f"gone-{number}" for number in range(20)])

    others = threading.Thread(target=come_and_go)
    others.start()
    try:
        uids = []
        for number in range(ATTEMPTS):
            (tmp_path / f"job-{number}").mkdir()
            uids.append(take_uid(tmp_path / f"job-{number}"))
    finally:
        stop.set()
        others.join()
    assert len(set(uids)) == ATTEMPTS
