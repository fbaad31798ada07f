"""What an operator may choose."""

import pytest

from fabriek.bootstrap import this_machine
from fabriek.kernel.errors import InvalidInput
from fabriek.settings import Settings


def test_nodes_reach_the_server_on_loopback_unless_the_operator_says_where() -> None:
    assert Settings().seen_by_nodes(8470) == "http://127.0.0.1:8470"
    assert Settings(nodes_url="https://factory.example").seen_by_nodes(8470) == "https://factory.example"
    assert Settings(nodes_url="http://localhost:9").seen_by_nodes(8470) == "http://localhost:9"


@pytest.mark.parametrize(
    "url", ["http://factory.example", "factory.example", "ftp://factory.example", "http://127.0.0.1.example"]
)
def test_an_address_that_shows_tokens_to_the_network_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="tokens"):
        Settings(nodes_url=url).seen_by_nodes(8470)


def test_a_way_of_inputs_that_there_is_not_is_refused_at_the_start() -> None:
    with pytest.raises(InvalidInput, match="lazy"):
        this_machine(Settings(job_inputs="lazy"))
