"""A server that collects until it is killed: `python -m tests.faults.collecting HOME SECONDS`. It prints a line before each deletion."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabriek.adapters.blobs_local import LocalBlobs
from fabriek.adapters.database import Database, open_database
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import FakeClock, SystemClock
from fabriek.kernel.errors import Unavailable
from fabriek.vault.uploads import OPEN_FOR
from tests.factories.vault import World, a_world


class Telling(LocalBlobs):
    """Says what it is about to delete, so that whoever kills it knows that it is at work."""

    def delete(self, name: str) -> None:
        print(name, flush=True)
        super().delete(name)


@contextmanager
def a_world_at(home: Path, *, telling: bool = False) -> Iterator[World]:
    """The vault of a folder, for several processes one after another or at once; its clock begins where all of them say."""
    database: Database = open_database(f"sqlite:///{home}/fabriek.db")
    blobs = (Telling if telling else LocalBlobs)(home / "objects")
    try:
        yield a_world(database, blobs=blobs)
    finally:
        database.close()


def main() -> None:
    with a_world_at(Path(sys.argv[1]), telling=True) as world:
        assert isinstance(world.clock, FakeClock)
        world.clock.move(OPEN_FOR)
        print("ready", flush=True)
        while True:
            try:
                world.vault.collecting.collect(by=SYSTEM)
            except Unavailable:
                SystemClock().sleep(0.01)


if __name__ == "__main__":
    main()
