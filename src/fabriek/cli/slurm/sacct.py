"""`sacct`: jobs with how they ended, those that have among them."""

import sys
from datetime import datetime

from fabriek.cli.slurm.fields import SACCT
from fabriek.cli.slurm.listing import in_columns, named, recent
from fabriek.cli.slurm.options import known
from fabriek.cli.slurm.states import matches
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.compute import JobOut

KNOWN = known(
    "o=format j=jobs n=noheader P=parsable2 p=parsable X=allocations S=starttime E=endtime s=state u=user a=allusers A=accounts l=long b=brief "
    "r=partition N=nodelist D=duplicates",
    "format jobs starttime endtime state user accounts name partition nodelist delimiter units",
    "noheader parsable2 parsable allocations allusers long brief duplicates array",
)
DEFAULT = "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode"
HEADINGS = {name.lower(): name for name in (
    "Account", "AllocCPUS", "AllocNodes", "AllocTRES", "Cluster", "Comment", "CPUTimeRAW", "DerivedExitCode", "Elapsed", "ElapsedRaw", "End",
    "ExitCode", "JobID", "JobIDRaw", "JobName", "MaxRSS", "NCPUS", "NNodes", "NodeList", "NTasks", "Partition", "QOS", "Reason", "ReqCPUS",
    "ReqMem", "ReqTRES", "Restarts", "Start", "State", "Submit", "Timelimit", "TotalCPU", "User", "WorkDir",
)}  # fmt: skip
WIDTHS = {"JobID": -12, "JobIDRaw": -12}
WIDTH = 10


def run(words: list[str]) -> int:
    """Prints a line for each job. Raises InvalidInput on a field that is not known."""
    options, _ = KNOWN.read_anywhere(_joined(words))
    fields = [_field(one) for one in (options.get("format") or DEFAULT).split(",") if one]
    jobs = [
        job
        for job in (named(options["jobs"]) if options.get("jobs") else recent(active=False))
        if _wanted(job, options)
    ]
    rows = [[SACCT[name](job) for name, _ in fields] for job in jobs]
    headings = [HEADINGS[name] for name, _ in fields]
    if "parsable2" in options or "parsable" in options:
        delimiter = options.get("delimiter", "|")
        end = delimiter if "parsable" in options else ""
        listed = rows if "noheader" in options else [headings, *rows]
        sys.stdout.write("".join(delimiter.join(row) + end + "\n" for row in listed))
        return 0
    widths = [width or WIDTHS.get(HEADINGS[name], WIDTH) for name, width in fields]
    if "noheader" not in options:
        rows = [["-" * abs(width) for width in widths], *rows]
    sys.stdout.write(in_columns([] if "noheader" in options else headings, rows, widths))
    return 0


def _joined(words: list[str]) -> list[str]:
    """`-j` may be given more than once; all of them count."""
    found, kept, rest = [], [], list(words)
    while rest:
        word = rest.pop(0)
        if word in {"-j", "--jobs"} and rest:
            found.append(rest.pop(0))
        elif word.startswith("--jobs="):
            found.append(word[7:])
        elif word.startswith("-j"):
            found.append(word[2:])
        else:
            kept.append(word)
    return [*kept, *(["--jobs", ",".join(found)] if found else [])]


def _field(said: str) -> tuple[str, int]:
    name, _, width = said.strip().partition("%")
    if name.lower() not in SACCT:
        raise InvalidInput(f'Invalid field requested: "{name}"', fix=f"one of {', '.join(HEADINGS.values())}")
    return name.lower(), int(width) if width.lstrip("-").isdecimal() else 0


def _wanted(job: JobOut, options: dict[str, str]) -> bool:
    if options.get("state") and not matches(job, options["state"]):
        return False
    if options.get("name") and job.name not in options["name"].split(","):
        return False
    since = options.get("starttime", "")
    if since and not since.startswith("now"):
        try:
            return job.submitted_at >= datetime.fromisoformat(since).astimezone()
        except ValueError:
            raise InvalidInput(f"Invalid time specification {since!r}", fix="--starttime 2026-11-24T08:00") from None
    return True
