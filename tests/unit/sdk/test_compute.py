"""What is refused before anything is sent, with what comes nearest."""

from typing import Any

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.client import Client
from fabriek.sdk.compute import Compute


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ({"wall_seconds_max": 500 * 3600}, "ask for --time 120h"),
        ({"memory_bytes": 1}, "ask for --memory 16MiB"),
        ({"cpus": 10**6}, "ask for --cpus 100000"),
        ({"cpus": "many"}, "see docs/howto/jobs.md"),
        ({"name": "a\nb"}, "see docs/howto/jobs.md"),
    ],
)
def test_an_amount_past_its_limit_is_refused_with_the_limit_as_people_ask_for_it(
    asked: dict[str, Any], fix: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Compute(Client("http://127.0.0.1:9")).run(["true"], **asked)
    assert refused.value.fix == fix
