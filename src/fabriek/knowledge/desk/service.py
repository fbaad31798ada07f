"""What one may do at the desk: ask and answer, offer one's hours and book another's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding.resources import Resource
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.units import MICRO
from fabriek.knowledge.catalogue.service import Catalogue
from fabriek.knowledge.desk import questions
from fabriek.knowledge.desk.experts import (
    USUAL_HOURS_A_WEEK,
    Booking,
    BookingState,
    Expert,
    Free,
    check_languages,
    check_room,
    check_week,
    monday_of,
    move,
    with_room_first,
)
from fabriek.knowledge.desk.ports import Experts, Questions
from fabriek.knowledge.desk.questions import Answer, Question
from fabriek.knowledge.skills.skills import Skill, check_skills, skills_on, stems, words_for

HOURS_MAX = 8
HOURS_A_WEEK_MAX = 40


class Desk:
    """Answers are published in the catalogue, so that the next who asks finds them."""

    def __init__(
        self, asked: Questions, experts: Experts, catalogue: Catalogue, *, access: Access, funding: Funding, audit: Audit, clock: Clock, ids: Ids
    ) -> None:  # fmt: skip
        self._questions, self._experts, self._catalogue = asked, experts, catalogue
        self._access, self._funding, self._audit, self._clock, self._ids = access, funding, audit, clock, ids

    def ask(self, text: str, *, by: Caller) -> Question:
        require(by, "knowledge.ask")
        bare = questions.check_text(text, questions.QUESTION_CHARACTERS_MAX)
        made = Question(self._ids.new("qst"), by.person, bare, self._clock.now())
        with self._questions.transaction():
            self._questions.add(made)
            self._audit.record("question.asked", made.id, by)
        return made

    def answer(self, question_id: str, text: str, *, by: Caller) -> Answer:
        """An expert's answer; it is published with its question, so that the next who asks finds it."""
        require(by, "knowledge.answer")
        bare = questions.check_text(text, questions.ANSWER_CHARACTERS_MAX)
        with self._questions.transaction(alone=f"question:{question_id}"):
            asked = self._questions.get(question_id)
            made = Answer(self._ids.new("ans"), asked.id, by.person, bare, self._clock.now())
            self._questions.add_answer(made)
            self._publish(asked, by)
            self._audit.record("question.answered", asked.id, by, answer=made.id)
        return made

    def accept(self, question_id: str, answer_id: str, *, by: Caller) -> Question:
        """Who asked, or somebody of the desk, says which answer helped: it comes first, and is what is found from then on. Another may be
        accepted later. Raises NotFound, NotPermitted.
        """
        require(by, "knowledge.view")
        with self._questions.transaction(alone=f"question:{question_id}"):
            asked = self._questions.get(question_id)
            if asked.person != by.person and not by.may("case.handle"):
                raise NotPermitted(
                    "who asked says which answer helped", rule="question.asker", fix="ask them, or somebody of the desk"
                )
            if answer_id not in {one.id for one in self._questions.answers(asked.id)}:
                raise NotFound("this question has no such answer", fix=f"fabriek ask show {asked.id}")
            chosen = replace(asked, accepted=answer_id)
            if chosen != asked:
                self._questions.accept(asked.id, answer_id)
                self._publish(chosen, by)
                self._audit.record("question.accepted", asked.id, by, answer=answer_id)
        return chosen

    def _publish(self, asked: Question, by: Caller) -> None:
        shown = questions.published(asked, self._questions.answers(asked.id))
        organisation = self._access.person(shown[0].person).organisation
        self._catalogue.publish_answer(
            asked.id, asked.text, [one.text for one in shown], organisation=organisation, by=by
        )

    def questions(self, *, limit: int = 100, by: Caller) -> Sequence[tuple[Question, Sequence[Answer]]]:
        """Newest first, each with its answers, the accepted one before the others."""
        require(by, "knowledge.view")
        return [
            (one, questions.in_order(one, self._questions.answers(one.id))) for one in self._questions.all(limit=limit)
        ]

    def question(self, question_id: str, *, by: Caller) -> tuple[Question, Sequence[Answer]]:
        require(by, "knowledge.view")
        found = self._questions.get(question_id)
        return found, questions.in_order(found, self._questions.answers(found.id))

    def offer(
        self, fields: str, *, skills: Sequence[str] = (), languages: Sequence[str] = (), hours_a_week: int = USUAL_HOURS_A_WEEK, by: Caller
    ) -> Expert:  # fmt: skip
        """Says what one knows, so that others can book an hour; in place of what one said before. hours_a_week: 0 while one gives none.
        Raises InvalidInput.
        """
        require(by, "knowledge.be_booked")
        if not 0 <= hours_a_week <= HOURS_A_WEEK_MAX:
            raise InvalidInput(
                f"a week has 0 to {HOURS_A_WEEK_MAX} hours here", fix="name fewer, or 0 while you give none"
            )
        made = Expert(
            by.person, questions.check_text(fields, questions.QUESTION_CHARACTERS_MAX), check_skills(skills, self.skills()),
            check_languages(languages), hours_a_week,
        )  # fmt: skip
        with self._questions.transaction(alone=f"expert:{by.person}"):
            self._experts.put(made)
            self._audit.record("expert.offered", by.person, by, hours_a_week=hours_a_week)
        return made

    def skills(self) -> Mapping[str, Skill]:
        """Those of the list today, by name."""
        return skills_on(self._clock.today())

    def experts(
        self, *, words: str = "", skill: str = "", language: str = "", week: date | None = None, by: Caller
    ) -> Sequence[Free]:
        """Those who know all of these words, in any of their forms, with what is booked of them in that week: who has most left first.
        Raises InvalidInput on a skill that is not in the list.
        """
        require(by, "knowledge.view")
        known, asked, today = self.skills(), stems(words), self._clock.today()
        named = check_skills([skill], known)
        booked = self._experts.hours_in(monday_of(week or today))
        found = [
            Free(one, booked.get(one.person, 0))
            for one in self._experts.all()
            if set(named) <= set(one.skills)
            and (not language or language.lower() in one.languages)
            and asked <= stems(f"{one.fields} {words_for(one.skills, known)}")
        ]
        return with_room_first(found)

    def book(
        self, expert: str, project_ref: str, hours: int, about: str, *, week: date | None = None, by: Caller
    ) -> Booking:
        """Books an expert for a project in the week of that day; the hours are held at once. Raises CreditsExhausted, QuotaExhausted where
        the expert gives no more in that week, NotFound, InvalidInput.
        """
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        if not 1 <= hours <= HOURS_MAX:
            raise InvalidInput(f"an expert is booked for 1 to {HOURS_MAX} hours", fix="book several times")
        known = self._experts.get(expert)
        bare = questions.check_text(about, questions.QUESTION_CHARACTERS_MAX)
        today = self._clock.today()
        monday = check_week(week or today, today)
        made = Booking(
            self._ids.new("bkg"), known.person, project.id, by.person, hours, bare, self._clock.now(), monday
        )
        # Alone on the expert: two who look at the same hours left would both get them.
        with self._questions.transaction(alone=f"expert:{known.person}"):
            self._check_room(known.person, hours, monday)
            self._funding.hold(project.id, project.purpose, Resource.EXPERT_HOUR, hours * MICRO, made.id)
            self._experts.put_booking(made)
            self._audit.record("expert.booked", made.id, by, expert=known.person, project=project.id)
        return made

    def finish(self, booking_id: str, *, by: Caller) -> Booking:
        """The expert says that the hours were given; they are charged."""
        with self._questions.transaction(alone=f"booking:{booking_id}"):
            booking = self._experts.booking(booking_id)
            if booking.expert != by.person:
                if booking.person == by.person:
                    raise NotPermitted(
                        "the expert says when the hours were given", rule="booking.expert", fix="ask the expert"
                    )
                raise NotFound("there is no such booking", fix="fabriek expert bookings")
            done = move(booking, BookingState.DONE)
            self._experts.put_booking(done)
            self._funding.settle(done.id, done.hours * MICRO)
            self._audit.record("expert.hours_given", done.id, by, hours=done.hours)
        return done

    def cancel(self, booking_id: str, *, by: Caller) -> Booking:
        """Either of the two calls it off; what was held goes back. Raises WrongState once the hours were given."""
        with self._questions.transaction(alone=f"booking:{booking_id}"):
            booking = self._mine(booking_id, by)
            off = move(booking, BookingState.CANCELLED)
            self._experts.put_booking(off)
            self._funding.release(off.id)
            self._audit.record("expert.cancelled", off.id, by, project=off.project)
        return off

    def extend(self, booking_id: str, hours: int, *, by: Caller) -> Booking:
        """Who booked gives it so many hours in all; more of them are held. Raises CreditsExhausted, WrongState, InvalidInput."""
        of = self._mine(booking_id, by).expert
        with (
            self._questions.transaction(alone=f"expert:{of}"),
            self._questions.transaction(alone=f"booking:{booking_id}"),
        ):
            booking = self._mine(booking_id, by)
            if booking.person != by.person:
                raise NotPermitted("who booked says for how long", rule="booking.person", fix="ask them for more hours")
            require(by, "job.submit", project=booking.project)
            if booking.state is not BookingState.BOOKED:
                raise WrongState(f"booking {booking.id} is {booking.state}", fix="book the expert again")
            if not booking.hours < hours <= HOURS_MAX:
                raise InvalidInput(
                    f"it has {booking.hours} hours, and {HOURS_MAX} at most",
                    fix="name more hours, or book several times",
                )
            self._check_room(of, hours - booking.hours, booking.week)
            more = replace(booking, hours=hours)
            self._funding.raise_hold(more.id, hours * MICRO)
            self._experts.put_booking(more)
            self._audit.record("expert.extended", more.id, by, hours=hours)
        return more

    def _check_room(self, person: str, more: int, week: date) -> None:
        check_room(Free(self._experts.get(person), self._experts.hours_in(week).get(person, 0)), more, week)

    def _mine(self, booking_id: str, by: Caller) -> Booking:
        """Raises NotFound for who neither made it nor is booked."""
        booking = self._experts.booking(booking_id)
        if by.person not in {booking.expert, booking.person}:
            raise NotFound("there is no such booking", fix="fabriek expert bookings")
        return booking

    def bookings(self, *, by: Caller) -> Sequence[Booking]:
        """Those that one made or is booked for, newest first."""
        return self._experts.bookings(by.person)
