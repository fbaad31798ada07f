"""The terms that a job's owner sets: when it may start, what it waits for, how it is told to stop, and how often it may run again."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fabriek.kernel.errors import InvalidInput

REQUEUES_LIMIT = 1_000
AFTER_LIMIT = 100
SIGNALS = ("HUP", "INT", "TERM", "USR1", "USR2")
"""Those that are passed on into a job."""


class Once(StrEnum):
    """What must have become of the other job."""

    BEGUN = "after"
    ENDED = "afterany"
    SUCCEEDED = "afterok"
    FAILED = "afternotok"


class Network(StrEnum):
    """`none`: the lab and nothing else. `host`: what the machine reaches, where the operator allows it. `hosts`: those that are named."""

    NONE = "none"
    HOST = "host"
    HOSTS = "hosts"


@dataclass(frozen=True, slots=True)
class After:
    """Waits for another job, or for every element of an array."""

    job: str
    once: Once


@dataclass(frozen=True, slots=True)
class Serves:
    """The model version that a job serves, exactly: the job may read its files, and has its label at least. `place` is where they are in the
    lab, `sha256` is over them.
    """

    model: str
    version: int
    place: str
    sha256: str
    label: str

    def __str__(self) -> str:
        return f"{self.model}@{self.version}"


@dataclass(frozen=True, slots=True)
class Terms:
    """`requeues_max`: how often it may ask to run again. `signal` is sent `signal_seconds` before its time is over. `parameters`: this
    element's of a sweep. `folder`: a folder below the project's workspace that the job shares with its people and works in.
    `tasks`: how many processes `srun` starts inside, on each node. `batch`: the command runs once, on the first node, and `srun` in it starts
    on all; else it runs on each. `hosts`: `name:port` of each that it may reach. `image`: what it has in place of the machine's programs,
    `NAME@3:FILE` or the operator's name for one; empty means those. `work`: its kind of
    work, by which its draw is expected and nothing is planned. `serves`: nobody asks for it; who serves a model gives it to the job.
    """

    after: tuple[After, ...] = ()
    not_before: datetime | None = None
    deadline: datetime | None = None
    requeues_max: int = 0
    signal: str = ""
    signal_seconds: int = 0
    grace_seconds: int | None = None
    preemptible: bool = False
    network: Network = Network.NONE
    hosts: tuple[str, ...] = ()
    folder: str = ""
    port: int = 0
    tasks: int = 1
    batch: bool = False
    image: str = ""
    work: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    serves: Serves | None = None

    def as_json(self) -> dict[str, Any]:
        """What differs from the usual: most jobs have no terms, and a queue of thousands is read at every round."""
        if self == USUAL:
            return {}
        plain = asdict(self) | {"parameters": dict(self.parameters)}
        for name in ("not_before", "deadline"):
            plain[name] = plain[name].isoformat() if plain[name] else None
        return {name: value for name, value in plain.items() if value != getattr(USUAL, name)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Terms":
        if not plain:
            return USUAL
        known = dict(plain)
        for name in ("not_before", "deadline"):
            known[name] = datetime.fromisoformat(known[name]) if known.get(name) else None
        known["after"] = tuple(After(one["job"], Once(one["once"])) for one in known.get("after", ()))
        known["hosts"] = tuple(known.get("hosts", ()))
        known["network"] = Network(known.get("network", Network.NONE))
        known["serves"] = Serves(**known["serves"]) if known.get("serves") else None
        return cls(**known)


USUAL = Terms()


def check(terms: Terms, *, now: datetime, wall_seconds_max: int) -> None:
    """Raises InvalidInput on terms under which a job could never run to its end."""
    if terms.signal and terms.signal.removeprefix("steps:") not in SIGNALS:
        raise InvalidInput(f"{terms.signal!r} is not a signal for jobs", fix=f"one of {', '.join(SIGNALS)}")
    if terms.signal_seconds >= wall_seconds_max and terms.signal:
        raise InvalidInput(
            f"the signal would come {terms.signal_seconds} s before the end of {wall_seconds_max} s",
            fix="give the job more time, or the signal less",
        )
    if not 0 <= terms.requeues_max <= REQUEUES_LIMIT:
        raise InvalidInput(f"a job may ask to run again at most {REQUEUES_LIMIT} times", fix="--requeue 3")
    if len(terms.after) > AFTER_LIMIT:
        raise InvalidInput(
            f"a job waits for at most {AFTER_LIMIT} others", fix="put those into an array, and wait for that"
        )
    if terms.deadline is not None:
        earliest = max(now, terms.not_before or now)
        if (terms.deadline - earliest).total_seconds() < wall_seconds_max:
            raise InvalidInput(
                f"{wall_seconds_max} s do not fit before the deadline {terms.deadline:%Y-%m-%d %H:%M} UTC",
                fix="set the deadline later, or --time shorter",
            )


_AFTER = re.compile(r"(?:(after|afterany|afterok|afternotok):)?(\w+(?::\w+)*)", re.ASCII)


def after_of(text: str) -> tuple[After, ...]:
    """`JOB`, `afterok:JOB` or `afterok:JOB:JOB`; alone, a job is waited for until it has succeeded. Raises InvalidInput."""
    found = _AFTER.fullmatch(text.strip())
    if found is None or (":" in found[2] and not found[1]) or found[2] in tuple(Once):
        raise InvalidInput(f"{text!r} names no job to wait for", fix="--after JOB, or --after afterany:JOB")
    once = Once(found[1] or Once.SUCCEEDED)
    return tuple(After(job, once) for job in found[2].split(":") if job)
