"""What one may do with needs and offers: post, take back, and say yes or no to a match."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotPermitted, QuotaExhausted, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.knowledge.matching import listings
from fabriek.knowledge.matching.listings import Listing, ListingKind, Match, Said, Seen
from fabriek.knowledge.matching.ports import Listings
from fabriek.knowledge.skills.skills import check_skills, skills_on


@dataclass(frozen=True, slots=True)
class Other:
    """Who is on the other side: told to who met them, and to nobody else."""

    organisation: str
    name: str
    email: str
    text: str
    region: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A match as one side sees it. `mine`: that side's own listing; `other`: None until both said yes."""

    match: Match
    mine: Listing
    seen: Seen
    other: Other | None


class Matching:
    """An organisation's people see its own listings and the matches of those. Nobody sees another's listing before both said yes."""

    def __init__(self, kept: Listings, *, access: Access, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._listings, self._access, self._audit, self._clock, self._ids = kept, access, audit, clock, ids

    def post(
        self,
        kind: str,
        text: str,
        *,
        skills: Sequence[str] = (),
        words: Sequence[str] = (),
        region: str = "",
        by: Caller,
    ) -> Listing:
        """A need or an offer of one's organisation; what it matches is proposed to both sides at once. Raises InvalidInput, QuotaExhausted."""
        require(by, "knowledge.ask")
        made = self._checked(kind, text, skills, words, region, by)
        # Alone among all: of a need and an offer that come at once, each would miss the other.
        with self._listings.transaction(alone="matching"):
            used = sum(not one.withdrawn for one in self._listings.of_organisation(by.organisation))
            if used >= listings.OPEN_MAX:
                raise QuotaExhausted(
                    f"an organisation has {listings.OPEN_MAX} open", limit=listings.OPEN_MAX, used=used, fix="take one back: fabriek match ls"
                )  # fmt: skip
            self._listings.put(made)
            self._audit.record("listing.posted", made.id, by, kind=str(made.kind))
            self._propose(made, by)
        return made

    def listings(self, *, by: Caller) -> Sequence[Listing]:
        """Those of one's own organisation, newest first."""
        require(by, "knowledge.view")
        return self._listings.of_organisation(by.organisation) if by.organisation else []

    def matches(self, *, by: Caller) -> Sequence[Proposed]:
        """Those of one's organisation's listings, newest first."""
        mine = {one.id: one for one in self.listings(by=by)}
        found = self._listings.matches_of(mine.keys())
        return [self._proposed(one, mine[one.need if one.need in mine else one.offer]) for one in found]

    def answer(self, match_id: str, *, yes: bool, by: Caller) -> Proposed:
        """Yes or no for one's side. Both said yes: each learns who the other is. A no, also after a yes, ends it. Raises NotFound,
        NotPermitted for a colleague of who posted, WrongState.
        """
        require(by, "knowledge.ask")
        with self._listings.transaction(alone=f"match:{match_id}"):
            match, mine = self._mine(match_id, by)
            said = Said.YES if yes else Said.NO
            if match.said_by(mine.id) is not said or match.seen_from(mine.id) is Seen.OVER:
                match = listings.say(match, mine.id, said)
                self._listings.put_match(match)
                self._audit.record("match.answered", match.id, by, listing=mine.id, said=str(said))
                if match.met:
                    self._audit.record("match.met", match.id, SYSTEM, need=match.need, offer=match.offer)
        return self._proposed(match, mine)

    def withdraw(self, listing_id: str, *, by: Caller) -> Listing:
        """Takes a listing back; what it matched is over, and who met over it sees the other no longer. Raises NotFound, NotPermitted, WrongState."""
        require(by, "knowledge.ask")
        with self._listings.transaction(alone="matching"):
            found = self._listings.get(listing_id)
            if not by.organisation or found.organisation != by.organisation:
                raise nothing_here()
            _check_acts(found, by)
            if found.withdrawn:
                raise WrongState("it was taken back already", fix="fabriek match ls")
            gone = replace(found, withdrawn=True)
            self._listings.put(gone)
            for listed in self._listings.matches_of([gone.id]):
                with self._listings.transaction(alone=f"match:{listed.id}"):
                    match = self._listings.match(listed.id)
                    if match.seen_from(gone.id) is not Seen.OVER:
                        self._listings.put_match(listings.say(match, gone.id, Said.NO))
            self._audit.record("listing.withdrawn", gone.id, by)
        return gone

    def _checked(
        self, kind: str, text: str, skills: Sequence[str], words: Sequence[str], region: str, by: Caller
    ) -> Listing:
        if kind not in set(ListingKind):
            raise InvalidInput(f"{kind[:20]!r} is neither a need nor an offer", fix="need or offer")
        if not by.organisation:
            raise InvalidInput("a listing is of an organisation, and you are of none", fix="fabriek whoami")
        said, place = text.strip(), " ".join(region.split())
        if not said or len(said) > listings.TEXT_CHARACTERS_MAX or len(place) > listings.REGION_CHARACTERS_MAX:
            raise InvalidInput(
                f"a text here has 1 to {listings.TEXT_CHARACTERS_MAX} characters, and a region {listings.REGION_CHARACTERS_MAX}",
                fix="say what it is about in a few sentences",
            )
        named, free = check_skills(skills, skills_on(self._clock.today())), listings.words_from(words)
        if not named and not free:
            raise InvalidInput(
                "it names no skill by which it could be matched",
                fix="name some: --skill, or --word for one of your own",
            )
        return Listing(
            self._ids.new("lst"), ListingKind(kind), by.organisation, by.person, named, free, said, place, self._clock.now()
        )  # fmt: skip

    def _propose(self, made: Listing, by: Caller) -> None:
        names = [f"{body.name} {body.slug}" for body in self._access.organisations(by=SYSTEM)]
        other = ListingKind.OFFER if made.kind is ListingKind.NEED else ListingKind.NEED
        for one in self._listings.open(other):
            need, offer = (made, one) if made.kind is ListingKind.NEED else (one, made)
            shared = listings.shared_by(need, offer, names=names)
            if shared and one.organisation != made.organisation:
                match = Match(self._ids.new("mtc"), need.id, offer.id, shared, self._clock.now())
                self._listings.put_match(match)
                self._audit.record("match.proposed", match.id, by, need=need.id, offer=offer.id)

    def _mine(self, match_id: str, by: Caller) -> tuple[Match, Listing]:
        match = self._listings.match(match_id)
        sides = [self._listings.get(match.need), self._listings.get(match.offer)]
        mine = next((one for one in sides if by.organisation and one.organisation == by.organisation), None)
        if mine is None:
            raise nothing_here()
        _check_acts(mine, by)
        return match, mine

    def _proposed(self, match: Match, mine: Listing) -> Proposed:
        seen = match.seen_from(mine.id)
        if seen is not Seen.MET:
            return Proposed(match, mine, seen, None)
        theirs = self._listings.get(match.other_than(mine.id))
        person = self._access.person(theirs.person)
        body = self._access.organisation(theirs.organisation)
        return Proposed(match, mine, seen, Other(body.name, person.name, person.email, theirs.text, theirs.region))


def _check_acts(listing: Listing, by: Caller) -> None:
    if listing.person != by.person and not by.may("organisation.manage"):
        raise NotPermitted(
            "who posted it decides about it, and who administers your organisation",
            rule="listing.person",
            fix="ask your colleague",
        )
