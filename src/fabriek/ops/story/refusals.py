"""Step 7: the wrong ways, each with its error and what mends it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabriek.ops.story.opening import DATASET
from fabriek.ops.story.stage import Stage
from fabriek.schemas.codes import MEANINGS, Code

FILE = "measurements.csv"
SHELL = ["sh", "-c", "true"]


def refusals(stage: Stage) -> str:
    """Seven things that must not work."""
    university, startup = stage.people["university"], stage.people["startup"]
    known = f"{stage.project}/{DATASET}"
    stage.refused(
        "the university reads the dataset whose card it knows",
        Code.NOT_PERMITTED,
        lambda: list(university.vault.read(known, FILE)),
    )
    unknown = f"{stage.project}/payroll"
    stage.refused(
        "the university reads a dataset it may not know of",
        Code.NOT_FOUND,
        lambda: list(university.vault.read(unknown, "any.csv")),
    )
    error = stage.refused(
        "a job over the remaining credits",
        Code.CREDITS_EXHAUSTED,
        lambda: startup.jobs.run(SHELL, gpus=1_000, wall_seconds_max=3_600),
    )
    assert error.fields["left"] == 500.0
    stage.refused(
        "a state-secret label",
        Code.NOT_PERMITTED,
        lambda: stage.people["hospital"].vault.push(stage.home.parent / "measurements", "secret", label="stg-geheim"),
    )
    stage.refused(
        "a military job on Europe's share",
        Code.NOT_PERMITTED,
        lambda: startup.jobs.run(SHELL, purpose="exclusively_military", wall_seconds_max=60),
    )
    home = stage.home.parent / "results"
    stage.refused(
        "the start-up takes the job's results home",
        Code.NOT_PERMITTED,
        lambda: startup.jobs.pull(stage.results["job"], home),
    )
    _tampered(stage)
    return "seven wrong ways refused, each naming its rule and what mends it"


def _tampered(stage: Stage) -> None:
    """One byte of the vault changed on the disk: verifying names the file. The byte is put back."""
    with _one_byte_changed(stage.home / "objects"):
        done = stage.command("hospital", "data", "verify", DATASET)
    assert done.returncode == MEANINGS[Code.DAMAGED].exit, done
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    stage.say(f"exit {done.returncode} a byte changed in the store: {_of(FILE, said)}")
    assert stage.command("hospital", "data", "verify", DATASET).returncode == 0


def _of(name: str, lines: list[str]) -> str:
    return next((line for line in lines if name in line), lines[0])


@contextmanager
def _one_byte_changed(objects: Path) -> Iterator[None]:
    """In the largest object, which holds the measurements."""
    file = max(
        (one for one in objects.rglob("obj_*") if one.is_file()), key=lambda one: (_is_data(one), one.stat().st_size)
    )
    raw = bytearray(file.read_bytes())
    mode = file.stat().st_mode
    file.chmod(0o600)
    changed = bytearray(raw)
    changed[len(changed) // 2] ^= 1
    file.write_bytes(changed)
    try:
        yield
    finally:
        file.write_bytes(raw)
        file.chmod(mode)


def _is_data(file: Path) -> bool:
    """The measurements are the one object of this size: 569 rows of thirty numbers in full precision."""
    return 100_000 < file.stat().st_size < 200_000
