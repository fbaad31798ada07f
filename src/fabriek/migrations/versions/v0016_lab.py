"""Points are narrow rows of a series, kept to the bit; runs say what data and models they took in; experiments can be deleted."""

import math
import struct
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROWS = 10_000


def upgrade() -> None:
    with op.batch_alter_table("lab_experiments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("lab_runs", schema=None) as batch_op:
        batch_op.drop_index("lab_runs_project")
    op.create_index(
        "lab_runs_latest", "lab_runs", ["project", "experiment", "is_deleted", sa.text("started_at DESC"), "id"]
    )
    op.create_index("lab_runs_label", "lab_runs", ["project", "label", "job"])
    _create()
    _move(op.get_bind())
    op.drop_table("lab_latest")
    op.drop_table("lab_metrics")


def _create() -> None:
    whole = sa.BigInteger()
    op.create_table(
        "lab_series",
        sa.Column("id", whole.with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("points", whole, nullable=False),
        sa.Column("outlined", whole, nullable=False),
        sa.Column("last_value", sa.Float()),
        *(
            sa.Column(f"{place}_{part}", whole, nullable=False)
            for place in ("last", "end")
            for part in ("at_ms", "step", "rank")
        ),
    )
    op.create_index("lab_series_key", "lab_series", ["run", "key"], unique=True)
    op.create_table(
        "lab_points",
        *(
            sa.Column(part, whole, primary_key=True, autoincrement=False)
            for part in ("series", "at_ms", "step", "rank")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lab_outlines",
        sa.Column("series", whole, primary_key=True, autoincrement=False),
        *(
            sa.Column(f"{edge}_{part}", whole, primary_key=edge == "last", autoincrement=False, nullable=False)
            for edge in ("first", "low", "high", "last")
            for part in ("at_ms", "step", "rank")
        ),
        sa.Column("points", whole, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lab_inputs",
        *(sa.Column(name, sa.String(), primary_key=True) for name in ("run", "name", "digest")),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source_type", sa.String(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source", "schema", "profile")),
        sa.Column("context", sa.String()),
        sa.Column("tags", sa.JSON(), nullable=False),
    )
    op.create_table(
        "lab_model_links",
        sa.Column("run", sa.String(), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("way", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", whole, nullable=False),
    )
    op.create_index("ix_lab_model_links_model", "lab_model_links", ["model"])
    op.create_table(
        "lab_model_metrics",
        *(
            sa.Column(name, sa.String(), primary_key=True)
            for name in ("model", "run", "key", "dataset_name", "dataset_digest")
        ),
        sa.Column("value", sa.Float()),
        *(sa.Column(part, whole, nullable=False) for part in ("at_ms", "step", "rank")),
    )


def _move(bind: sa.Connection) -> None:
    """What was logged, series by series. Outlines are drawn when a series grows again."""
    kept = sa.table("lab_points", *(sa.column(name) for name in ("series", "at_ms", "step", "rank")))
    names = bind.execute(sa.text("SELECT DISTINCT run, key FROM lab_metrics ORDER BY run, key")).all()
    for run, key in names:
        places = sorted({(at_ms, step, _rank(value)) for at_ms, step, value in _points(bind, run, key)})
        last = max(places, key=lambda place: (place[1], place[0], place[2]))
        number = _begin(bind, run, key, len(places), last, places[-1])
        for start in range(0, len(places), ROWS):
            rows = [
                {"series": number, "at_ms": at_ms, "step": step, "rank": rank}
                for at_ms, step, rank in places[start : start + ROWS]
            ]
            bind.execute(sa.insert(kept), rows)


def _points(bind: sa.Connection, run: str, key: str) -> Iterator[Any]:
    chosen = sa.text("SELECT at_ms, step, value FROM lab_metrics WHERE run = :run AND key = :key")
    yield from bind.execute(chosen, {"run": run, "key": key})


def _begin(bind: sa.Connection, run: str, key: str, count: int, last: tuple[int, ...], end: tuple[int, ...]) -> int:
    names = ["run", "key", "points", "outlined", "last_value"]
    names += [f"{place}_{part}" for place in ("last", "end") for part in ("at_ms", "step", "rank")]
    values = dict(zip(names, [run, key, count, 0, _value(last[2]), *last, *end], strict=True))
    series = sa.table("lab_series", sa.column("id"), *(sa.column(name) for name in names))
    bind.execute(sa.insert(series).values(values))
    return int(bind.execute(sa.select(series.c.id).where(series.c.run == run, series.c.key == key)).scalar_one())


def _rank(value: float | None) -> int:
    """As `lab.metrics.rank`, which may have changed when this runs."""
    bits: int = struct.unpack("<q", struct.pack("<d", math.nan if value is None else value))[0]
    if value is None or math.isnan(value):
        return bits & 0x7FFF_FFFF_FFFF_FFFF
    return bits if bits >= 0 else bits ^ 0x7FFF_FFFF_FFFF_FFFF


def _value(rank: int) -> float | None:
    bits = rank if rank >= 0 else rank ^ 0x7FFF_FFFF_FFFF_FFFF
    value: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return None if math.isnan(value) else value
