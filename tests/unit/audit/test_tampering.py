# ruff: noqa: S311, S608  # the dice must fall the same way in every run, and the SQL is our own
"""P6: the log is changed where it is stored, in every way that a meddler with the database has; each is seen, and its place named."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.kernel.errors import Damaged
from fabriek.kernel.tlog.verify import Report, Trust, verify
from tests.factories.audit import AUDITOR, an_audit, write
from tests.factories.tables import a_database

ENTRIES = 300
TRIES = 40
COLUMNS = ("id", "at", "action", "subject", "person", "organisation", "job", "request", "facts")


class TakenBack(Exception):
    """Ends a transaction without keeping it."""


@contextmanager
def taken_back(database: Database) -> Iterator[Callable[..., int]]:
    """A way to run SQL against the log; at the end all of it is undone."""
    with suppress(TakenBack), database.transaction():
        yield lambda statement, **values: database.execute(text(statement), values)
        raise TakenBack


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Database, Audit, str]:
    """A log of 300 entries, and the checkpoint that somebody kept when it had 280."""
    database = a_database(tmp_path_factory.mktemp("log") / "fabriek.db")
    audit = an_audit(database)
    write(audit, ENTRIES - 20, database)
    audit.sequence()
    kept = audit.checkpoint()
    write(audit, 20, database)
    audit.sequence()
    return database, audit, kept


def after(
    log: tuple[Database, Audit, str], meddle: Callable[[Callable[..., int]], object], *, kept: bool = False
) -> Report:
    """What a verifier says who knows the key, after the meddling, which is then taken back."""
    database, audit, note = log
    with taken_back(database) as sql:
        meddle(sql)
        return verify(audit._lines(), Trust(audit.key, (note,) if kept else ()), audit._clock.now())


def test_the_untouched_log_holds(log) -> None:
    assert after(log, lambda sql: None, kept=True).findings == ()


@pytest.mark.parametrize("seed", range(TRIES))
def test_a_changed_character_of_any_field_is_seen_and_its_entry_named(log, seed: int) -> None:
    dice = random.Random(seed)
    leaf, column = dice.randrange(ENTRIES), dice.choice(COLUMNS)
    bit = 64 if column == "id" else 1 << dice.randrange(7)  # another number in an id may be the id of another entry

    def flip(sql) -> None:
        database = log[0]
        stored = str(database.scalar(text(f"select {column} from audit_events where leaf = {leaf}")))
        place = dice.randrange(len(stored)) if stored else 0
        changed = stored[:place] + chr(ord(stored[place]) ^ bit) + stored[place + 1 :] if stored else "x"
        assert sql(f"update audit_events set {column} = :changed where leaf = {leaf}", changed=changed) == 1

    assert after(log, flip).findings[0].startswith(f"entry {leaf} (")


@pytest.mark.parametrize("value", ["cast(x'ff00' as text)", "x'00ff'", "7", "1.5", "'{}'"])
def test_a_field_of_another_type_is_seen(log, value: str) -> None:
    report = after(log, lambda sql: sql(f"update audit_events set facts = {value} where leaf = 7"))
    assert report.findings[0].startswith(("entry 7 (", "entry 7 is missing"))
    assert len(report.findings) == 1


@pytest.mark.parametrize("leaf", [0, 1, 17, 255, 256, ENTRIES - 1])
def test_a_deleted_entry_is_seen_and_named(log, leaf: int) -> None:
    report = after(log, lambda sql: sql("delete from audit_events where leaf = :leaf", leaf=leaf))
    assert report.findings == (f"entry {leaf} is missing",)


@pytest.mark.parametrize("seed", range(TRIES))
def test_two_entries_in_each_others_place_are_seen(log, seed: int) -> None:
    one, other = random.Random(seed).sample(range(ENTRIES), 2)

    def swap(sql) -> None:
        for old, new in ((one, -1), (other, one), (-1, other)):
            sql("update audit_events set leaf = :new where leaf = :old", old=old, new=new)

    assert f"entry {min(one, other)} (" in after(log, swap).findings[0]


@pytest.mark.parametrize("leaf", [0, 5, 256, ENTRIES - 1, ENTRIES])
def test_an_inserted_entry_is_seen(log, leaf: int) -> None:
    def insert(sql) -> None:
        sql("update audit_events set leaf = -leaf - 2 where leaf >= :leaf", leaf=leaf)
        sql("update audit_events set leaf = -leaf - 1 where leaf < -1")
        names = ",".join(name for name in COLUMNS if name != "id")
        sql(
            f"insert into audit_events (leaf, id, {names}) select :leaf, 'evt_forged', {names} from audit_events limit 1",
            leaf=leaf,
        )

    assert f"entry {leaf} (evt_forged)" in after(log, insert).findings[0]


@pytest.mark.parametrize("seed", range(TRIES))
def test_a_flipped_bit_of_any_tile_is_seen_and_the_tile_named(log, seed: int) -> None:
    dice = random.Random(seed)
    level, index = dice.choice([(0, 0), (0, 1), (1, 0)])

    def flip(sql) -> None:
        stored = bytearray(
            log[0].scalar(
                text('select hashes from audit_tiles where level = :l and "index" = :i'), {"l": level, "i": index}
            )
        )
        stored[dice.randrange(len(stored))] ^= 1 << dice.randrange(8)
        sql(
            'update audit_tiles set hashes = :hashes where level = :l and "index" = :i',
            hashes=bytes(stored),
            l=level,
            i=index,
        )

    assert after(log, flip).findings[0].startswith(f"tile {level}/{index} ")


@pytest.mark.parametrize("place", ['0 and "index" = 0', '0 and "index" = 1', '1 and "index" = 0'])
@pytest.mark.parametrize(
    "act", ["delete from audit_tiles", "update audit_tiles set hashes = substr(hashes, 1, length(hashes) - 32)"]
)
def test_a_tile_that_is_gone_or_cut_is_seen(log, act: str, place: str) -> None:
    assert after(log, lambda sql: sql(f"{act} where level = {place}")).findings[0].startswith("tile ")


@pytest.mark.parametrize("seed", range(TRIES))
def test_a_changed_checkpoint_is_seen(log, seed: int) -> None:
    dice = random.Random(seed)
    note = log[1].checkpoint()
    place = dice.randrange(len(note))
    changed = note[:place] + chr(ord(note[place]) ^ (1 << dice.randrange(6))) + note[place + 1 :]
    report = after(log, lambda sql: sql("update audit_checkpoint set note = :note", note=changed))
    assert report.findings[0].startswith("the checkpoint ")


def test_a_checkpoint_that_is_gone_is_seen(log) -> None:
    assert after(log, lambda sql: sql("delete from audit_checkpoint")).findings[0] == "the checkpoint is not readable"


def test_an_older_checkpoint_put_back_over_the_same_entries_is_seen(log) -> None:
    report = after(log, lambda sql: sql("update audit_checkpoint set note = :note", note=log[2]))
    assert report.findings[0].startswith(f"entry {ENTRIES - 20} (")


def test_a_log_cut_back_to_an_older_state_in_every_table_is_seen_by_whoever_kept_a_newer_checkpoint(log) -> None:
    database, audit, kept = log
    newest = audit.checkpoint()

    def cut(sql) -> None:
        sql("update audit_checkpoint set note = :note", note=kept)
        sql("delete from audit_events where leaf >= :size", size=ENTRIES - 20)
        sql('update audit_tiles set hashes = substr(hashes, 1, :width) where level = 0 and "index" = 1', width=24 * 32)

    assert after(log, cut).findings == ()  # nobody who kept nothing can see it
    with taken_back(database) as sql:
        cut(sql)
        report = verify(audit._lines(), Trust(audit.key, (newest,)), audit._clock.now())
    assert report.findings[0] == f"the log was cut: it has {ENTRIES - 20} entries, and once had {ENTRIES}"


def test_a_log_rewritten_and_signed_again_is_caught_by_a_checkpoint_that_was_kept(log) -> None:
    _, audit, kept = log
    forged = an_audit()
    write(forged, 5)
    forged.record("job.cancelled", "job_5", AUDITOR)
    write(forged, ENTRIES - 6)
    report = verify(forged.export(by=AUDITOR), Trust(audit.key), audit._clock.now())
    assert report.findings == ()
    assert report.sentence == "internally consistent, not witnessed"
    report = verify(forged.export(by=AUDITOR), Trust(audit.key, (kept,)), audit._clock.now())
    assert report.findings == (
        f"the first {ENTRIES - 20} entries are not those of the checkpoint that was kept: the log was rewritten",
    )


def test_a_log_signed_by_another_key_is_refused(log) -> None:
    other = an_audit(seed=b"another installation")
    write(other, 3)
    report = verify(other.export(by=AUDITOR), Trust(log[1].key), other._clock.now())
    assert report.findings[0].startswith("the log is signed by another key")


@pytest.mark.parametrize("act", [
    "delete from audit_checkpoint",
    "update audit_checkpoint set note = replace(note, 'fab_test', 'fab_best')",
    "update audit_tiles set hashes = zeroblob(32) where level = 1",
    'delete from audit_tiles where level = 0 and "index" = 1',
    "delete from audit_events where leaf = 299",
])  # fmt: skip
def test_the_sequencer_signs_nothing_over_a_log_that_was_changed(tmp_path: Path, act: str) -> None:
    database = a_database(tmp_path / "fabriek.db")
    audit = an_audit(database)
    write(audit, ENTRIES, database)
    audit.sequence()
    with database.transaction():
        assert database.execute(text(act)) == 1
    write(audit, 1, database)
    with pytest.raises(Damaged):
        audit.sequence()
    assert verify(audit.export(by=AUDITOR), Trust(audit.key), audit._clock.now()).findings
    database.close()
