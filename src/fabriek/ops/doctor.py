"""`fabriek doctor`: what this machine and this installation can do, and the command that mends what they cannot."""

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from fabriek.bootstrap.building import buckets_of
from fabriek.bootstrap.machinery import scratch_of
from fabriek.compute.executors.capabilities import probe
from fabriek.kernel.errors import FabriekError, Unavailable
from fabriek.kernel.units import shown_bytes
from fabriek.ops.home import Home
from fabriek.ops.migrate import known_schemas
from fabriek.sdk import Fabriek
from fabriek.settings import Settings, read_settings

NO_IMAGES = "jobs have no images of their own here (apt install squashfs-tools)"
LOOK_AT_STORE = "look at store_url, store_bucket, store_region and the rights of the key in store_key_file"
FREE_BYTES_MIN = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    well: bool
    found: str
    fix: str = ""


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the installation; default ~/.fabriek.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def doctor(home: Path | None, *, as_json: bool) -> int:
    """Check this machine and this installation; leaves with 1 when something needs mending."""
    settings = read_settings(home=home)
    findings = [_python(), *_sandbox(), _room(settings), _store(settings), *_installation(settings)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], indent=2))
    else:
        for one in findings:
            mark = click.style("well", fg="green") if one.well else click.style("MEND", fg="red", bold=True)
            click.echo(f"{mark}  {one.name}: {one.found}")
            if one.fix:
                click.echo(f"      fix: {one.fix}")
    return 0 if all(one.well for one in findings) else 1


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(
        "python",
        sys.version_info >= (3, 11),
        version,
        "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer",
    )


def _sandbox() -> list[Finding]:
    able = probe()
    walls = Finding("sandbox", able.sandbox, "jobs are kept apart" if able.sandbox else able.reason, able.fix)
    return [
        walls,
        Finding("limits", bool(able.limits), able.limits or "jobs cannot be bounded", "" if able.limits else able.fix),
        Finding("images", well=True, found="jobs may have images" if able.images else NO_IMAGES, fix=""),
    ]


def _room(settings: Settings) -> Finding:
    place = settings.home if settings.home.exists() else settings.home.parent
    free = shutil.disk_usage(place).free
    well = free >= FREE_BYTES_MIN
    return Finding("disk", well, f"{shown_bytes(free)} free for {settings.home}", "" if well else "free some space")


def _store(settings: Settings) -> Finding:
    if settings.store == "local":
        return Finding("store", well=True, found=f"objects in {settings.home / 'objects'}")
    try:
        inner, outer = buckets_of(settings)
        from fabriek.adapters.s3_probe import probe_bucket  # noqa: PLC0415  # obstore comes with an extra

        able = probe_bucket(inner, outer)
    except FabriekError as error:
        return Finding("store", False, error.detail, LOOK_AT_STORE if isinstance(error, Unavailable) else error.fix)
    where = f"bucket {settings.store_bucket}, conditional writes {able.conditions} (not relied upon)"
    found = where if able.listed_at_once else f"{where}, lists that lag"
    if settings.store_direct and able.addresses:
        fix = "set store_clients_url to where clients reach the store, or store_direct = no"
        return Finding("store", False, f"{found}; addresses for clients do not work: {able.addresses}", fix)
    return Finding("store", True, f"{found}; clients reach it themselves" if settings.store_direct else found)


def _installation(settings: Settings) -> list[Finding]:
    if not settings.home.exists():
        return [Finding("installation", well=True, found=f"none in {settings.home} yet", fix="")]
    home = Home(settings.home)
    findings = []
    try:
        home.check_release(known_schemas())
        findings.append(Finding("release", well=True, found=f"schema {known_schemas()[-1]}"))
    except FabriekError as error:
        findings.append(Finding("release", well=False, found=error.detail, fix=error.fix))
    scratch = scratch_of(settings)
    in_memory = scratch.is_relative_to("/dev/shm")  # noqa: S108  # the kernel's own memory-backed file system
    found = str(scratch) if in_memory else f"{scratch} is on a disk: data in plain would touch it"
    findings.append(
        Finding("scratch", in_memory, found, "" if in_memory else "mount a tmpfs and name it with FABRIEK_SCRATCH")
    )
    try:
        running = home.running()
        Fabriek(running.url).client.get("/readyz")
        findings.append(Finding("server", well=True, found=f"answers at {running.url}"))
    except FabriekError as error:
        findings.append(Finding("server", well=False, found=error.detail, fix=error.fix))
    findings.append(
        Finding("audit", well=True, found="no witness is set: a log that was re-signed as a whole would not be seen")
    )
    return findings
