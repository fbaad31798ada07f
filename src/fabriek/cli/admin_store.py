"""`fabriek admin check`, `collect` and `store`: is everything there, what may go, and how is the store."""

from collections.abc import Sequence

import click

from fabriek.cli import admin_keys
from fabriek.cli.admin import admin
from fabriek.cli.output import counted, json_option, print_json, say, warn
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import shown_bytes
from fabriek.schemas.codes import MEANINGS, Code
from fabriek.schemas.upkeep import CheckOut, CollectedOut, DamageOut, HeapOut, PassOut

_WHY = {
    "abandoned": "of pushes that were never ended",
    "unused": "that no version uses",
    "erased": "of erased datasets",
    "orphan": "that no record names",
}


assert admin_keys, "importing it adds its commands to the same group"


@admin.command("check")
@click.option("--read-data", "share", default="0%", metavar="SHARE", help="Also read a random share: 5%, or 100%.")
@json_option
def check(share: str, *, as_json: bool) -> int:
    """Check the whole vault: records, sequence numbers, and that every object is there with its size.

    With --read-data a share of the objects is read, compared with what was written, and opened chunk by chunk where the keys are here.
    Leaves with 10 when something is damaged.
    """
    store, found = connect().store, list[CheckOut]()
    for one in store.check(_share(share)):
        found.append(one)
        if not as_json:
            for each in one.damage:
                say(_line(each))
    planned = store.plan()
    damage = [each for one in found for each in one.damage]
    sums = {
        name: sum(getattr(one, name) for one in found)
        for name in ("versions", "objects", "read_objects", "read_bytes", "authenticated", "by_hash")
    }
    orphans = planned.waiting + planned.doubted + sum(one.objects for one in planned.freed if one.why == "orphan")
    if as_json:
        print_json({"sound": not damage, **sums, "orphans": orphans, "damage": damage})
    else:
        say(f"{counted(sums['versions'], 'version')}, {counted(sums['objects'], 'object')} looked at")
        if sums["read_objects"]:
            say(
                f"{counted(sums['read_objects'], 'object')} read, {shown_bytes(sums['read_bytes'])}: {sums['authenticated']} opened to the last"
                f" chunk, {sums['by_hash']} by the hash of their sealed bytes (their keys are not here)"
            )
        if orphans:
            say(f"{counted(orphans, 'object')} that no record names: fabriek admin collect --dry-run")
        say(f"{counted(len(damage), 'place')} damaged" if damage else "nothing is damaged")
    return MEANINGS[Code.DAMAGED].exit if damage else 0


@admin.command("collect")
@click.option("--dry-run", is_flag=True, help="Only say what would be freed.")
@click.option(
    "--despite-doubt", is_flag=True, help="Also where most objects have no record: they may be another factory's."
)
@json_option
def collect(*, dry_run: bool, despite_doubt: bool, as_json: bool) -> int:
    """Free what nothing names any more. What is under a legal hold or promised to be kept stays. Interrupted, give it again."""
    store = connect().store
    found = store.plan() if dry_run else store.collect(despite_doubt=despite_doubt)
    if as_json:
        print_json(found)
    else:
        _say_collected(found, dry_run=dry_run)
    return int(bool(found.doubted))


@admin.command("store")
@json_option
def show(*, as_json: bool) -> None:
    """How the store is: when everything was last read, what is damaged, and what could be freed."""
    found = connect().store.show()
    if as_json:
        print_json(found)
        return
    say(f"last read through: {_pass(found.last) if found.last else 'never yet'}")
    if found.current:
        say(f"being read now: {shown_bytes(found.current.bytes_read)} of {shown_bytes(found.current.bytes_expected)}")
    for each in found.damage:
        say(_line(each))
    _say_heaps("could be freed", found.to_free)
    _say_heaps("kept by a hold or a promise", found.kept)
    if not found.damage:
        say("nothing is known to be damaged")


def _share(said: str) -> float:
    try:
        share = float(said.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InvalidInput(f"{said!r} is no share of the data", fix="--read-data 5%")
    return share


def _line(one: DamageOut) -> str:
    versions = ", ".join(f"@{number}" for number in one.versions)
    name = f"{one.project}/{one.name}" if one.project else one.name
    more = f" and {counted(one.files - 1, 'file')} more" if one.files > 1 else ""
    where = f"{one.path}{more}" if one.path else one.object_id or "its record"
    if one.versions:
        fix = f"fabriek data push DIR {one.name}, or put {one.object_id or 'the database'} back from a backup"
    else:
        fix = f"put {one.object_id} back from a backup, or let the job make it again"
    return f"damaged  {name} {versions}  {where}: {one.why}\n         fix: {fix}"


def _say_collected(found: CollectedOut, *, dry_run: bool) -> None:
    _say_heaps("would free" if dry_run else "freed", found.freed)
    _say_heaps("kept by a hold or a promise", found.kept)
    if found.waiting:
        say(f"{counted(found.waiting, 'object')} without a record: freed once they were seen for a day")
    if found.doubted:
        warn(
            f"{counted(found.doubted, 'object')} have no record, more than have one: nothing of them goes. Is this the store's own database? "
            "If it is: --despite-doubt"
        )
    if not found.freed and not found.doubted:
        say("nothing is to be freed" if dry_run else "nothing was to be freed")


def _say_heaps(what: str, heaps: Sequence[HeapOut]) -> None:
    for one in heaps:
        say(f"{what}: {shown_bytes(one.size_bytes)}, {counted(one.objects, 'object')} {_WHY.get(one.why, one.why)}")


def _pass(one: PassOut) -> str:
    ended = f"{one.ended_at.astimezone():%Y-%m-%d %H:%M}" if one.ended_at else ""
    return f"{ended}, {counted(one.objects, 'object')}, {shown_bytes(one.bytes_read)}, {one.damaged} damaged"
