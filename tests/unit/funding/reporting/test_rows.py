"""How a figure is named, and in which row a line of a share counts."""

import pytest

from fabriek.funding.reporting.rows import Dimension, Place, Row, place_named, row_of_share_line
from fabriek.funding.reporting.sheets import cell_of
from fabriek.funding.reporting.values import values_of
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput

NOW = ("entitled 2026Q4",)


def test_a_row_and_a_group_are_named() -> None:
    assert place_named("used", "gpu_hour") == Place(Row.USED, Resource.GPU_HOUR)
    assert place_named("used.call.fast.lane", "token") == Place(Row.USED, Resource.TOKEN, Dimension.CALL, "fast.lane")


@pytest.mark.parametrize(
    ("row", "resource"),
    [("gold", "gpu_hour"), ("used", "moon_hour"), ("used.moon.x", "gpu_hour"), ("awarded.sector.health", "gpu_hour"), ("used.sector", "gpu_hour")],
)  # fmt: skip
def test_what_is_no_figure_is_refused(row: str, resource: str) -> None:
    with pytest.raises(InvalidInput):
        place_named(row, resource)


def test_lines_of_a_share_have_one_row_each() -> None:
    told = {
        "grant": Row.ENTITLED, "entitled 2026Q4": Row.ENTITLED, "entitled 2026Q3": Row.CORRECTED_ENTITLED, "lapsed 2026Q3": Row.LAPSED,
        "award": Row.AWARDED, "extension": Row.AWARDED, "withdrawn": Row.WITHDRAWN, "cut": Row.RETURNED, "whatever comes": Row.RETURNED,
    }  # fmt: skip
    assert {memo: row_of_share_line(memo, NOW) for memo in told} == told


def test_no_cell_is_a_formula_and_a_number_below_zero_stays_one() -> None:
    for text in ("=1+1", "+x", "@x", "-2+3+cmd|' /C calc'!A0", "\tx", "  =x", "\r=x"):
        assert cell_of(text) == f"'{text}"
    for text in ("-7", "-0.5", "12", "health", "€ 5"):
        assert cell_of(text) == text


def test_a_value_below_zero_or_without_a_source_is_refused() -> None:
    row = '[[value]]\nresource = "gpu_hour"\neuro = {}\nvalid_from = 2026-01-01\n'
    for text in (row.format("-1") + 'source = "x"\n', row.format("1"), row.format('"much"') + 'source = "x"\n'):
        with pytest.raises(InvalidInput):
            values_of(text)
