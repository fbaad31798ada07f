"""What is noted of an attempt's batch job: by which id and name Slurm knows it, and how often it was forgotten there."""

import os
from dataclasses import dataclass
from pathlib import Path

ID_FILE, AGAIN_FILE = "slurm-id", "asked-again"


@dataclass(frozen=True, slots=True)
class Noted:
    """`id`: `17`, or `17_3` for a task of an array. `name` is ours, and the identity; empty means the attempt's own."""

    id: str
    name: str = ""


def noted_in(folder: Path) -> Noted | None:
    """None also for a note that is being written, or that a loss of power left empty: the batch job is found by its name."""
    try:
        words = (folder / ID_FILE).read_text("ascii").split()
    except FileNotFoundError:
        return None
    return Noted(*words) if words else None


def note(folder: Path, noted: Noted) -> None:
    """In one write, so that who reads now has all of it or nothing. The disk is not waited for: what a loss of power takes is found by name."""
    descriptor = os.open(folder / ID_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{noted.id} {noted.name}".encode("ascii"))
    finally:
        os.close(descriptor)


def note_ask_again(folder: Path) -> None:
    """Before it is asked for: what we do not hear the answer of counts too."""
    with (folder / AGAIN_FILE).open("a") as asked:
        asked.write("again\n")


def asks_again(folder: Path) -> int:
    """How often it was asked for again."""
    try:
        return len((folder / AGAIN_FILE).read_text().splitlines())
    except FileNotFoundError:
        return 0
