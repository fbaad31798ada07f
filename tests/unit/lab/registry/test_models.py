"""Names, aliases, numbers and tags of the registry: what MLflow takes, and where it draws the line."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.registry.models import (
    NUMBER_MAX,
    check_alias,
    check_model_name,
    check_number,
    check_tag_key,
    check_tags,
    says_prompt,
)


@pytest.mark.parametrize("name", ["tree", "a tree", "boom-2.0", "été", "x" * 256, "a.b"])
def test_a_name_that_can_be(name: str) -> None:
    assert check_model_name(name) == name


@pytest.mark.parametrize("name", [None, "", " ", 3, ["a"], {}, "a/b", "a:b", ".", "..", "...", "x" * 257, "a\nb", "\x00", True])  # fmt: skip
def test_a_name_that_cannot_be(name: object) -> None:
    with pytest.raises(InvalidInput):
        check_model_name(name)


@pytest.mark.parametrize(("number", "expected"), [("1", 1), (7, 7), (" 3 ", 3), ("-4", -1), ("9" * 30, NUMBER_MAX)])
def test_a_number_is_read(number: object, expected: int) -> None:
    assert check_number(number) == expected


@pytest.mark.parametrize("number", [None, "", "x", "1.0", 1.0, [], {}, True, "9" * 41, "٣", "1e3", "0x1"])
def test_a_number_that_is_none(number: object) -> None:
    with pytest.raises(InvalidInput):
        check_number(number)


def test_an_alias_may_be_asked_for_that_may_not_be_set() -> None:
    for alias in ("latest", "LATEST", "v1"):
        assert check_alias(alias, new=False) == alias
        with pytest.raises(InvalidInput):
            check_alias(alias)


def test_tags_have_bounds() -> None:
    assert check_tags({"a/b.c-d e:f": "x" * 100_000})
    for tags in ({"k": "x" * 100_001}, {"k" * 251: ""}, {f"k{n}": "" for n in range(1_001)}, {"a//b": ""}, {"../a": ""}, {"a\n": ""}):  # fmt: skip
        with pytest.raises(InvalidInput):
            check_tags(tags)
    with pytest.raises(InvalidInput):
        check_tag_key(3)


def test_a_prompt_says_that_it_is_one() -> None:
    assert says_prompt({"mlflow.prompt.is_prompt": "True"})
    assert not says_prompt({"mlflow.prompt.is_prompt": "yes"})
    assert not says_prompt({})
