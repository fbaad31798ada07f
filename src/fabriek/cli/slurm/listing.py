"""Jobs asked for by name, and rows written under Slurm's headings."""

from collections.abc import Sequence

from fabriek.cli.session import connect
from fabriek.schemas.compute import JobOut

PAGES_MAX = 100
NAMES_AT_ONCE = 300


def named(said: str) -> list[JobOut]:
    """Of a list with commas, those that are there; steps (`17.0`, `17.batch`) as their job."""
    names = list(dict.fromkeys(one.strip().partition(".")[0] for one in said.split(",") if one.strip()))
    jobs = connect().jobs
    return [
        job
        for start in range(0, len(names), NAMES_AT_ONCE)
        for job in jobs.list(named=names[start : start + NAMES_AT_ONCE]).items
    ]


def recent(*, active: bool) -> list[JobOut]:
    """The project's, oldest first."""
    jobs, found, cursor = connect().jobs, [], ""
    for _ in range(PAGES_MAX):
        page = jobs.list(active=active, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if not cursor:
            break
    return found[::-1]


def in_columns(headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """As Slurm cuts and pads: a positive width pads to the left, a negative one to the right, 0 writes it as it is."""

    def cell(text: str, width: int) -> str:
        if not width:
            return text
        cut = text[: abs(width)]
        return cut.ljust(-width) if width < 0 else cut.rjust(width)

    lines = [" ".join(cell(text, width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line}\n" for line in lines) if not headings else in_columns([], [headings, *rows], widths)
