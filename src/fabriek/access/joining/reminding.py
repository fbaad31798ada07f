"""Reminding: who has not answered a review of access hears of it by mail before it is over, each time once."""

from collections.abc import Sequence

from fabriek.access.joining.ports import Reminders, Reviews, Standings
from fabriek.access.joining.reminders import Letter, Reminder, given_up, letter_of, new_reminder, sent, tried
from fabriek.access.joining.reviews import Decision, Review, reminder_due, terms_on
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.roles import rights_of
from fabriek.kernel.clock import Clock

AT_ONCE = 20


class Reminding:
    """`base`: where people reach the portal."""

    def __init__(
        self, kept: Reminders, reviews: Reviews, standings: Standings, bodies: Organisations, people: People, projects: Projects, clock: Clock,
        *, base: str,
    ) -> None:  # fmt: skip
        self._kept, self._reviews, self._standings = kept, reviews, standings
        self._bodies, self._people, self._projects, self._clock, self._base = bodies, people, projects, clock, base

    def write_due(self) -> int:
        """Writes what is due now, for the worker to send; how many are new. Of a worker that was away, only the most pressing."""
        written = 0
        for review in self._reviews.open_ones():
            due = reminder_due(review, terms_on(review.opened_on).remind_before, self._clock.today())
            if due is None:
                continue
            known = {one.person for one in self._kept.of_review(review.id) if one.days_before == due}
            fresh = [one for one, waits in self._asked(review) if waits and one.email and one.id not in known]
            if fresh:  # so that an idle factory writes nothing
                with self._bodies.transaction(alone="review-reminders"):
                    now = self._clock.now()
                    written += sum(self._kept.add(new_reminder(review, one.id, due, now)) for one in fresh)
        return written

    def take_unsent(self) -> Sequence[Letter]:
        """What is to be mailed now, and for a while nobody else's to send. What was answered since it was written is not."""
        now = self._clock.now()
        if not self._kept.unsent(now, limit=1):
            return []
        with self._bodies.transaction(alone="review-reminders"):
            found = [tried(one, now) for one in self._kept.unsent(now, limit=AT_ONCE)]
            letters = self._letters(found)
            still = {one.reminder.name for one in letters}
            for one in found:
                self._kept.save(one if one.name in still else given_up(one))
        return letters

    def mailed(self, reminder: Reminder) -> None:
        """It was handed in; what was not is due again after a pause, a dozen times."""
        with self._bodies.transaction():
            self._kept.save(sent(reminder, self._clock.now()))

    def _letters(self, found: Sequence[Reminder]) -> list[Letter]:
        today = self._clock.today()
        going = {one.id: one for one in self._reviews.open_ones() if today <= one.due_on}
        asked = {key: self._asked(going[key]) for key in {one.review for one in found} & going.keys()}
        return [
            letter_of(one, going[one.review], waits, person.email, self._base)
            for one in found
            for person, waits in asked.get(one.review, ())
            if person.id == one.person and waits and person.email
        ]

    def _asked(self, review: Review) -> Sequence[tuple[Person, int]]:
        """Who may answer, with how much waits for them: leads of a project; of roles who may appoint, and nobody for their own."""
        waiting = [one for one in self._reviews.items(review.id) if one.decision is Decision.WAITING]
        if not waiting:
            return []
        if review.project:
            members = self._projects.members(review.project)
            here = {one.person for one in members}
            leads = self._people.among({one.person for one in members if one.role == "lead"}).values()
            count = sum(one.person in here for one in waiting)
            return [(one, count) for one in leads if one.active and one.kind is PersonKind.PERSON]
        holders = self._standings.with_roles()
        held = {(one.id, role) for one in holders for role in one.roles}
        return [
            (one, sum((item.person, item.role) in held and item.person != one.id for item in waiting))
            for one in holders
            if one.kind is PersonKind.PERSON and "person.appoint" in rights_of(one.roles)
        ]
