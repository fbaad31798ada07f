"""One page for parliament and press, in Dutch that most people read with ease: short sentences, plain words, numbers with a meaning."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from functools import cache

from fabriek.funding.reporting.report import Report, Waited
from fabriek.funding.reporting.rows import OTHER, UNSAID, Dimension, Row
from fabriek.funding.reporting.telling import percents
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows, shipped
from fabriek.kernel.units import MICRO

SECTORS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and its sentences, one for each item."""

    heading: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """Kilowatt-hours that one takes in a year."""

    kwh: int
    valid_from: date
    source: str


def public_page(report: Report, payers: Sequence[tuple[str, int]]) -> Page:
    """Of a year, from the same figures as the funders' reports. payers: each share's name and the GPU-hours used of it, in micro-units."""
    year = report.period.name
    began = [f"Deze pagina vertelt wat onze computers in {year} deden.", "De cijfers komen uit onze eigen boeken."]
    if report.is_open:
        began.append("Het jaar is nog niet voorbij, dus de cijfers groeien nog.")
    parts = (
        Part("Waar gaat dit over?", tuple(began)),
        Part("Hoeveel is er gerekend?", _computed(report)),
        Part("Voor wie was dat?", _for_whom(report)),
        Part("Waarvoor was dat?", _what_for(report)),
        Part("Hoe lang moest men wachten?", _waited(report)),
        Part("Hoeveel stroom kostte dat?", _energy(report)),
        Part("Wat was dat waard?", _worth(report)),
        Part("Wie betaalde dat?", _payers(payers)),
    )
    return Page(f"Wat deed onze AI-fabriek in {year}?", tuple(one for one in parts if one.sentences))


def as_text(page: Page) -> str:
    """For a terminal or a mail."""
    lines = [page.title, "=" * len(page.title)]
    for part in page.parts:
        lines += ["", part.heading, *(f"  {one}" for one in part.sentences)]
    return "\n".join(lines) + "\n"


def number(amount: Decimal | float) -> str:
    """Whole, as the Dutch write it: `1.234`."""
    return f"{round(amount):,}".replace(",", ".")


def _used(report: Report, resource: Resource) -> Decimal:
    line = report.line(resource)
    return Decimal(line.rows[Row.USED] + line.rows[Row.CORRECTED_USE]) / MICRO if line else Decimal(0)


def _computed(report: Report) -> tuple[str, ...]:
    chips, cpus = _used(report, Resource.GPU_HOUR), _used(report, Resource.CPU_HOUR)
    if not chips and not cpus:
        return ("Er is nog niet gerekend.",)
    said = ["Onze computers hebben speciale rekenchips voor AI.", "Eén chip die één uur rekent, noemen we een chipuur."]
    said.append(f"Samen waren dat {number(chips)} chipuren.")
    hours = Decimal((min(report.made_at, report.period.end.astimezone(UTC)) - report.period.start) / timedelta(hours=1))
    if chips >= hours:
        said.append(f"Dat zijn ongeveer {number(chips / hours)} chips die dag en nacht werken.")
    if cpus:
        said.append(f"Gewone chips rekenden daarnaast {number(cpus)} uur.")
    return tuple(said)


def _for_whom(report: Report) -> tuple[str, ...]:
    if not report.organisations:
        return ()
    said = [
        (
            f"Er {_plural(report.organisations, 'deed', 'deden')} {number(report.organisations)} "
            f"{_plural(report.organisations, 'organisatie', 'organisaties')} mee."
        )
    ]
    said.append(f"Zij werkten aan {number(report.projects)} {_plural(report.projects, 'project', 'projecten')}.")
    if report.smes:
        said.append(
            f"Van hen {_plural(report.smes, 'is', 'zijn')} {number(report.smes)} een klein of middelgroot bedrijf."
        )
    experts = _used(report, Resource.EXPERT_HOUR)
    if experts:
        said.append(f"Onze mensen gaven {number(experts)} uur advies.")
    return tuple(said)


def _what_for(report: Report) -> tuple[str, ...]:
    line = report.line(Resource.GPU_HOUR) or report.line(Resource.CPU_HOUR)
    if line is None:
        return ()
    groups = line.groups[Dimension.SECTOR]
    parts = percents(groups)
    named = [one.word for one in groups if one.word not in {OTHER, UNSAID}]
    said = [f"{_sectors().get(word, word)}: {number(parts[word])} van de 100 uur." for word in named[:SECTORS_SHOWN]]
    if any(one.word == OTHER for one in groups):
        said.append("Soms deed maar één organisatie mee.")
        said.append("Dan tellen we haar uren op bij die van anderen.")
        said.append("Zo blijft geheim wat één organisatie doet.")
    return tuple(said)


@cache
def _sectors() -> dict[str, str]:
    rows = tomllib.loads(shipped("fabriek.access", "describing.toml"))["sector"]
    return {str(row["name"]): str(row["nl"]) for row in rows}


def _waited(report: Report) -> tuple[str, ...]:
    line = report.line(Resource.GPU_HOUR) or report.line(Resource.CPU_HOUR)
    waited: Waited | None = line.waited if line else None
    if waited is None:
        return ()
    return (
        f"Een taak wachtte gemiddeld {_time(waited.mean_seconds)}.",
        f"Van elke 100 taken begonnen er 95 binnen {_time(waited.p95_seconds)}.",
    )


def _time(seconds: int) -> str:
    if seconds < 90:
        return f"{max(1, seconds)} {_plural(max(1, seconds), 'seconde', 'seconden')}"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minuten"
    return f"{round(seconds / 3600)} uur" if seconds < 36 * 3600 else f"{round(seconds / 86_400)} dagen"


def _energy(report: Report) -> tuple[str, ...]:
    kwh = sum((one.energy_kwh for one in report.lines), Decimal(0))
    if kwh < 1:
        return ()
    said = [f"De taken kostten ongeveer {number(kwh)} kilowattuur stroom."]
    home = in_force(_homes(), report.period.last)
    if home is not None and kwh >= home.kwh:
        count = round(kwh / home.kwh)
        said.append(
            f"Zo veel stroom {_plural(count, 'gebruikt', 'gebruiken')} {number(count)} {_plural(count, 'huis', 'huizen')} in een jaar."
        )
    said.append("We rekenen dat uit, we meten het niet.")
    return tuple(said)


@cache
def _homes() -> tuple[Home, ...]:
    text = shipped("fabriek.funding.reporting", "homes.toml")
    return read_rows(text, "home", lambda row: Home(int(row["kwh"]), row["valid_from"], row["source"]))


def _worth(report: Report) -> tuple[str, ...]:
    if report.value_euro < 1:
        return ()
    return (
        f"Al dit werk was ongeveer {number(report.value_euro)} euro waard.",
        "Dat is een schatting van onszelf.",
    )


def _payers(payers: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    whole = sum(max(0, amount) for _, amount in payers)
    if not whole:
        return ()
    told = sorted(payers, key=lambda one: (-one[1], one[0]))
    return tuple(
        f"{name.replace('-', ' ').capitalize()} betaalde {number(Decimal(amount) * 100 / whole)} van elke 100 chipuren."
        for name, amount in told
        if amount > 0
    )


def _plural(count: int, one: str, more: str) -> str:
    return one if count == 1 else more
