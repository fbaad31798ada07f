"""Letters about reports: some days before one is due, and on the first day on which it is overdue; each once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from fabriek.access.ports import People
from fabriek.access.reviewing.telling import Told, failed, new_told, sent
from fabriek.funding.duties.ports import Reminders, Reports
from fabriek.funding.duties.reporting import Reporting
from fabriek.funding.duties.reports import Duty
from fabriek.kernel.clock import Clock

AT_ONCE = 20
TOLD_AT_ONCE = 50
OVERDUE = "overdue"
COMING = "coming"


class Reminding:
    """Writes down who is to be reminded of what; what sends letters takes them."""

    def __init__(
        self, reminders: Reminders, reports: Reports, reporting: Reporting, people: People, clock: Clock
    ) -> None:
        self._reminders, self._reports, self._reporting = reminders, reports, reporting
        self._people, self._clock = people, clock

    def remind(self) -> int:
        """For the worker: of several points that have come at once only the latest is told. How many letters were written."""
        today, now = self._clock.today(), self._clock.now()
        due = [(one, point) for one in self._reporting.open_duties() if (point := point_of(one, today)) is not None]
        count = 0
        for start in range(0, len(due), TOLD_AT_ONCE):  # so that a day on which many are due keeps nobody waiting
            with self._reports.transaction(alone="reminders"):
                count += sum(self._tell(duty, point, now) for duty, point in due[start : start + TOLD_AT_ONCE])
        return count

    def take_unsent(self) -> Sequence[tuple[Told, str]]:
        """What is to be mailed now, with its address, and for a while nobody else's to send."""
        now = self._clock.now()
        if not self._reminders.unsent(now, limit=1):
            return []
        with self._reports.transaction(alone="reminders"):
            found = [failed(one, now) for one in self._reminders.unsent(now, limit=AT_ONCE)]
            for one in found:
                self._reminders.save(one)
        people = self._people.among({one.person for one in found})
        return [
            (one, people[one.person].email) for one in found if people[one.person].active and people[one.person].email
        ]

    def mailed(self, told: Told) -> None:
        with self._reports.transaction():
            self._reminders.save(sent(told, self._clock.now()))

    def _tell(self, duty: Duty, point: int, now: datetime) -> int:
        # The day is part of what makes it one: an extension moves it, and then there is something new to tell.
        turn = f"{duty.due_on}:{point}"
        what = COMING if point >= 0 else OVERDUE
        leads = self._reporting.leads(duty.allocation.project)
        return sum(
            self._reminders.add(new_told(one, duty.id, what, now, percent=max(0, point), turn=turn)) for one in leads
        )


def point_of(duty: Duty, today: date) -> int | None:
    """The latest point that has come, in days before it is due; -1 from the first day on which it is overdue. None before the first, and
    where it lay before the award itself.
    """
    if today > duty.due_on:
        return -1
    come = [
        days
        for days in duty.rule.remind_days_before
        if duty.allocation.starts_on < duty.due_on - timedelta(days=days) <= today
    ]
    return min(come, default=None)


def sentence(told: Told) -> str:
    """What it says: an id and days only, since mail leaves the house."""
    if told.what == OVERDUE:
        return f"the report {told.application} is overdue, and until it is filed you get no new award"
    return f"the report {told.application} is due in {told.percent} days or less"
