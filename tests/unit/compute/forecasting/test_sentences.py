from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fabriek.compute.capacity import Room
from fabriek.compute.forecasting.forecasts import Basis, Forecast
from fabriek.compute.forecasting.sentences import WORDS, asked, starts
from fabriek.compute.reasons import behind, makes_room, no_node, no_room
from fabriek.compute.sentences import Told, expecting
from tests.factories.compute import NOON, a_shape

HOUR = timedelta(hours=1)


def told(low: float, middle: float, high: float, basis: Basis = Basis.CALIBRATED) -> Forecast:
    return Forecast(NOON, basis, *(NOON + timedelta(hours=one) for one in (low, middle, high)))


@pytest.mark.parametrize(
    ("forecast", "language", "says"),
    [
        (Forecast(NOON, Basis.NOW, NOON, NOON, NOON), "en", "at once"),
        (Forecast(NOON, Basis.NOW, NOON, NOON, NOON), "nl", "meteen"),
        (told(1.05, 2.02, 4.04), "en", "today 13:00-16:05, most likely about 14:00"),
        (told(21.1, 23, 26.9), "en", "tomorrow 09:00-15:00, most likely about 11:00"),
        (told(21.1, 23, 26.9), "nl", "morgen 09:00-15:00, waarschijnlijk rond 11:00"),
        (told(5, 14, 50), "en", "today 17:00 to Thu 26 Nov 14:00, most likely about tomorrow 02:00"),
        (told(1, 2, 3, Basis.PLAYED), "en", "today 13:00-15:00, most likely about 14:00 (not checked against earlier forecasts yet)"),
        (Forecast(NOON, Basis.ASKED, latest=NOON + HOUR), "en", "by today 13:00, from the times asked for; no history yet"),
        (Forecast(NOON, Basis.ASKED, latest=NOON + HOUR), "nl", "uiterlijk vandaag 13:00, naar de gevraagde tijden; er is nog geen verleden"),
        (Forecast(NOON, Basis.UNKNOWN), "en", "nobody can say yet"),
    ],
)  # fmt: skip
def test_a_forecast_in_words(forecast: Forecast, language: str, says: str) -> None:
    assert starts(forecast, NOON, UTC, language) == says


def test_clock_times_are_those_of_the_installation() -> None:
    assert starts(told(1, 1, 2), NOON, ZoneInfo("Europe/Amsterdam")) == "today 14:00-15:00, most likely about 14:00"


def test_what_is_told_holds_what_was_meant() -> None:
    at = datetime(2026, 11, 24, 12, 59, 59, 999_999, tzinfo=UTC)
    forecast = Forecast(NOON, Basis.CALIBRATED, at, at, at)
    assert starts(forecast, NOON, UTC).startswith("today 12:55-13:00")


@pytest.mark.parametrize(
    ("shape", "language", "says"),
    [
        (a_shape(gpus=8, seconds=4 * 3600), "en", "8 GPUs, for 4h"),
        (a_shape(gpus=8, seconds=5_400), "nl", "8 GPU's, voor 1h30m"),
        (a_shape(gpus=0.25), "en", "0.25 GPU, for 1h"),
        (a_shape(cpus=4, nodes=2, seconds=600), "en", "2 nodes, 4 CPUs, for 10m"),
        (a_shape(seconds=30), "en", "1 CPU, for 30s"),
    ],
)
def test_what_is_asked_in_words(shape: object, language: str, says: str) -> None:
    assert asked(shape, language=language) == says  # type: ignore[arg-type]


def test_of_a_variant_only_what_differs_is_told() -> None:
    whole = a_shape(gpus=8, seconds=7_200)
    assert asked(a_shape(gpus=4, seconds=7_200), whole) == "4 GPUs"
    assert asked(a_shape(gpus=8, seconds=3_600), whole) == "for 1h"
    assert asked(a_shape(cpus=2, nodes=1), a_shape(cpus=2, nodes=4)) == "1 node"


def test_both_languages_have_the_same_words() -> None:
    assert set(WORDS["en"]) == set(WORDS["nl"])


def test_the_worst_case_makes_room_in_the_sentence_for_what_is_likelier() -> None:
    need, free = Room(cpus=4), Room(cpus=1)
    until, forecast = NOON + 9 * HOUR, told(1, 2, 3)
    for reason, kept in (
        (no_room(need, free, "21:00"), "Waits for room: this job needs 4 CPUs, the machine has 1 CPU free"),
        (no_node(a_shape(), "21:00"), "Waits for room: no node has 1 CPU, 1.0 GiB of memory free together"),
        (
            makes_room(no_room(need, free, "21:00"), 1),
            "Waits for room: this job needs 4 CPUs, the machine has 1 CPU free; a job that may be put back makes room for it",
        ),
        (behind("14:00"), "Waits behind a job that goes first: it would delay that job's reserved start at 14:00"),
    ):
        found = expecting(Told(reason, until), forecast, "today 13:00-15:00, most likely about 14:00")
        assert found.sentence == f"{kept}; it will probably start today 13:00-15:00, most likely about 14:00."
        assert (found.until, found.forecast) == (until, forecast)
