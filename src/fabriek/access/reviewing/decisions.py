"""The committee's answer: awarded or refused, with a motive, and until when one may object."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fabriek.access.reviewing.working_days import Calendar
from fabriek.kernel.errors import InvalidInput

MOTIVE_MAX = 4_000


class Verdict(StrEnum):
    AWARD = "award"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decision:
    """`gpu_hours`: what is awarded, possibly less than asked. `needs_second`: it counts once another person signed it."""

    id: str
    application: str
    verdict: Verdict
    motive: str
    decided_by: str
    decided_at: datetime
    needs_second: bool = False
    gpu_hours: int = 0
    share: str = ""
    signed_by: str = ""
    signed_at: datetime | None = None
    objection_until: date | None = None

    @property
    def stands(self) -> bool:
        return not self.needs_second or bool(self.signed_by)


def check_motive(motive: str) -> str:
    """The motive as it is kept. Raises InvalidInput: nobody is judged without being told why."""
    if not 0 < len(motive.strip()) <= MOTIVE_MAX:
        raise InvalidInput(f"a motive has 1 to {MOTIVE_MAX} characters", fix="--motive 'why'")
    return motive.strip()


def check_verdict(word: str) -> Verdict:
    try:
        return Verdict(word)
    except ValueError:
        raise InvalidInput(f"{word!r} is no decision", fix=f"one of {', '.join(Verdict)}") from None


def objection_until(decided_at: datetime, days: int, law: Calendar, zone: ZoneInfo) -> date:
    """The last day to object. The term begins on the day after; one that ends on a day off goes on to the next working day."""
    return law.next_working(decided_at.astimezone(zone).date() + timedelta(days=days))
