from datetime import date

import pytest

from fabriek.compute.powering.carbon import co2_grams, in_words, mixes_of
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput

TEXT = """
[[mix]]
name = "old"
grams_per_kwh = 400
valid_from = 2026-01-01
source = "test"
[[mix]]
name = "new"
grams_per_kwh = 100
valid_from = 2026-07-01
source = "test"
"""


def test_a_kilowatt_hour_has_the_grams_of_the_mix_in_force_on_its_day() -> None:
    mixes = mixes_of(TEXT)
    assert [co2_grams(3_600_000, mixes, day) for day in (date(2025, 1, 1), date(2026, 6, 30), date(2026, 7, 1))] == [
        0,
        400,
        100,
    ]


def test_the_shipped_mix_names_its_source_and_is_that_of_the_dutch_grid() -> None:
    (mix,) = mixes_of(shipped("fabriek.compute", "carbon.toml"))
    assert mix.grams_per_kwh == 374
    assert "cedelft.eu" in mix.source


def test_figures_that_no_grid_has_are_refused() -> None:
    with pytest.raises(InvalidInput):
        mixes_of(TEXT.replace("400", "-1"))


@pytest.mark.parametrize(
    ("joules", "grams", "words"),
    [
        (0.6, 0.00006, "less than 0.001 kWh, less than 1 g CO2"),
        (4_500_000, 467.5, "1.250 kWh, 468 g CO2"),
        (3.6e10, 3_740_000, "10,000.000 kWh, 3,740,000 g CO2"),
    ],
)
def test_what_is_too_little_to_be_told_apart_is_said_so(joules: float, grams: float, words: str) -> None:
    assert in_words(joules, grams) == words
