import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.gpus import Gpus, Kind, amount, gpus_of, kinds_of, may_be
from fabriek.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("said", "milli", "kind"),
    [
        ("2", 2_000, ""),
        ("a100:2", 2_000, "a100"),
        ("0.25", 250, ""),
        ("H100:0.5", 500, "h100"),
        (0, 0, ""),
        (0.125, 125, ""),
    ],
)
def test_what_people_write_is_an_amount_of_a_kind(said: str | float, milli: int, kind: str) -> None:
    assert gpus_of(said) == Gpus(milli, kind)


@pytest.mark.parametrize(
    "said", ["", "a100", "a100:", ":2", "-1", "1e3", "0.0001", "2 a100", "a100:2:2", "a100:٣", "x" * 33 + ":1", "nan", "1/2"]
)  # fmt: skip
def test_what_is_no_amount_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput):
        gpus_of(said)


@pytest.mark.parametrize(("said", "nearest"), [("1.5", "--gpus 2"), ("a100:2.25", "--gpus a100:3")])
def test_a_part_of_two_devices_is_refused_with_the_whole_ones_above_it(said: str, nearest: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        gpus_of(said)
    assert nearest in refused.value.fix


@given(st.one_of(st.integers(0, 999), st.integers(0, 500).map(lambda n: n * 1_000)), st.sampled_from(["", "a100"]))
def test_an_amount_reads_back_as_it_is_shown(milli: int, kind: str) -> None:
    assert gpus_of(str(Gpus(milli, kind))) == Gpus(milli, kind)
    assert "e" not in amount(milli)


def test_the_settings_name_kinds_in_the_order_of_their_devices() -> None:
    assert kinds_of("a100:4,h100:2", "h100:0.5", 0) == (Kind("a100", 4), Kind("h100", 2, 500))
    assert kinds_of("", "0.25", 3) == (Kind("gpu", 3, 250),)
    assert kinds_of("", "", 0) == ()


@pytest.mark.parametrize(
    ("named", "shared", "count"),
    [("a100", "", 0), ("a100:0.5", "", 0), ("4", "", 0), ("a100:4", "", 3), ("a100:4", "h100:0.5", 0), ("a100:4", "a100:0.3", 0),
     ("a100:4", "a100:0", 0), ("", "0.5", 0), ("a100:4", "a100:2", 0)],
)  # fmt: skip
def test_settings_that_contradict_themselves_are_refused_by_name(named: str, shared: str, count: int) -> None:
    with pytest.raises(InvalidInput, match="job_gpus"):
        kinds_of(named, shared, count)


def test_any_kind_is_taken_where_none_is_named_and_parts_only_of_what_is_shared_so() -> None:
    kinds = (Kind("a100", 2, 250), Kind("h100", 2))
    asked = {
        said: [one.name for one in may_be(gpus_of(said), kinds)] for said in ("1", "0.5", "0.3", "h100:0.5", "h100:2")
    }
    assert asked == {"1": ["a100", "h100"], "0.5": ["a100"], "0.3": [], "h100:0.5": [], "h100:2": ["h100"]}
