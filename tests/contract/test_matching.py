"""Needs and offers, on both databases: who fits is proposed, and nobody is named before both said yes."""

import dataclasses
import json
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, QuotaExhausted, WrongState
from fabriek.knowledge.matching.listings import OPEN_MAX
from fabriek.knowledge.matching.service import Matching, Proposed
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


class Fair:
    """A hospital that needs something, and a firm that offers it."""

    def __init__(self, town: Town) -> None:
        self.town, self.matching = town, town.services.matching
        self.hospital, self.firm = town.person("ziekenhuis", kind="hospital"), town.person("bladerbv")

    def meet(self) -> tuple[Proposed, Proposed]:
        """A need and an offer with one match; as each side sees it."""
        self.matching.post("need", "Ill leaves in Assen.", skills=["statistics"], region="Drenthe", by=self.hospital)
        self.matching.post("offer", "We count in Deventer.", skills=["Statistics"], region="Overijssel", by=self.firm)
        return self.seen(self.hospital), self.seen(self.firm)

    def seen(self, by: Caller) -> Proposed:
        (found,) = self.matching.matches(by=by)
        return found


@pytest.fixture
def fair(town: Town) -> Fair:
    return Fair(town)


def told(one: Proposed) -> str:
    """Everything that one side is told of a match but its own listing."""
    return json.dumps(
        [dataclasses.asdict(one.match), str(one.seen), dataclasses.asdict(one.other) if one.other else None],
        default=str,
    ).lower()


def test_names_are_told_once_both_said_yes_and_not_before(fair: Fair) -> None:
    need, offer = fair.meet()
    theirs = {"hospital": ("bladerbv", "deventer", "overijssel", fair.firm.person, fair.firm.organisation)}
    theirs["firm"] = ("ziekenhuis", "assen", "drenthe", fair.hospital.person, fair.hospital.organisation)
    for side, words in ((need, theirs["hospital"]), (offer, theirs["firm"])):
        assert side.other is None
        assert not [word for word in words if word.lower() in told(side)]
    waiting = fair.matching.answer(need.match.id, yes=True, by=fair.hospital)
    assert (waiting.seen, waiting.other) == ("waiting", None)
    # That the other side said yes shows nowhere: what it sees is what it saw.
    assert (fair.seen(fair.firm).seen, fair.seen(fair.firm).other) == ("proposed", None)
    met = fair.matching.answer(need.match.id, yes=True, by=fair.firm)
    assert met.other
    assert (met.other.organisation, met.other.text, met.other.region) == (
        "Ziekenhuis",
        "Ill leaves in Assen.",
        "Drenthe",
    )
    mine = fair.seen(fair.hospital)
    assert mine.other
    assert mine.other.organisation == "Bladerbv"
    assert mine.other.email.endswith("@bladerbv.example")


@pytest.mark.parametrize("who", ["hospital", "firm"])
def test_either_takes_a_yes_back_and_the_other_is_named_no_longer(fair: Fair, who: str) -> None:
    match = fair.meet()[0].match.id
    for by in (fair.hospital, fair.firm):
        fair.matching.answer(match, yes=True, by=by)
    fair.matching.answer(match, yes=False, by=getattr(fair, who))
    for by in (fair.hospital, fair.firm):
        assert (fair.seen(by).seen, fair.seen(by).other) == ("over", None)
        with pytest.raises(WrongState, match="over"):
            fair.matching.answer(match, yes=True, by=by)


def test_a_listing_taken_back_ends_its_matches_and_makes_no_more(fair: Fair) -> None:
    need, offer = fair.meet()
    fair.matching.answer(need.match.id, yes=True, by=fair.hospital)
    with pytest.raises(NotFound):
        fair.matching.withdraw(need.mine.id, by=fair.firm)
    fair.matching.withdraw(need.mine.id, by=fair.hospital)
    with pytest.raises(WrongState):
        fair.matching.withdraw(need.mine.id, by=fair.hospital)
    assert fair.seen(fair.firm).seen == "over"
    fair.matching.post("offer", "Again.", skills=["statistics"], by=fair.firm)
    assert fair.seen(fair.firm).match.id == offer.match.id


def test_who_is_neither_side_knows_of_nothing_and_a_colleague_does_not_decide(fair: Fair) -> None:
    match = fair.meet()[0].match.id
    stranger, colleague = fair.town.person("elders"), fair.town.person("bladerbv")
    assert not fair.matching.matches(by=stranger)
    assert not fair.matching.listings(by=stranger)
    for unknown in (match, "mtc_nobodys"):
        with pytest.raises(NotFound, match="no such thing, or you may not know of it"):
            fair.matching.answer(unknown, yes=True, by=stranger)
    with pytest.raises(NotPermitted, match="who posted it"):
        fair.matching.answer(match, yes=True, by=colleague)
    administrator = fair.town.person("bladerbv", "organisation_administrator")
    assert fair.matching.answer(match, yes=True, by=administrator).seen == "waiting"


def test_words_are_matched_in_any_form_and_shown_singly_and_never_one_by_which_somebody_could_be_asked_for(
    fair: Fair,
) -> None:
    matching: Matching = fair.matching
    matching.post("offer", "x", words=["Turbines van Deventer", "bladerbv", "zeldzaam"], by=fair.firm)
    matching.post("need", "Is it Bladerbv?", words=["bladerbv"], by=fair.hospital)
    assert not matching.matches(by=fair.hospital)
    matching.post("need", "x", words=["windturbine", "turbine op zee"], by=fair.hospital)
    found = fair.seen(fair.hospital)
    assert found.match.shared == ("turbine",)
    assert "deventer" not in told(found)
    matching.post("need", "Same house.", words=["zeldzaam"], by=fair.town.person("bladerbv"))
    assert len(matching.matches(by=fair.firm)) == 1


def test_a_need_and_an_offer_that_come_at_once_find_each_other_once(fair: Fair) -> None:
    sides = [("need", fair.hospital), ("offer", fair.firm)]
    at_once(lambda number: fair.matching.post(sides[number][0], "x", skills=["speech"], by=sides[number][1]), times=2)
    assert fair.seen(fair.hospital).match == fair.seen(fair.firm).match


def test_what_cannot_be_a_listing_is_refused(fair: Fair) -> None:
    post = fair.matching.post
    for kind, text, said in (
        ("wish", "x", {"skills": ["speech"]}), ("need", " ", {"skills": ["speech"]}), ("need", "x" * 2_001, {"skills": ["speech"]}),
        ("need", "x", {}), ("need", "x", {"skills": ["whaling"]}), ("need", "x", {"words": ["y" * 41]}), ("need", "x", {"words": ["the"]}),
        ("need", "x", {"words": [f"word{one}" for one in range(21)]}), ("need", "x", {"skills": ["speech"], "region": "z" * 61}),
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            post(kind, text, by=fair.hospital, **said)  # type: ignore[arg-type]
    assert not fair.matching.listings(by=fair.hospital)
    for _ in range(OPEN_MAX):
        post("need", "x", skills=["speech"], by=fair.hospital)
    with pytest.raises(QuotaExhausted):
        post("need", "x", skills=["speech"], by=fair.hospital)
