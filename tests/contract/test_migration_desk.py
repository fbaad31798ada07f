"""Bookings and experts of an earlier release count in a week after the migration."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.knowledge.desk.store import SqlExperts
from fabriek.ops.migrate import migrate_database
from tests.factories.earlier import left_at


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the release before."""
    with left_at("0048", request, tmp_path) as database:
        yield database


def test_a_booking_of_before_counts_in_the_week_in_which_it_was_made(old: Database) -> None:
    row = {"id": "bkg_1", "expert": "per_1", "project": "prj_1", "person": "per_2", "hours": 3, "about": "x"}
    row |= {
        "booked_at": "2026-11-22 23:30:00+00:00" if old.dialect != "sqlite" else "2026-11-22 23:30:00.000000",
        "state": "booked",
    }
    with old.engine.begin() as connection:
        connection.execute(text("insert into knowledge_experts (person, fields) values ('per_1', 'trees')"))
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"insert into knowledge_bookings ({', '.join(row)}) values ({values})"), row)  # noqa: S608  # ours
    migrate_database(old)
    experts = SqlExperts(old)
    assert experts.booking("bkg_1").week == date(2026, 11, 23)  # half past midnight on Monday, here
    assert experts.hours_in(date(2026, 11, 23)) == {"per_1": 3}
    assert (experts.get("per_1").hours_a_week, experts.get("per_1").skills) == (8, ())
