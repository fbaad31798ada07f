"""What is said of a parameter is checked, and told with a value that would do."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.recipes.parameters import Parameter, ParameterKind, read_values

SAYS = {"en": "x", "nl": "x"}
COUNT = Parameter("count", ParameterKind.INTEGER, "2", SAYS, least=1, most=10)
RATE = Parameter("rate", ParameterKind.NUMBER, "0.1,1", SAYS, least=0, most=5, each=True)
WAY = Parameter("way", ParameterKind.CHOICE, "a", SAYS, choices=("a", "b"))
NOTE = Parameter("note", ParameterKind.TEXT, "", SAYS)
ROWS = Parameter("rows", ParameterKind.DATA, "", SAYS)
MODEL = Parameter("model", ParameterKind.MODEL, "", SAYS, required=True)
ALL = [COUNT, RATE, WAY, NOTE, ROWS]


def test_without_a_word_everything_has_its_default() -> None:
    found = read_values(ALL, {})
    assert found.fixed == {"count": "2", "way": "a", "note": "", "rows": ""}
    assert found.swept == {"rate": ("0.1", "1.0")}
    assert (found.mounted, found.jobs) == ({}, 2)


def test_what_is_said_takes_its_place_and_data_has_a_folder() -> None:
    found = read_values(
        [*ALL, MODEL], {"count": " 007 ", "rate": "1e-3, 2", "way": "b", "rows": "table@3", "model": "tree@1"}
    )
    assert found.fixed == {"count": "7", "way": "b", "note": "", "rows": "/data", "model": "/model"}
    assert found.swept == {"rate": ("0.001", "2.0")}
    assert found.mounted == {"/data": "table@3", "/model": "tree@1"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"count": "0"}, "count cannot be 0"), ({"count": "11"}, "count cannot be 11"), ({"count": "1.5"}, "whole number"),
        ({"count": ""}, "whole number"), ({"count": "1,2"}, "whole number"), ({"count": "٣"}, "whole number"), ({"count": "9" * 13}, "whole number"),
        ({"rate": "fast"}, "a number"), ({"rate": "nan"}, "a number"), ({"rate": "1e999"}, "a number"), ({"rate": "6"}, "rate cannot be 6"),
        ({"rate": "0.1,,1"}, "a number"), ({"rate": "1,1.0"}, "twice"), ({"rate": ",".join(map(str, range(101)))}, "at most 100"),
        ({"rate": "1_0"}, "a number"), ({"way": "c"}, "cannot be 'c'"), ({"way": ""}, "cannot be ''"), ({"note": "a\nb"}, "one line"),
        ({"note": "x" * 201}, "one line"), ({"rows": "a\0b"}, "one line"), ({"colour": "red"}, "no parameter 'colour'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_can(said: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_values(ALL, said)
    assert told in refused.value.detail
    assert "--set " in refused.value.fix or "its parameters: count, rate" in refused.value.fix


@pytest.mark.parametrize("said", [{}, {"model": " "}])
def test_what_must_be_said_is_asked_for(said: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="model must be said") as refused:
        read_values([MODEL], said)
    assert refused.value.fix == "--set model=…"


def test_each_combination_is_a_job() -> None:
    other = Parameter("depth", ParameterKind.INTEGER, "1,2,3", SAYS, each=True)
    assert read_values([RATE, other], {}).jobs == 6
    assert COUNT.bounds == "1 … 10"
    assert WAY.bounds == "a | b"
