"""The catalogue: entries that not everybody may know of, and an index that keeps those apart."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant
from fabriek.knowledge.catalogue.store import INDEX_POSTGRESQL, INDEX_SQLITE

revision = "0048"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_entries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("known_to", sa.String(), nullable=False),
        sa.Column("reach", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("doi", sa.String(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_index("knowledge_entries_newest", "knowledge_entries", ["known_to", "published_at"])
    op.create_index("knowledge_entries_reach", "knowledge_entries", ["reach", "number"])
    op.create_index(
        "knowledge_entries_facets",
        "knowledge_entries",
        ["number", "kind", "language", "label", "organisation", "known_to"],
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    folded = (
        ""
        if sqlite
        else "insert into knowledge_index (number, known_to, title, keywords, summary, words) select e.number, 'all', i.title, '', '', i.words "
    )
    if not sqlite:
        op.execute("alter table knowledge_index rename to knowledge_index_before")
        op.execute("alter index knowledge_index_found rename to knowledge_index_found_before")
    for statement in INDEX_SQLITE if sqlite else INDEX_POSTGRESQL:
        op.execute(statement)
    columns = "id, kind, language, label, organisation, project, subject, published_at, title, keywords, summary, licence, terms, text"
    told = sa.table("knowledge_cards", *(sa.column(name) for name in columns.split(", ")))
    made = sa.table(
        "knowledge_entries",
        *(sa.column(name) for name in ["number", *columns.split(", "), "known_to", "reach", "doi", "authors"]),
    )
    cards = sa.table("knowledge_cards", sa.column("id"), sa.column("keywords", sa.JSON()))
    keywords = {row.id: "\n".join(row.keywords) for row in op.get_bind().execute(sa.select(cards))}
    names = [name for name in columns.split(", ") if name != "keywords"]
    before = sa.select(*(told.c[name] for name in names)).order_by(told.c.published_at)
    for number, row in enumerate(op.get_bind().execute(before).mappings().all(), 1):
        values = {**row, "number": number, "keywords": keywords[row["id"]], "known_to": "all", "reach": "everyone"}
        values |= {"doi": "", "authors": ""}
        op.execute(made.insert().values(**values))
    if sqlite:
        op.execute(
            "insert into knowledge_index_open (rowid, title, keywords, summary, text) "
            "select number, title, keywords, summary, text from knowledge_entries"
        )
    else:
        op.execute(f"{folded} from knowledge_index_before i join knowledge_entries e on e.id = i.card")
    op.execute(f"drop table {'knowledge_index' if sqlite else 'knowledge_index_before'}")
    op.drop_table("knowledge_cards")
