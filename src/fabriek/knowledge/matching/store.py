"""The SQL of needs, offers and their matches."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Boolean, Column, Row, String, Table, Text, UniqueConstraint, or_, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.knowledge.matching.listings import Listing, ListingKind, Match, Said

listings = Table(
    "knowledge_listings",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("organisation", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("skills", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("region", String, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
)

matches = Table(
    "knowledge_matches",
    metadata,
    Column("id", String, primary_key=True),
    Column("need", String, nullable=False),
    Column("offer", String, nullable=False, index=True),
    Column("shared", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("need_said", String, nullable=False),
    Column("offer_said", String, nullable=False),
    UniqueConstraint("need", "offer"),
)


class SqlListings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, listing: Listing) -> None:
        lists = {"skills": "\n".join(listing.skills), "words": "\n".join(listing.words)}
        self._db.put(listings, asdict(listing) | lists, ["id"])

    def get(self, listing_id: str) -> Listing:
        row = self._db.row(select(listings).where(listings.c.id == listing_id))
        if row is None:
            raise nothing_here()
        return _listing(row)

    def of_organisation(self, organisation: str) -> Sequence[Listing]:
        wanted = select(listings).where(listings.c.organisation == organisation).order_by(listings.c.id.desc())
        return [_listing(row) for row in self._db.rows(wanted)]

    def open(self, kind: ListingKind) -> Sequence[Listing]:
        wanted = (
            select(listings).where(listings.c.kind == kind, listings.c.withdrawn.is_(False)).order_by(listings.c.id)
        )
        return [_listing(row) for row in self._db.rows(wanted)]

    def put_match(self, match: Match) -> None:
        self._db.put(matches, asdict(match) | {"shared": "\n".join(match.shared)}, ["id"])

    def match(self, match_id: str) -> Match:
        row = self._db.row(select(matches).where(matches.c.id == match_id))
        if row is None:
            raise nothing_here()
        return _match(row)

    def matches_of(self, listings: Collection[str]) -> Sequence[Match]:
        theirs = or_(matches.c.need.in_(listings), matches.c.offer.in_(listings))
        return [_match(row) for row in self._db.rows(select(matches).where(theirs).order_by(matches.c.id.desc()))]


def _listing(row: Row[Any]) -> Listing:
    return Listing(
        row.id, ListingKind(row.kind), row.organisation, row.person, tuple(row.skills.splitlines()), tuple(row.words.splitlines()), row.text,
        row.region, row.posted_at, row.withdrawn,
    )  # fmt: skip


def _match(row: Row[Any]) -> Match:
    return Match(
        row.id, row.need, row.offer, tuple(row.shared.splitlines()), row.proposed_at, Said(row.need_said), Said(row.offer_said)
    )  # fmt: skip
