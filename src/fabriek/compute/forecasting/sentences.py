"""A forecast in words, English and Dutch, in the clock times of the installation."""

from datetime import datetime, timedelta, tzinfo

from fabriek.compute.forecasting.forecasts import Basis, Forecast
from fabriek.compute.gpus import amount
from fabriek.compute.jobs import Shape
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES

WORDS = {
    "en": {
        "today": "today", "tomorrow": "tomorrow", "to": "to", "now": "at once", "about": "most likely about",
        "unchecked": "not checked against earlier forecasts yet",
        "asked": "by {at}, from the times asked for; no history yet", "unknown": "nobody can say yet",
        "days": "Mon Tue Wed Thu Fri Sat Sun", "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "nodes": "{n} nodes", "gpus": "{n} GPU", "many_gpus": "{n} GPUs", "cpus": "{n} CPU", "many_cpus": "{n} CPUs", "for": "for {time}",
    },
    "nl": {
        "today": "vandaag", "tomorrow": "morgen", "to": "tot", "now": "meteen", "about": "waarschijnlijk rond",
        "unchecked": "nog niet getoetst aan eerdere voorspellingen",
        "asked": "uiterlijk {at}, naar de gevraagde tijden; er is nog geen verleden", "unknown": "nog niet te zeggen",
        "days": "ma di wo do vr za zo", "months": "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "nodes": "{n} nodes", "gpus": "{n} GPU", "many_gpus": "{n} GPU's", "cpus": "{n} CPU", "many_cpus": "{n} CPU's", "for": "voor {time}",
    },
}  # fmt: skip

FINE, COARSE, COARSEST = timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)


def starts(forecast: Forecast, now: datetime, zone: tzinfo, language: str = "en") -> str:
    """When it starts, without a verb: `tomorrow 09:00-15:00, most likely about 11:00`."""
    words = WORDS[language]
    if forecast.basis is Basis.NOW:
        return words["now"]
    if forecast.earliest is None or forecast.median is None or forecast.latest is None:
        if forecast.latest is None:
            return words["unknown"]
        return words["asked"].format(at=_named(_up(forecast.latest, now, zone), now.astimezone(zone), words))
    span = _span(forecast.earliest, forecast.latest, now, zone, words)
    middle = _down(forecast.median + _step(forecast.median, now) / 2, now, zone)
    same = middle.date() in {_down(forecast.earliest, now, zone).date()} and "-" in span
    about = f"{middle:%H:%M}" if same else _named(middle, now.astimezone(zone), words)
    told = f"{span}, {words['about']} {about}"
    return f"{told} ({words['unchecked']})" if forecast.basis is Basis.PLAYED else told


def asked(shape: Shape, like: Shape | None = None, language: str = "en") -> str:
    """What is asked for, or of it what differs from another: `8 GPUs`, `4 GPUs`, `for 2h`."""
    words, said = WORDS[language], []
    if shape.gpus and (like is None or shape.gpus != like.gpus):
        many = "gpus" if shape.gpus.milli == 1_000 or shape.gpus.milli % 1_000 else "many_gpus"
        said.append(words[many].format(n=amount(shape.gpus.milli)))
    if (like is None and shape.nodes > 1) or (like is not None and shape.nodes != like.nodes):
        said.append(words["nodes"].format(n=shape.nodes) if shape.nodes > 1 else "1 node")
    if (like is None and not shape.gpus) or (like is not None and shape.cpus != like.cpus):
        said.append(words["cpus" if shape.cpus == 1 else "many_cpus"].format(n=shape.cpus))
    if like is None or shape.wall_seconds_max != like.wall_seconds_max:
        said.append(words["for"].format(time=_length(shape.wall_seconds_max)))
    return ", ".join(said)


def language_named(text: str) -> str:
    """Raises InvalidInput on one that there are no words in."""
    if text not in LANGUAGES:
        raise InvalidInput(f"{text[:20]!r} is not a language of forecasts", fix=f"one of {', '.join(LANGUAGES)}")
    return text


def _span(earliest: datetime, latest: datetime, now: datetime, zone: tzinfo, words: dict[str, str]) -> str:
    low, high, here = _down(earliest, now, zone), _up(latest, now, zone), now.astimezone(zone)
    if low.date() == high.date():
        return f"{_day(low, here, words)} {low:%H:%M}-{high:%H:%M}"
    return f"{_named(low, here, words)} {words['to']} {_named(high, here, words)}"


def _named(at: datetime, here: datetime, words: dict[str, str]) -> str:
    return f"{_day(at, here, words)} {at:%H:%M}"


def _day(at: datetime, here: datetime, words: dict[str, str]) -> str:
    away = (at.date() - here.date()).days
    if 0 <= away <= 1:
        return words["tomorrow" if away else "today"]
    return f"{words['days'].split()[at.weekday()]} {at.day} {words['months'].split()[at.month - 1]}"


def _step(at: datetime, now: datetime) -> timedelta:
    """To what an instant is rounded: the further away, the coarser."""
    away = at - now
    return FINE if away < timedelta(hours=6) else COARSE if away < timedelta(days=1) else COARSEST


def _down(at: datetime, now: datetime, zone: tzinfo) -> datetime:
    local, step = at.astimezone(zone), _step(at, now).total_seconds()
    over = (local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6) % step
    return local - timedelta(seconds=over)


def _up(at: datetime, now: datetime, zone: tzinfo) -> datetime:
    low = _down(at, now, zone)
    return low if low == at else low + _step(at, now)


def _length(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes = rest // 60
    if not hours:
        return f"{minutes}m" if minutes else f"{seconds}s"
    return f"{hours}h{minutes:02}m" if minutes else f"{hours}h"
