"""What an operator may choose."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.s3 import read_key
from fabriek.bootstrap.machinery import this_machine
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


STORE = Settings(store="s3", store_bucket="fabriek", store_key_file=Path("/key"))


@pytest.mark.parametrize("url", ["", "https://s3.example:9000", "http://127.0.0.1:8333"])
def test_a_store_is_reached_where_nobody_reads_along(url: str) -> None:
    replace(STORE, store_url=url, store_clients_url=url).check_store()
    Settings().check_store()


@pytest.mark.parametrize("url", ["http://s3.example", "s3.example", "ftp://s3.example", "http://127.0.0.1.example"])
@pytest.mark.parametrize("name", ["store_url", "store_clients_url"])
def test_an_address_that_shows_addresses_of_objects_to_the_network_is_refused(name: str, url: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        replace(STORE, **{name: url}).check_store()


@pytest.mark.parametrize("changed", [{"store": "tape"}, {"store_bucket": ""}, {"store_key_file": None}])
def test_half_a_store_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        replace(STORE, **changed).check_store()


@pytest.mark.parametrize("text", ["", "id", "id secret more", "id\n\n"])
def test_a_file_that_holds_no_key_of_a_store_is_refused_without_its_words(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_key(text, "store_key_file")
    assert "secret more" not in str(refused.value)
    assert read_key("id\nsecret\n", "store_key_file") == ("id", "secret")


def test_a_way_of_inputs_that_there_is_not_is_refused_at_the_start() -> None:
    with pytest.raises(InvalidInput, match="lazy"):
        this_machine(Settings(job_inputs="lazy"))
