"""Kinds of work: their rows are read with care, an operator's go over those that are shipped; they tell what is expected, and plan nothing."""

from datetime import UTC, date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.capacity import Capacity
from fabriek.compute.machine import Machine
from fabriek.compute.power import draw, energy_joules, expected_draw, table_on, tables_of
from fabriek.compute.powering.work import Work, check_work, parts_of, with_own_works, works_of, works_on
from fabriek.kernel.errors import InvalidInput
from tests.factories.compute import a_shape, shipped_tables
from tests.factories.services import WALLED

ON = date(2026, 6, 1)
ROW = """
[[kind]]
machine = "*"
name = "language-training"
part_mean = 0.8
part_highest = 0.9
valid_from = 2026-01-01
source = "our meter"
"""


def a_work(name: str = "language-training", *, mean: str = "0.8", machine: str = "*", since: date = ON) -> Work:
    return Work(machine, name, Decimal(mean), Decimal("1.1"), since, "our meter")


def test_the_shipped_rows_hold_for_any_class_of_node() -> None:
    for machine in ("workstation", "gpu_node", "a100_node"):
        assert list(works_on(works_of(shipped_tables()), machine, ON)) == [
            "image-training",
            "language-training",
            "recommendation-training",
            "speech-training",
        ]
    assert works_on(works_of(shipped_tables()), "gpu_node", date(2025, 12, 31)) == {}


def test_tables_and_kinds_may_stand_alone_in_a_file() -> None:
    [one] = works_of(ROW)
    assert (one.name, one.part_mean, one.part_highest) == ("language-training", Decimal("0.8"), Decimal("0.9"))
    assert tables_of(ROW) == ()
    assert works_of(shipped_tables().split("[[kind]]", maxsplit=1)[0]) == ()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("part_mean = -0.1", "part_mean is a part of the most that a GPU draws, from 0 to 1.2"),
        ("part_mean = 0.95", "part_mean = 0.95 is above part_highest = 0.9"),
        ("part_highest = 1.3", "part_highest is a part of the most that a GPU draws, from 0 to 1.2"),
        ("part_highest = nan", "part_highest is a part"),
        ("part_highest = true", "part_highest is a part"),
        ('part_mean = "0.8"', "part_mean is a part"),
        ("part_mean = 1.1\npart_highest = 1.2", "watts_per_gpu of the [[table]] is too low"),
        ("part_median = 0.7", "a kind has no 'part_median'; it has machine, name, part_highest, part_mean, source, valid_from"),
        ('name = "Language training"', "name has small letters, digits and -"),
        ("name = 7", "name has small letters"),
        ('machine = ""', "machine is a class of node"),
        ('valid_from = "2026"', "has no day in valid_from"),
        ('source = " "', "names no source"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_what_is_wrong_in_it(line: str, says: str) -> None:
    names = [one.split(" ", maxsplit=1)[0] for one in line.splitlines()]
    kept = [one for one in ROW.splitlines() if one.split(" ", maxsplit=1)[0] not in names]
    with pytest.raises(InvalidInput) as refused:
        works_of("\n".join([*kept, line]))
    assert "[[kind]] number 1" in refused.value.detail
    assert says in refused.value.detail


@pytest.mark.parametrize("name", ["machine", "name", "part_mean", "part_highest"])
def test_a_row_that_lacks_a_field_is_told_which(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"number 1 lacks '{name}'"):
        works_of("\n".join(one for one in ROW.splitlines() if not one.startswith(name + " ")))


def test_two_rows_that_hold_for_one_kind_from_one_day_on_are_refused_by_their_numbers() -> None:
    with pytest.raises(
        InvalidInput, match=r"number 2 and number 1 both hold for language-training on \* from 2026-01-01 on"
    ):
        works_of(ROW + ROW)
    later, elsewhere = ROW.replace("2026-01-01", "2026-02-01"), ROW.replace('"*"', '"gpu_node"')
    assert len(works_of(ROW + later + elsewhere)) == 3


def test_a_head_that_no_power_file_has_is_refused_and_not_left_out() -> None:
    for text in ("[[kinds]]\n", ROW + "[[kinds]]\n"):
        with pytest.raises(InvalidInput, match="'kinds'"):
            works_of(text)
        with pytest.raises(InvalidInput, match="'kinds'"):
            tables_of(text)
    with pytest.raises(InvalidInput):
        works_of("")


def test_the_row_for_the_class_of_node_goes_before_that_for_any_and_the_newest_before_the_older() -> None:
    rows = [a_work(mean="0.1"), a_work(mean="0.2", machine="gpu_node"), a_work(mean="0.3", since=date(2026, 7, 1))]
    found = [
        parts_of(works_on(rows, machine, on)) for machine in ("gpu_node", "a100_node") for on in (ON, date(2026, 7, 1))
    ]
    assert [str(one["language-training"]) for one in found] == ["0.2", "0.2", "0.1", "0.3"]


def test_an_operators_rows_hold_from_their_first_day_on_and_the_shipped_ones_before_it_and_for_other_kinds() -> None:
    newer = a_work(mean="0.4", since=date(2027, 1, 1))  # comes with a later release
    shipped = [a_work(mean="0.1"), a_work("image-training", mean="0.2"), newer]
    rows = with_own_works(shipped, [a_work(mean="0.3", since=date(2026, 9, 1)), a_work("ours", mean="0.5")])
    days = [date(2026, 8, 31), date(2026, 9, 1), date(2027, 1, 1)]
    found = [parts_of(works_on(rows, "gpu_node", on)) for on in days]
    assert [str(one["language-training"]) for one in found] == ["0.1", "0.3", "0.3"]
    assert [str(one["image-training"]) for one in found] == ["0.2"] * 3
    assert all("ours" in one for one in found)


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    check_work("", ())
    check_work("a", ("b", "a"))
    with pytest.raises(InvalidInput) as refused:
        check_work("language", ("speech-training", "language-training"))
    assert refused.value.detail == "there is no kind of work 'language'; there are language-training, speech-training"
    assert "fabriek run --work language-training, or leave --work out" in str(refused.value.fix)
    with pytest.raises(InvalidInput, match="there are a, b"):
        check_work("c", ("b", "a"))
    with pytest.raises(InvalidInput, match="nor any other here"):
        check_work("c", ())


def test_what_is_expected_goes_by_the_kind_and_else_by_the_class_of_node() -> None:
    table, shape = table_on("a100_node", tables_of(shipped_tables()), ON), a_shape(gpus=2)
    assert expected_draw(shape, table, Decimal("0.5")) == 486  # two of 200 W and a core of 4.375 W, at the meter
    assert expected_draw(shape, table) == expected_draw(shape, table, None) == 466
    assert energy_joules(shape, table, 10, Decimal("0.5")) == 4_860
    assert expected_draw(a_shape(cpus=4), table, Decimal("0.5")) == expected_draw(a_shape(cpus=4), table)


def test_a_kind_that_is_no_longer_known_is_none_and_the_class_of_node_counts() -> None:
    works = with_own_works(works_of(shipped_tables()), [a_work(machine="gpu_node")])
    machine = Machine(
        Capacity(8, 8, 2**33), tables_of(shipped_tables()), (), "gpu_node", None, UTC, able=lambda: WALLED, works=works
    )
    assert [machine.part_of(one, ON) for one in ("language-training", "gone", "")] == [Decimal("0.8"), None, None]


@given(st.decimals(0, 1, places=3), st.integers(1, 64), st.integers(0, 8))
def test_no_kind_is_expected_to_draw_more_than_nameplate_plans(part: Decimal, cpus: int, gpus: int) -> None:
    table, shape = table_on("gpu_node", tables_of(shipped_tables()), ON), a_shape(cpus=cpus, gpus=gpus)
    assert 0 < expected_draw(shape, table, part) <= draw(shape, table)
