"""Looking at the processes of this machine."""

from pathlib import Path


def processes_saying(text: str) -> list[int]:
    """Processes with this in their command line, seen from outside all walls."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and text.encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return found
