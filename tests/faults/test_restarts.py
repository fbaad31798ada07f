"""The rounds of the journey, as many as the promise says: 300, or as many as are asked for by `FABRIEK_ROUNDS`."""

import os
from pathlib import Path

import pytest

from tests.faults.restarts import EXPECTED, kill_servers
from tests.servers.factory import why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.faults]

ROUNDS = int(os.environ.get("FABRIEK_ROUNDS", "300"))  # noqa: TID251  # how long it takes is chosen where it is started


def test_jobs_outlive_a_server_that_is_killed_again_and_again(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    told = kill_servers(tmp_path / "home", ROUNDS)
    print(f"{ROUNDS} killed servers: {told.kept}")
    assert told.kept == EXPECTED
