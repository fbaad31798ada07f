"""What the ladder does, in one sentence. It names no job: whose it is may be a secret."""

from collections import Counter
from datetime import datetime, tzinfo

from fabriek.compute.powering.ladder import Breach, Climb, Step
from fabriek.compute.reasons import clock_time

_WORDS = {
    Step.CAP: ("draws less", "draw less"),
    Step.SUSPEND: ("is put back", "are put back"),
    Step.DRAIN: ("is ended", "are ended"),
}


def said(climb: Climb, now: datetime, zone: tzinfo, *, can_cap: bool) -> str:
    """`40 W are allowed from 14:00 and 60 W are planned: no job starts, 2 jobs are put back.`; empty where nothing is to be done."""
    if climb.breach is None:
        return ""
    parts = ["no job starts"] if climb.held else []
    parts += _counted([act.step for act in climb.acts], "")
    if climb.planned:
        due, _ = climb.planned[0]
        parts += _counted([act.step for _, act in climb.planned], f" from {clock_time(due, now, zone)}")
    if not can_cap and Step.SUSPEND in {act.step for act in (*climb.acts, *(act for _, act in climb.planned))}:
        parts.append("nothing here can make jobs draw less")
    if climb.short_watts:
        parts.append(f"{climb.short_watts} W stay above it that no step of the ladder takes away")
    told = ", ".join(parts) or "what is leaving makes room"
    return f"{cause(climb.breach, now, zone)}: {told}."


def cause(breach: Breach, now: datetime, zone: tzinfo) -> str:
    """`40 W are allowed from 14:00 and 60 W are planned`."""
    begins = f"from {clock_time(breach.at, now, zone)}" if breach.at > now else "now"
    drawn = f"the meter says {breach.planned_watts} W" if breach.metered else f"{breach.planned_watts} W are planned"
    return f"{breach.allowed_watts} W are allowed {begins} and {drawn}"


def _counted(steps: list[Step], when: str) -> list[str]:
    counts = Counter(steps)
    return [
        f"{count} job{'' if count == 1 else 's'} {_WORDS[step][count > 1]}{when}"
        for step, count in sorted(counts.items(), key=lambda one: list(Step).index(one[0]))
        if step in _WORDS
    ]
