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
    Row,
    String,
    Table,
    Text,
    delete,
    event,
    insert,
    select,
    text,
    update,
)

from fabriek.adapters.database import Database, Instant, metadata
from fabriek.kernel.errors import NotFound
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Reach
from fabriek.knowledge.search.query import words_of

entries = Table(
    "knowledge_entries",
    metadata,
    # Keywords are lines.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
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
    Index("knowledge_entries_newest", "known_to", "published_at"),
    # What a count by kind, language and label reads, and nothing of the texts.
    Index("knowledge_entries_facets", "number", "kind", "language", "label", "organisation", "known_to"),
)

_WORDS = "title, keywords, summary, text"
_FTS = "tokenize = 'unicode61 remove_diacritics 2', content = 'knowledge_entries', content_rowid = 'number'"
_OPEN = f"(rowid, {_WORDS}) select {{row}}.number, {{row}}.title, {{row}}.keywords, {{row}}.summary, {{row}}.text where {{row}}.known_to = 'all'"
_CLOSED = (
    f"(rowid, {_WORDS}, known_to) select {{row}}.number, {{row}}.title, {{row}}.keywords, {{row}}.summary, {{row}}.text, {{row}}.known_to "
    "where {row}.known_to <> 'all'"
)


def _added(row: str) -> str:
    return f"insert into knowledge_index_open {_OPEN.format(row=row)}; insert into knowledge_index_closed {_CLOSED.format(row=row)};"


def _taken(row: str) -> str:
    """As this engine takes a text out that it does not keep itself: by being told what it was."""
    out = [
        f"insert into {table} ({table}, {rest.format(row=row)[1:].replace('select ', f'select {chr(39)}delete{chr(39)}, ', 1)};"
        for table, rest in (("knowledge_index_open", _OPEN), ("knowledge_index_closed", _CLOSED))
    ]
    return " ".join(out)


INDEX_SQLITE = (
    f"create virtual table knowledge_index_open using fts5({_WORDS}, {_FTS})",
    f"create virtual table knowledge_index_closed using fts5({_WORDS}, known_to, {_FTS})",
    "create virtual table knowledge_index_words using fts5vocab(knowledge_index_open, row)",
    f"create trigger knowledge_entry_added after insert on knowledge_entries begin {_added('new')} end",
    f"create trigger knowledge_entry_removed after delete on knowledge_entries begin {_taken('old')} end",
    f"create trigger knowledge_entry_changed after update on knowledge_entries begin {_taken('old')} {_added('new')} end",
)
"""What everybody may know of lies apart from the rest: how rare a word is, and so the order of what is found, tells nothing of what is hidden."""

INDEX_POSTGRESQL = (
    (
        "create table knowledge_index (number bigint primary key references knowledge_entries (number) on delete cascade, "
        "title text not null, keywords text not null, summary text not null, words text not null, found tsvector generated always as "
        "(setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', keywords), 'B') || "
        "setweight(to_tsvector('simple', summary), 'C') || setweight(to_tsvector('simple', words), 'D')) stored)"
    ),
    "create index knowledge_index_found on knowledge_index using gin (found)",
)
for dialect, statements in (("sqlite", INDEX_SQLITE), ("postgresql", INDEX_POSTGRESQL)):
    for one in statements:
        event.listen(metadata, "after_create", DDL(one.replace("%", "%%")).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


class SqlEntries:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, entry: Entry) -> None:
        row = _row(entry)
        if not self._db.execute(update(entries).where(entries.c.id == entry.id).values(**row)):
            self._db.execute(insert(entries).values(**row))
        self._index([entry])

    def add_many(self, some: Sequence[Entry]) -> None:
        """Entries that are new, all at once."""
        self._db.execute(insert(entries), [_row(entry) for entry in some])
        self._index(some)

    def remove(self, entry_id: str) -> None:
        self._db.execute(delete(entries).where(entries.c.id == entry_id))

    def get(self, entry_id: str) -> Entry:
        row = self._db.row(select(entries).where(entries.c.id == entry_id))
        if row is None:
            raise NotFound("there is no such thing, or you may not know of it", fix="fabriek catalogue search")
        return entry_of(row)

    def of_subject(self, subject: str) -> Entry | None:
        row = self._db.row(select(entries).where(entries.c.subject == subject))
        return None if row is None else entry_of(row)

    def _index(self, some: Sequence[Entry]) -> None:
        if self._db.dialect == "sqlite":  # its triggers do it
            return
        rows = [{"id": entry.id, **_folded(entry)} for entry in some]
        self._db.execute(text(
            "insert into knowledge_index (number, title, keywords, summary, words) "
            "select number, :title, :keywords, :summary, :words from knowledge_entries where id = :id "
            "on conflict (number) do update set title = excluded.title, keywords = excluded.keywords, summary = excluded.summary, "
            "words = excluded.words"
        ), rows)  # fmt: skip


def _folded(entry: Entry) -> dict[str, str]:
    """Its words as they are asked for: PostgreSQL's reader would take an address or a version for one word."""
    parts = {"title": entry.title, "keywords": " ".join(entry.keywords), "summary": entry.summary, "words": entry.text}
    return {name: " ".join(words_of(said)) for name, said in parts.items()}


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
)


def _row(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _PLAIN}
    return row | {"keywords": "\n".join(entry.keywords), "reach": str(entry.reach), "kind": str(entry.kind)}


def entry_of(row: Row[Any]) -> Entry:
    """Of a row with all columns."""
    return Entry(
        row.id, EntryKind(row.kind), row.subject, row.project, row.organisation, row.label, row.title, row.summary, row.licence, row.terms,
        tuple(row.keywords.splitlines()), row.language, row.text, row.published_at, Reach(row.reach),
    )  # fmt: skip
