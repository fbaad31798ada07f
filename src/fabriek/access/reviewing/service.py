"""Reviewing put together: one object for the edges, and the round that the worker makes."""

from dataclasses import dataclass, replace

from fabriek.access.applying.applications import ApplicationState
from fabriek.access.reviewing.cases import Case
from fabriek.access.reviewing.clocks import alarm_now
from fabriek.access.reviewing.committee import Committee
from fabriek.access.reviewing.desk import Desk
from fabriek.access.reviewing.docket import Docket
from fabriek.access.reviewing.panel import Panel
from fabriek.access.reviewing.telling import Told, failed, sent
from fabriek.kernel.callers import Caller

AT_ONCE = 20
_S = ApplicationState


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The services of this room."""

    docket: Docket
    desk: Desk
    panel: Panel
    committee: Committee

    def alarms(self) -> int:
        """Tells of every alarm that has come since the last round; how many. Of several at once, only the most pressing is told."""
        told = 0
        for case in self.docket.cases.running():
            percent = alarm_now(case.clock, self.docket.office, self.docket.clock.now())
            if percent and percent not in case.told:
                told += self._tell(case.id, percent)
            told += self._remind(case)
        return told

    def told(self, *, by: Caller) -> "list[Told]":
        """What the caller was told, newest first."""
        return list(self.docket.notices.of_person(by.person))

    def take_unsent(self) -> "list[tuple[Told, str]]":
        """What is to be mailed now, with the address it goes to, and for a while nobody else's to send."""
        now = self.docket.clock.now()
        if not self.docket.notices.unsent(now, limit=1):  # so that an idle factory writes nothing
            return []
        with self.docket.bodies.transaction(alone="review-notices"):
            found = [failed(one, now) for one in self.docket.notices.unsent(now, limit=AT_ONCE)]
            for one in found:
                self.docket.notices.save(one)
        people = self.docket.people.among({one.person for one in found}) if found else {}
        return [
            (one, people[one.person].email) for one in found if people[one.person].active and people[one.person].email
        ]

    def mailed(self, told: Told) -> None:
        """It was handed in; what was not is due again after a pause, a dozen times."""
        with self.docket.bodies.transaction():
            self.docket.notices.save(sent(told, self.docket.clock.now()))

    def _remind(self, case: Case) -> int:
        """Experts whose own time is over are reminded, once."""
        docket, now, count = self.docket, self.docket.clock.now(), 0
        if case.clock.is_paused:
            return 0
        for one in docket.assignments.of_application(case.id):
            if one.is_open and one.due_at <= now and not self._was_reminded(one.person, case.id):
                with docket.transaction(case.id):
                    docket.tell([one.person], case.id, "reminder")
                count += 1
        return count

    def _was_reminded(self, person: str, application: str) -> bool:
        told = self.docket.notices.of_person(person)
        return any(one.application == application and one.what == "reminder" for one in told)

    def _tell(self, application: str, percent: int) -> int:
        docket = self.docket
        with docket.transaction(application):
            case = docket.cases.case(application)
            if case is None or percent in case.told:
                return 0
            docket.cases.put(replace(case, told=case.told | {one for one in (50, 80, 100) if one <= percent}))
            docket.tell(self._who_acts(case), application, f"alarm-{percent}", percent=percent)
        return 1

    def _who_acts(self, case: Case) -> list[str]:
        docket = self.docket
        found = docket.applications.get(case.id)
        if found.state is _S.EXPERTS:
            late = {one.person for one in docket.assignments.of_application(case.id) if one.is_open}
            if active := [one.id for one in docket.people.among(late).values() if one.active]:
                return active
        right = "funding.award" if found.state is _S.COMMITTEE else "application.review"
        may = [one.id for one in docket.holders(right) if not docket.conflicts(one, found)]
        # Who took it may have left, or lost the role: then it is everybody's again.
        return [case.taken_by] if case.taken_by in may and found.state is not _S.COMMITTEE else may
