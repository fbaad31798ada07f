"""Who was with whom in a project before the release that keeps it apart from the audit log is still known after it, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from fabriek.access.store import SqlProjects
from fabriek.adapters.database import Database, open_database
from fabriek.ops.migrate import HERE, migrate_database
from tests.servers import postgres

DAMAGED = b'{"person":"per_x\xff"}'


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as the release before left it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/fabriek.db"
    else:
        url = postgres.fresh_database(request.getfixturevalue("postgres_url"), f"members_{tmp_path.name}".lower())
    database = open_database(url)
    with database.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.attributes["connection"] = connection
        command.upgrade(config, "0033")
        events = [
            ("2024-01-01T10:00:00.000000Z", "project.member_added", "prj_1", '{"person":"per_a","role":"member"}'),
            ("2025-01-01T10:00:00.000000Z", "project.member_removed", "prj_1", '{"person":"per_a"}'),
            ("2024-01-01T10:00:00.000000Z", "project.member_restored", "prj_2", '{"person":"per_a","role":"lead"}'),
            ("2025-01-01T10:00:00.000000Z", "project.opened", "prj_3", '{"person":"per_a"}'),
            ("2025-01-01T10:00:00.000000Z", "project.member_added", "prj_4", "no JSON"),
            ("2025-01-01T10:00:00.000000Z", "project.member_added", "prj_5", '["per_a"]'),
        ]
        if request.param == "sqlite":
            events.append(("2025-01-01T10:00:00.000000Z", "project.member_added", "prj_6", DAMAGED))  # type: ignore[arg-type]
        for number, (at, action, subject, facts) in enumerate(events, 1):
            connection.execute(
                text("insert into audit_events (number, id, at, action, subject, person, organisation, job, request, facts)"
                     " values (:number, :id, :at, :action, :subject, 'per_by', '', '', '', :facts)"),
                {"number": number, "id": f"evt_{number}", "at": at, "action": action, "subject": subject, "facts": facts},
            )  # fmt: skip
    yield database
    database.close()


def test_the_newest_change_of_each_is_taken_over_and_what_is_damaged_stops_nothing(old: Database) -> None:
    migrate_database(old)
    kept = SqlProjects(old)
    assert kept.changed_for("per_a", datetime(2023, 1, 1, tzinfo=UTC)) == {"prj_1", "prj_2"}
    assert kept.changed_for("per_a", datetime(2024, 6, 1, tzinfo=UTC)) == {"prj_1"}
    assert kept.changed_for("per_a", datetime(2025, 1, 1, 10, tzinfo=UTC)) == {"prj_1"}
    assert kept.changed_for("per_a", datetime(2025, 1, 1, 10, 0, 1, tzinfo=UTC)) == frozenset()
    assert kept.changed_for("per_by", datetime(2023, 1, 1, tzinfo=UTC)) == frozenset()
