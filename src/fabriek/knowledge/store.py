"""The SQL of knowledge. Both databases search the same folded words: SQLite with FTS5, PostgreSQL with its own full text."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import DDL, JSON, Column, Integer, Row, String, Table, Text, event, insert, select, text, update

from fabriek.adapters.database import Database, Instant, metadata
from fabriek.kernel.errors import NotFound
from fabriek.knowledge.cards import Card, CardKind
from fabriek.knowledge.experts import Booking, BookingState, Expert
from fabriek.knowledge.questions import Answer, Question
from fabriek.knowledge.searching import folded

cards = Table(
    "knowledge_cards",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False, unique=True),
    Column("project", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("label", String, nullable=False),
    Column("title", String, nullable=False),
    Column("summary", Text, nullable=False),
    Column("licence", String, nullable=False),
    Column("terms", Text, nullable=False),
    Column("keywords", JSON, nullable=False),
    Column("language", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
)

INDEX_SQLITE = "create virtual table knowledge_index using fts5(card unindexed, title, words, tokenize = 'unicode61')"
INDEX_POSTGRESQL = (
    "create table knowledge_index (card text primary key, title text not null, words text not null, found tsvector generated always as "
    "(setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', words)) stored); "
    "create index knowledge_index_found on knowledge_index using gin (found)"
)
event.listen(metadata, "after_create", DDL(INDEX_SQLITE).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
event.listen(metadata, "after_create", DDL(INDEX_POSTGRESQL).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]

questions = Table(
    "knowledge_questions",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
)

answers = Table(
    "knowledge_answers",
    metadata,
    Column("id", String, primary_key=True),
    Column("question", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("answered_at", Instant, nullable=False),
)

experts = Table(
    "knowledge_experts", metadata, Column("person", String, primary_key=True), Column("fields", Text, nullable=False)
)

bookings = Table(
    "knowledge_bookings",
    metadata,
    Column("id", String, primary_key=True),
    Column("expert", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("person", String, nullable=False),
    Column("hours", Integer, nullable=False),
    Column("about", Text, nullable=False),
    Column("booked_at", Instant, nullable=False),
    Column("state", String, nullable=False),
)


class SqlCards:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, card: Card) -> None:
        row = asdict(card) | {"keywords": list(card.keywords)}
        if not self._db.execute(update(cards).where(cards.c.id == card.id).values(**row)):
            self._db.execute(insert(cards).values(**row))
        words = folded("\n".join([card.summary, " ".join(card.keywords), card.text]))
        self._db.execute(text("delete from knowledge_index where card = :card"), {"card": card.id})
        entry = {"card": card.id, "title": folded(card.title), "words": words}
        self._db.execute(text("insert into knowledge_index (card, title, words) values (:card, :title, :words)"), entry)

    def get(self, card_id: str) -> Card:
        row = self._db.row(select(cards).where(cards.c.id == card_id))
        if row is None:
            raise NotFound("there is no such thing, or you may not know of it", fix="fabriek catalogue search")
        return _card(row)

    def of_subject(self, subject: str) -> Card | None:
        row = self._db.row(select(cards).where(cards.c.subject == subject))
        return None if row is None else _card(row)

    def search(self, words: Sequence[str], *, kind: str, limit: int) -> Sequence[Card]:
        if not words:
            wanted = select(cards).order_by(cards.c.published_at.desc()).limit(limit)
            rows = self._db.rows(wanted.where(cards.c.kind == kind) if kind else wanted)
            return [_card(row) for row in rows]
        found = [
            row[0] for row in self._db.rows(text(self._ranked()), {"asked": self._asked(words), "most": limit * 4})
        ]
        listed = {row.id: _card(row) for row in self._db.rows(select(cards).where(cards.c.id.in_(found)))}
        ordered = [listed[one] for one in found if one in listed and (not kind or listed[one].kind == kind)]
        return ordered[:limit]

    def _asked(self, words: Sequence[str]) -> str:
        """The words as the engine takes them: each quoted or bare letters and digits only, so that none is an operator."""
        if self._db.dialect == "sqlite":
            return " ".join(f'"{word}"' for word in words[:-1]) + f' "{words[-1]}"*'
        return " & ".join([*words[:-1], f"{words[-1]}:*"])

    def _ranked(self) -> str:
        if self._db.dialect == "sqlite":
            return "select card from knowledge_index where knowledge_index match :asked order by bm25(knowledge_index, 0, 4, 1) limit :most"
        return (
            "select card from knowledge_index, to_tsquery('simple', :asked) asked where found @@ asked "
            "order by ts_rank(found, asked) desc, card limit :most"
        )


class SqlQuestions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, question: Question) -> None:
        self._db.execute(insert(questions).values(**asdict(question)))

    def get(self, question_id: str) -> Question:
        row = self._db.row(select(questions).where(questions.c.id == question_id))
        if row is None:
            raise NotFound("there is no such question", fix="fabriek ask ls")
        return Question(row.id, row.person, row.text, row.asked_at)

    def all(self, *, limit: int) -> Sequence[Question]:
        rows = self._db.rows(select(questions).order_by(questions.c.id.desc()).limit(limit))
        return [Question(row.id, row.person, row.text, row.asked_at) for row in rows]

    def add_answer(self, answer: Answer) -> None:
        self._db.execute(insert(answers).values(**asdict(answer)))

    def answers(self, question_id: str) -> Sequence[Answer]:
        rows = self._db.rows(select(answers).where(answers.c.question == question_id).order_by(answers.c.id))
        return [Answer(row.id, row.question, row.person, row.text, row.answered_at) for row in rows]


class SqlExperts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, expert: Expert) -> None:
        if not self._db.execute(update(experts).where(experts.c.person == expert.person).values(fields=expert.fields)):
            self._db.execute(insert(experts).values(**asdict(expert)))

    def get(self, person: str) -> Expert:
        row = self._db.row(select(experts).where(experts.c.person == person))
        if row is None:
            raise NotFound("there is no such expert", fix="fabriek expert ls")
        return Expert(row.person, row.fields)

    def all(self) -> Sequence[Expert]:
        return [Expert(row.person, row.fields) for row in self._db.rows(select(experts).order_by(experts.c.person))]

    def put_booking(self, booking: Booking) -> None:
        if not self._db.execute(update(bookings).where(bookings.c.id == booking.id).values(**asdict(booking))):
            self._db.execute(insert(bookings).values(**asdict(booking)))

    def booking(self, booking_id: str) -> Booking:
        row = self._db.row(select(bookings).where(bookings.c.id == booking_id))
        if row is None:
            raise NotFound("there is no such booking", fix="fabriek expert bookings")
        return _booking(row)

    def bookings(self, person: str) -> Sequence[Booking]:
        mine = (bookings.c.expert == person) | (bookings.c.person == person)
        return [_booking(row) for row in self._db.rows(select(bookings).where(mine).order_by(bookings.c.id.desc()))]


def _card(row: Row[Any]) -> Card:
    return Card(**(dict(row._mapping) | {"kind": CardKind(row.kind), "keywords": tuple(row.keywords)}))  # noqa: SLF001  # a row's names


def _booking(row: Row[Any]) -> Booking:
    return Booking(**(dict(row._mapping) | {"state": BookingState(row.state)}))  # noqa: SLF001  # a row's names
