"""The page for all: short sentences, no jargon, and nothing said where nothing is known."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fabriek.funding.allocations import Allocation
from fabriek.funding.ledger import Kind, account
from fabriek.funding.reporting.periods import of_year
from fabriek.funding.reporting.public import Page, as_text, public_page
from fabriek.funding.reporting.report import Gathered, Moved, Wait, report_of
from fabriek.funding.reporting.values import shipped_values
from fabriek.funding.resources import Resource
from fabriek.kernel.units import MICRO

WORDS_MAX = 14
WORDS_MEAN_MAX = 9
LETTERS_MAX = 20
JARGON = (
    "allocatie", "resource", "entitlement", "quota", "share", "gpu", "cpu", "cluster", "node", "supercomputer", "compliance", "stakeholder",
    "faciliteren", "implementeren", "middels", "derhalve", "teneinde", "conform", "tevens", "dan wel", "inzake", "met betrekking tot",
    "use case", "compute", "token", "workload", "schaalbaar", "governance", "kpi", "cofinanciering", "subsidiabel", "realiseren",
    "ten behoeve van", "ledger", "saldo", "percentiel", "gealloceerd", "capaciteit", "infrastructuur", "innovatie", "ecosysteem", "impact",
)  # fmt: skip
PERIOD = of_year(2026, ZoneInfo("Europe/Amsterdam"))
GPU = Resource.GPU_HOUR


def a_page(hours: int, *, organisations: int = 30, at: datetime = PERIOD.end + timedelta(days=9), joules: int = 10**12) -> Page:  # fmt: skip
    sectors, sizes = ("health", "energy", "agrifood", ""), ("small", "large")
    allocations = [
        Allocation(
            f"alc_{one}", f"prj_{one}", "shr_1", f"app_{one}", PERIOD.first, PERIOD.last, "playground", "civilian", f"org_{one}",
            sectors[one % 4], "drenthe", sizes[one % 2],
        )
        for one in range(organisations)
    ]  # fmt: skip
    moved = [Moved(account(Kind.USAGE, one.id), GPU, "settle", hours * MICRO) for one in allocations]
    moved += [Moved(account(Kind.USAGE, one.id), Resource.CPU_HOUR, "settle", hours * MICRO) for one in allocations]
    moved += [Moved(account(Kind.USAGE, one.id), Resource.EXPERT_HOUR, "settle", 2 * MICRO) for one in allocations]
    waits = [Wait("shr_1", GPU, 100 * place, 3, joules) for place in range(organisations)]
    gathered = Gathered(moved, (), (), {}, waits)
    made = report_of("all", {"shr_1"}, PERIOD, gathered, allocations, shipped_values(), at.astimezone(UTC))
    return public_page(made, [("europe", 600 * MICRO), ("nij-begun", 400 * MICRO), ("nobody", 0)])


def sentences(page: Page) -> list[str]:
    return [page.title, *(one for part in page.parts for one in (part.heading, *part.sentences))]


PAGES = [
    a_page(20_000),
    a_page(3, organisations=1),
    a_page(0, organisations=0),
    a_page(7, at=datetime(2026, 11, 24, tzinfo=UTC)),
    a_page(1, organisations=2, joules=9),
]


@pytest.mark.parametrize("page", PAGES)
def test_sentences_are_short(page: Page) -> None:
    lengths = [len(re.findall(r"[\w.]+", one)) for one in sentences(page)]
    assert max(lengths) <= WORDS_MAX, sentences(page)[lengths.index(max(lengths))]
    assert sum(lengths) / len(lengths) <= WORDS_MEAN_MAX
    for one in sentences(page):
        assert one.endswith((".", "?")), one
        assert len(re.findall(r"[.?!](?=\s)", one)) == 0, one
        assert ";" not in one


@pytest.mark.parametrize("page", PAGES)
def test_words_are_plain(page: Page) -> None:
    text = as_text(page).lower()
    found = [word for word in JARGON if re.search(rf"\b{re.escape(word)}(s|e|n|en)?\b", text)]
    assert found == []
    assert [word for word in re.findall(r"\w+", text) if len(word) > LETTERS_MAX] == []


def test_numbers_have_a_meaning() -> None:
    text = as_text(a_page(20_000))
    for said in (
        "Samen waren dat 600.000 chipuren.", "Dat zijn ongeveer 68 chips die dag en nacht werken.", "Er deden 30 organisaties mee.",
        "Van hen zijn 15 een klein of middelgroot bedrijf.", "Onze mensen gaven 60 uur advies.",
        "Zo veel stroom gebruiken 3.333 huizen in een jaar.",
        "Europe betaalde 60 van elke 100 chipuren.", "Nij begun betaalde 40 van elke 100 chipuren.", "Gezondheidszorg: 27 van de 100 uur.",
    ):  # fmt: skip
        assert said in text, said
    assert "Het jaar is nog niet voorbij" in as_text(a_page(7, at=datetime(2026, 11, 24, tzinfo=UTC)))


def test_of_a_year_in_which_nothing_was_done_little_is_said() -> None:
    page = a_page(0, organisations=0)
    assert "Er is nog niet gerekend." in as_text(page)
    assert "huizen" not in as_text(page)


def test_one_organisation_is_not_named_by_its_sector() -> None:
    text = as_text(a_page(3, organisations=1))
    assert "Gezondheidszorg" not in text
    assert "Zo blijft geheim wat één organisatie doet." in text
