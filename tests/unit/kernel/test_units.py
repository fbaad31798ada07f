"""Amounts as people write them, and as the ledger keeps them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import (
    micro,
    micro_rounded,
    parse_bytes,
    parse_seconds,
    shown,
    shown_bytes,
    shown_short,
    written_bytes,
    written_seconds,
)


@given(st.integers(-(10**15), 10**15))
def test_what_is_shown_reads_back(amount: int) -> None:
    assert micro(shown(amount).replace(",", "")) == amount


@pytest.mark.parametrize("amount", ["", "two", "nan", "inf", "-inf", "0.0000001", "1e-7", "1,5"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput):
        micro(amount)


@pytest.mark.parametrize(("measured", "expected"), [("0.0000005", 0), ("0.0000015", 2), ("2.5", 2_500_000)])
def test_measured_use_is_rounded_to_even(measured: str, expected: int) -> None:
    assert micro_rounded(Decimal(measured)) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("512", 512), ("1k", 1000), ("1KiB", 1024), ("1.5 GiB", 3 * 2**29), ("2TB", 2 * 10**12), ("0b", 0)]
)  # fmt: skip
def test_sizes(text: str, expected: int) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "1 parsec", "1e9", "GiB", "1..5k"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_bytes(text)


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2H", 7200), ("1d", 86400)])
def test_durations(text: str, expected: int) -> None:
    assert parse_seconds(text) == expected


@pytest.mark.parametrize("text", ["", "-1s", "1w", "1h30m", "soon"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_seconds(text)


@pytest.mark.parametrize(("count", "expected"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (2**41, "2.0 TiB")])
def test_bytes_as_people_read_them(count: int, expected: str) -> None:
    assert shown_bytes(count) == expected


@pytest.mark.parametrize("text", ["2GiB", "1536MiB", "3KiB", "1000B"])
def test_a_size_is_written_as_it_is_read(text: str) -> None:
    assert written_bytes(parse_bytes(text)) == text


@pytest.mark.parametrize("text", ["2h", "90m", "61s"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert written_seconds(parse_seconds(text)) == text


@pytest.mark.parametrize(
    ("micro_units", "expected"), [(19_999_994_914, "19,999.99"), (2_500_000, "2.5"), (9_999, "0"), (0, "0")]
)
def test_credits_at_a_glance_are_never_more_than_there_are(micro_units: int, expected: str) -> None:
    assert shown_short(micro_units) == expected
