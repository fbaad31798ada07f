"""Offers: the shipped ones hold for everybody who may ask, and every slip in a file is named."""

from datetime import date

import pytest

from fabriek.access.organisations import OrganisationKind
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import LANGUAGES
from fabriek.knowledge.offers.offers import ASKERS, asker_of, offers_of, offers_on

DAY = date(2026, 11, 28)
ROW = """
[[offer]]
name = "computing"
valid_from = 2026-01-01
source = "ours"
title = { en = "Time", nl = "Tijd" }
says = { en = "GPUs.", nl = "GPU's." }
working_days = 2
start = "/apply/guide"
command = "fabriek apply guide"
terms = [
  { who = ["startup", "sme", "company", "hospital", "university", "public"], price = { en = "Free.", nl = "Gratis." } },
  { who = ["elsewhere"], instead = { en = "Come along.", nl = "Kom mee." } },
]
"""


def test_the_ten_services_are_there_and_each_tells_everybody_in_both_languages() -> None:
    found = offers_on(DAY)
    assert len({one.name for one in found}) == len(found) == 10
    for offer in found:
        for asker in ASKERS:
            terms = offer.terms_for(asker)
            assert bool(terms.price) != bool(terms.instead)
            assert all((terms.price or terms.instead)[lang].endswith((".", "rates", "rates.")) for lang in LANGUAGES)


@pytest.mark.parametrize(
    ("kind", "size", "takes_part", "asker"),
    [
        (OrganisationKind.STARTUP, "", True, "startup"), (OrganisationKind.COMPANY, "small", True, "sme"),
        (OrganisationKind.COMPANY, "", True, "company"),
        (OrganisationKind.HOSPITAL, "large", True, "hospital"), (OrganisationKind.UNIVERSITY, "", True, "university"),
        (OrganisationKind.FUNDER, "", True, "public"), (OrganisationKind.STARTUP, "micro", False, "elsewhere"),
    ],
)  # fmt: skip
def test_who_an_organisation_is(kind: OrganisationKind, size: str, takes_part: bool, asker: str) -> None:  # noqa: FBT001  # a case
    assert asker_of(kind, size, takes_part=takes_part) == asker


def test_a_newer_row_of_a_name_takes_over_on_its_day() -> None:
    newer = ROW.replace("2026-01-01", "2026-12-01").replace("working_days = 2", "working_days = 4")
    assert [one.working_days for one in offers_of(ROW + newer, DAY)] == [2]
    assert [one.working_days for one in offers_of(ROW + newer, date(2026, 12, 1))] == [4]
    assert offers_of(ROW, date(2025, 1, 1)) == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"startup", ', "", "no terms for startup"),
        ('who = ["elsewhere"]', 'who = ["nobody"]', "'nobody'"),
        ("working_days = 2", "working_days = 0", "1 to 250"),
        ("working_days = 2", "working_days = true", "1 to 250"),
        ('start = "/apply/guide"', 'start = "https://elsewhere.org"', "a page of the portal"),
        ('nl = "Tijd"', 'de = "Zeit"', "en and nl"),
        ("source", "sauce", "source"),
        ("2026-01-01", "7", "valid_from"),
        ("price = {", 'instead = { en = "x", nl = "x" }, price = {', "a price, or say"),
    ],
)  # fmt: skip
def test_a_slip_in_the_file_is_named(before: str, after: str, told: str) -> None:
    assert before in ROW
    with pytest.raises(InvalidInput, match=told):
        offers_of(ROW.replace(before, after, 1), DAY)
