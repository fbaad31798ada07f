"""The SQL of the catalogue's entries. SQLite's own full text reads them from this table; for PostgreSQL their folded words stand beside it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    event,
    func,
    select,
    text,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant, instant_of
from fabriek.kernel.errors import NotFound
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Reach
from fabriek.knowledge.search.query import words_of

entries = Table(
    "knowledge_entries",
    metadata,
    # Keywords and authors are lines.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("language", String, nullable=False),
    Column("label", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("known_to", String, nullable=False),
    Column("reach", String, nullable=False),
    Column("project", String, nullable=False),
    Column("subject", String, nullable=False, unique=True),
    Column("published_at", Instant, nullable=False),
    Column("title", String, nullable=False),
    Column("keywords", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("licence", String, nullable=False),
    Column("terms", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("doi", String, nullable=False),
    Column("authors", Text, nullable=False),
    Index("knowledge_entries_newest", "known_to", "published_at"),
    Index("knowledge_entries_reach", "reach", "number"),
    # What a count by kind, language and label reads, and nothing of the texts.
    Index("knowledge_entries_facets", "number", "kind", "language", "label", "organisation", "known_to"),
)

_OPEN = "title, keywords, summary, text"
_CLOSED = f"{_OPEN}, known_to"
_FTS = "tokenize = 'unicode61 remove_diacritics 2', content = 'knowledge_entries', content_rowid = 'number'"
_KEPT = ", rank) values ('hashsize', 16777216)"

INDEX_SQLITE = (
    f"create virtual table knowledge_index_open using fts5({_OPEN}, {_FTS})",
    f"create virtual table knowledge_index_closed using fts5({_CLOSED}, {_FTS})",
    "create virtual table knowledge_index_words using fts5vocab(knowledge_index_open, row)",
    # So much is gathered before it is written: many entries at once are indexed in a third of the time.
    f"insert into knowledge_index_open (knowledge_index_open{_KEPT}",
    f"insert into knowledge_index_closed (knowledge_index_closed{_KEPT}",
)
"""What everybody may know of lies apart from the rest: how rare a word is, and so the order of what is found, tells nothing of what is hidden.
No triggers keep them: for each row they would write what could be gathered.
"""

INDEX_POSTGRESQL = (
    (
        "create table knowledge_index (number bigint primary key references knowledge_entries (number) on delete cascade, "
        # Beside the words, so that who may not know of an entry costs no look at it.
        "known_to text not null, "
        "title text not null, keywords text not null, summary text not null, words text not null, found tsvector generated always as "
        "(setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', keywords), 'B') || "
        "setweight(to_tsvector('simple', summary), 'C') || setweight(to_tsvector('simple', words), 'D')) stored)"
    ),
    # Those that everybody may know of. The others are found by who may, so that the time which a query takes tells nothing of them.
    "create index knowledge_index_found on knowledge_index using gin (found) where known_to = 'all'",
    "create index knowledge_index_known on knowledge_index (known_to) where known_to <> 'all'",
    # Title and keywords alone, for words that very many have.
    "create index knowledge_index_top on knowledge_index using gin (ts_filter(found, '{a,b}')) where known_to = 'all'",
)
for dialect, statements in (("sqlite", INDEX_SQLITE), ("postgresql", INDEX_POSTGRESQL)):
    for one in statements:
        event.listen(metadata, "after_create", DDL(one.replace("%", "%%")).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


DESCRIBED = (str(EntryKind.DATASET), str(EntryKind.MODEL))
"""What other catalogues are told of: a guide is no dataset."""


GATHERED_MIN = 500
"""What PostgreSQL gathered of so many would be read through by every query until it is written into the index: five milliseconds each."""


class SqlEntries:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, entry: Entry) -> None:
        number = self._db.scalar(select(entries.c.number).where(entries.c.id == entry.id))
        if number is None:
            self.add_many([entry])
            return
        self._forget(number)
        self._db.execute(update(entries).where(entries.c.number == number).values(**_row(entry)))
        self._index([(number, entry)])

    def add_many(self, some: Sequence[Entry]) -> None:
        """Entries that are new, all at once. Their numbers follow those that are there."""
        with self._db.transaction(alone="knowledge:entries"):
            first = (self._db.scalar(select(func.max(entries.c.number))) or 0) + 1
            made = Instant().dialect_impl(self._db.engine.dialect).bind_processor(self._db.engine.dialect)
            rows = [
                (
                    number, one.id, str(one.kind), one.language, one.label, one.organisation, one.known_to, str(one.reach), one.project, one.subject,
                    made(one.published_at) if made else one.published_at, one.title, "\n".join(one.keywords), one.summary, one.licence, one.terms,
                    one.text, one.doi, "\n".join(one.authors),
                )
                for number, one in enumerate(some, first)
            ]  # fmt: skip
            self._db.insert_many(entries, rows)
            self._index(list(enumerate(some, first)))

    def remove(self, entry_id: str) -> None:
        number = self._db.scalar(select(entries.c.number).where(entries.c.id == entry_id))
        if number is not None:
            self._forget(number)
            self._db.execute(delete(entries).where(entries.c.number == number))

    def get(self, entry_id: str) -> Entry:
        row = self._db.row(select(entries).where(entries.c.id == entry_id))
        if row is None:
            raise NotFound("there is no such thing, or you may not know of it", fix="fabriek catalogue search")
        return entry_of(row)

    def of_subject(self, subject: str) -> Entry | None:
        row = self._db.row(select(entries).where(entries.c.subject == subject))
        return None if row is None else entry_of(row)

    def of_subjects(self, subjects: Sequence[str]) -> Sequence[Entry]:
        wanted = select(entries).where(entries.c.subject.in_(list(subjects)))
        found = {row.subject: entry_of(row) for row in self._db.rows(wanted)} if subjects else {}
        return [found[one] for one in subjects if one in found]

    def of_kinds(self, kinds: Sequence[EntryKind], *, project: str) -> Sequence[Entry]:
        of = entries.c.kind.in_([str(one) for one in kinds]), entries.c.project == project
        return [entry_of(row) for row in self._db.rows(select(entries).where(*of).order_by(entries.c.number))]

    def of_the_world(self, *, start: int, limit: int) -> tuple[Sequence[Entry], int]:
        world = and_(entries.c.reach == str(Reach.WORLD), entries.c.kind.in_(DESCRIBED))
        total = self._db.scalar(select(func.count()).where(world)) or 0
        rows = self._db.rows(select(entries).where(world).order_by(entries.c.number).offset(start).limit(limit))
        return [entry_of(row) for row in rows], total

    def _index(self, numbered: Sequence[tuple[int, Entry]]) -> None:
        if self._db.dialect == "sqlite":
            first, last = numbered[0][0], numbered[-1][0]
            self._index_sqlite("", first, last)
            return
        self._db.insert_many(_INDEXED, [(number, entry.known_to, *_folded(entry)) for number, entry in numbered])
        if len(numbered) >= GATHERED_MIN:
            for name in ("knowledge_index_found", "knowledge_index_top"):
                self._db.execute(text(f"select gin_clean_pending_list('{name}')"))  # ours

    def _forget(self, number: int) -> None:
        """Before the entry is changed: this engine is told what a text was, since it keeps none."""
        if self._db.dialect == "sqlite":
            self._index_sqlite("delete", number, number)
        else:
            self._db.execute(text("delete from knowledge_index where number = :number"), {"number": number})
        self._db.execute(text("delete from knowledge_meanings where number = :number"), {"number": number})

    def _index_sqlite(self, act: str, first: int, last: int) -> None:
        for table, columns, which in (("knowledge_index_open", _OPEN, "="), ("knowledge_index_closed", _CLOSED, "<>")):
            into, what = (f"{table}, rowid, ", f"'{act}', number, ") if act else ("rowid, ", "number, ")
            said = (
                f"insert into {table} ({into}{columns}) select {what}{columns} from knowledge_entries "  # noqa: S608  # ours
                f"where number between :first and :last and known_to {which} 'all'"
            )
            self._db.execute(text(said), {"first": first, "last": last})


_INDEXED = Table(
    "knowledge_index",
    MetaData(),
    *(Column(name) for name in ("number", "known_to", "title", "keywords", "summary", "words")),
)
"""As rows are given to it: what PostgreSQL makes of them itself is left out."""


def _folded(entry: Entry) -> tuple[str, ...]:
    """Its words as they are asked for: PostgreSQL's reader would take an address or a version for one word."""
    parts = (entry.title, " ".join(entry.keywords), entry.summary, entry.text)
    return tuple(" ".join(words_of(said)) for said in parts)


_PLAIN = (
    "id",
    "language",
    "label",
    "organisation",
    "known_to",
    "project",
    "subject",
    "published_at",
    "title",
    "summary",
    "licence",
    "terms",
    "text",
    "doi",
)


def _row(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _PLAIN}
    return row | {
        "keywords": "\n".join(entry.keywords),
        "authors": "\n".join(entry.authors),
        "reach": str(entry.reach),
        "kind": str(entry.kind),
    }


COLUMNS_OF_ENTRY = (
    "id", "kind", "subject", "project", "organisation", "label", "title", "summary", "licence", "terms", "keywords", "language", "text",
    "published_at", "reach", "doi", "authors",
)  # fmt: skip
"""In the order in which an entry has them."""


def entry_of(row: Row[Any]) -> Entry:
    """Of a row with all columns."""
    return entry_from([getattr(row, name) for name in COLUMNS_OF_ENTRY])


def entry_from(values: Sequence[Any]) -> Entry:
    """Of the values of COLUMNS_OF_ENTRY, as the driver gives them."""
    said = dict(zip(COLUMNS_OF_ENTRY, values, strict=True))
    said |= {
        "kind": EntryKind(said["kind"]),
        "reach": Reach(said["reach"]),
        "published_at": instant_of(said["published_at"]),
    }
    said |= {"keywords": tuple(said["keywords"].splitlines()), "authors": tuple(said["authors"].splitlines())}
    return Entry(**said)
