"""`fabriek migrate`: from whatever schema the database has to this release's; all or nothing on both databases."""

from pathlib import Path

import click
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from fabriek.adapters.database import Database, open_database
from fabriek.kernel.errors import WrongState
from fabriek.ops.home import Home
from fabriek.settings import read_settings

HERE = Path(__file__).parent.parent / "migrations"
"""Files are named for their revision: `v0001_first.py` holds `0001`."""


def known_schemas() -> list[str]:
    """Every revision of the chain, oldest first; the last is this release's."""
    return [file.stem[1:5] for file in sorted((HERE / "versions").glob("v[0-9]*_*.py"))]


def migrate_database(database: Database) -> str:
    """Brings the database to this release and returns its revision. Raises WrongState when a newer release wrote it.

    One transaction holds the whole chain, so that a process killed half-way leaves the old schema whole.
    """
    known = known_schemas()
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.execute(text("select pg_advisory_xact_lock(hashtextextended('fabriek.migrate', 0))"))
        present = None
        if inspect(connection).has_table("alembic_version"):
            present = connection.execute(text("select version_num from alembic_version")).scalar()
        if present is not None and present not in known:
            raise WrongState(
                f"the database was written by a newer release (schema {present})",
                fix="pip install --upgrade 'fabriek[server]'",
            )
        if present != known[-1]:
            _upgrade(connection)
        if database.dialect == "sqlite":
            connection.exec_driver_sql("COMMIT")
        else:
            connection.commit()
    return known[-1]


def _upgrade(connection: Connection) -> None:
    # A fifth of a second, which only a database that is behind should cost.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the installation; default ~/.fabriek.")
def migrate(home: Path | None) -> None:
    """Bring the database to this release. `fabriek up` does it by itself; `serve` at scale does not."""
    settings = read_settings(home=home)
    place = Home(settings.home)
    place.prepare()
    with place.hold():
        place.check_release(known_schemas())
        database = open_database(settings.database)
        click.echo(f"the database has schema {migrate_database(database)}")
        database.close()
