"""One machine for the tests of a process; every test has jobs of its own."""

from collections.abc import Iterator

import pytest

from tests.servers.machine import Machine, a_machine


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    with a_machine() as made:
        yield made
