"""`scancel`: stop jobs, or send them a signal."""

from fabriek.cli.session import connect
from fabriek.cli.slurm.listing import named, recent
from fabriek.cli.slurm.options import known
from fabriek.cli.slurm.states import ENDED, matches, state_of
from fabriek.kernel.errors import InvalidInput, WrongState

KNOWN = known(
    "s=signal b=batch f=full Q=quiet n=name t=state u=user p=partition A=account v=verbose i=interactive",
    "signal name state user partition account jobname",
    "batch full quiet verbose interactive me hurry",
)


def run(words: list[str]) -> int:
    """Silent where all went well. Raises InvalidInput where a job that was named is not there."""
    options, said = KNOWN.read_anywhere(words)
    if not said and not {"name", "jobname", "user", "me", "state"} & options.keys():
        raise InvalidInput("No job identification provided")
    jobs = named(",".join(said)) if said else [job for job in recent(active=True) if _wanted(job.name, options)]
    if "state" in options:
        jobs = [job for job in jobs if matches(job, options["state"])]
    if said and not jobs and "quiet" not in options:
        raise InvalidInput(f"Kill job error on job id {said[0]}: Invalid job id specified")
    client = connect().jobs
    for job in jobs:
        if state_of(job) in ENDED:
            continue
        try:
            if options.get("signal", "KILL").removeprefix("SIG") in {"KILL", "9"}:
                client.cancel(job.id)
            else:
                client.signal(job.id, _signal(options))
        except WrongState:  # it ended meanwhile
            if "quiet" not in options and "signal" in options:
                raise
    return 0


def _wanted(name: str, options: dict[str, str]) -> bool:
    wanted = options.get("name") or options.get("jobname")
    return not wanted or name == wanted


def _signal(options: dict[str, str]) -> str:
    """Without `--batch` or `--full`, Slurm signals what the script started, and not the script."""
    name = options["signal"].removeprefix("SIG")
    name = {"1": "HUP", "2": "INT", "10": "USR1", "12": "USR2", "15": "TERM", "18": "CONT"}.get(name, name)
    return name if {"batch", "full"} & options.keys() else f"steps:{name}"
