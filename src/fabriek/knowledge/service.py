"""What one may do with knowledge: publish and find, ask and answer, book an expert."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding.resources import Resource
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from fabriek.knowledge import cards, questions
from fabriek.knowledge.cards import Card, CardKind
from fabriek.knowledge.experts import Booking, BookingState, Expert, move
from fabriek.knowledge.ports import Cards, Experts, Questions
from fabriek.knowledge.questions import Answer, Question
from fabriek.knowledge.searching import passage, words_of
from fabriek.lab.registry.service import Registry
from fabriek.vault.service import Vault

HOURS_MAX = 8


@dataclass(frozen=True, slots=True)
class Hit:
    r"""A card that was found, and the passage that matched, with its words between \\x02 and \\x03."""

    card: Card
    passage: str


@dataclass(frozen=True, slots=True)
class Face:
    """What a card says beside its subject."""

    title: str
    summary: str
    licence: str = ""
    terms: str = ""
    keywords: tuple[str, ...] = ()
    language: str = "en"
    text: str = ""


class Knowledge:
    """The catalogue and the expertise centre."""

    def __init__(
        self, found: Cards, asked: Questions, experts: Experts, *, access: Access, funding: Funding, vault: Vault, registry: Registry,
        audit: Audit, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._cards, self._questions, self._experts = found, asked, experts
        self._access, self._funding, self._vault, self._registry = access, funding, vault, registry
        self._audit, self._clock, self._ids = audit, clock, ids

    def publish(self, project_ref: str, kind: str, subject: str, face: Face, *, by: Caller) -> Card:
        """A card for a dataset of one's own organisation, or a model of one's project. It makes the thing known, never readable."""
        project = self._access.project(project_ref)
        require(by, "knowledge.publish", project=project.id)
        if kind == CardKind.DATASET:
            dataset = self._vault.find(subject, project=project.slug, by=by)
            self._vault.publish(dataset.id, by=by)
            return self._keep(CardKind.DATASET, dataset.id, project.id, dataset.organisation, dataset.label, face, by)
        if kind == CardKind.MODEL:
            newest = next(iter(self._registry.versions(project.id, subject, by=by)), None)
            if newest is None:
                raise NotFound(f"there is no model {subject} in this project", fix="fabriek project show")
            return self._keep(
                CardKind.MODEL,
                f"model:{project.id}:{subject}",
                project.id,
                project.lead_organisation,
                newest.label,
                face,
                by,
            )
        raise InvalidInput(f"{kind!r} is not published with a card", fix="dataset or model")

    def search(self, text: str, *, kind: str = "", limit: int = 20, by: Caller) -> Sequence[Hit]:
        """What is published and holds every word. Every card is there for everyone who signed in, so a count betrays nothing."""
        require(by, "knowledge.view")
        words = words_of(text)
        if text.strip() and not words:
            return []
        found = self._cards.search(words, kind=kind, limit=limit)
        return [Hit(card, passage(f"{card.summary}\n{card.text}", words)) for card in found]

    def card(self, card_id: str, *, by: Caller) -> Card:
        """Raises NotFound."""
        require(by, "knowledge.view")
        return self._cards.get(card_id)

    def request(self, card_id: str, project_ref: str, reason: str, *, by: Caller) -> str:
        """Asks the holders of a published dataset for access in one's project; the id of the request."""
        card = self.card(card_id, by=by)
        require(by, "access.request")
        if card.kind is not CardKind.DATASET:
            raise InvalidInput("access is asked for datasets", fix="ask the project that made the model")
        purpose = self._access.project(project_ref).purpose if project_ref else Purpose.CIVILIAN
        asked = self._vault.request_access(card.subject, project=project_ref, purpose=purpose, reason=reason, by=by)
        return asked.id

    def ask(self, text: str, *, by: Caller) -> Question:
        require(by, "knowledge.ask")
        bare = questions.check_text(text, questions.QUESTION_CHARACTERS_MAX)
        made = Question(self._ids.new("qst"), by.person, bare, self._clock.now())
        with self._cards.transaction():
            self._questions.add(made)
            self._audit.record("question.asked", made.id, by)
        return made

    def answer(self, question_id: str, text: str, *, by: Caller) -> Answer:
        """An expert's answer; it is published with its question, so that the next who asks finds it."""
        require(by, "knowledge.answer")
        bare = questions.check_text(text, questions.ANSWER_CHARACTERS_MAX)
        asked = self._questions.get(question_id)
        made = Answer(self._ids.new("ans"), asked.id, by.person, bare, self._clock.now())
        with self._cards.transaction(alone=f"question:{asked.id}"):
            self._questions.add_answer(made)
            whole = "\n\n".join(one.text for one in self._questions.answers(asked.id))
            face = Face(asked.text[:200], asked.text, text=whole)
            self._keep(CardKind.ANSWER, asked.id, "", by.organisation, "open", face, by)
            self._audit.record("question.answered", asked.id, by, answer=made.id)
        return made

    def questions(self, *, limit: int = 100, by: Caller) -> Sequence[tuple[Question, Sequence[Answer]]]:
        """Newest first, each with its answers."""
        require(by, "knowledge.view")
        return [(one, self._questions.answers(one.id)) for one in self._questions.all(limit=limit)]

    def question(self, question_id: str, *, by: Caller) -> tuple[Question, Sequence[Answer]]:
        require(by, "knowledge.view")
        found = self._questions.get(question_id)
        return found, self._questions.answers(found.id)

    def offer(self, fields: str, *, by: Caller) -> Expert:
        """Says what one knows, so that others can book an hour."""
        require(by, "knowledge.be_booked")
        made = Expert(by.person, questions.check_text(fields, questions.QUESTION_CHARACTERS_MAX))
        with self._cards.transaction():
            self._experts.put(made)
            self._audit.record("expert.offered", by.person, by)
        return made

    def experts(self, *, by: Caller) -> Sequence[Expert]:
        require(by, "knowledge.view")
        return self._experts.all()

    def book(self, expert: str, project_ref: str, hours: int, about: str, *, by: Caller) -> Booking:
        """Books an expert for a project; the hours are held at once. Raises CreditsExhausted, NotFound, InvalidInput."""
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        if not 1 <= hours <= HOURS_MAX:
            raise InvalidInput(f"an expert is booked for 1 to {HOURS_MAX} hours", fix="book several times")
        known = self._experts.get(expert)
        bare = questions.check_text(about, questions.QUESTION_CHARACTERS_MAX)
        made = Booking(self._ids.new("bkg"), known.person, project.id, by.person, hours, bare, self._clock.now())
        with self._cards.transaction():
            self._funding.hold(project.id, project.purpose, Resource.EXPERT_HOUR, hours * MICRO, made.id)
            self._experts.put_booking(made)
            self._audit.record("expert.booked", made.id, by, expert=known.person, project=project.id)
        return made

    def finish(self, booking_id: str, *, by: Caller) -> Booking:
        """The expert says that the hours were given; they are charged."""
        with self._cards.transaction(alone=f"booking:{booking_id}"):
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
        with self._cards.transaction(alone=f"booking:{booking_id}"):
            booking = self._mine(booking_id, by)
            off = move(booking, BookingState.CANCELLED)
            self._experts.put_booking(off)
            self._funding.release(off.id)
            self._audit.record("expert.cancelled", off.id, by, project=off.project)
        return off

    def extend(self, booking_id: str, hours: int, *, by: Caller) -> Booking:
        """Who booked gives it so many hours in all; more of them are held. Raises CreditsExhausted, WrongState, InvalidInput."""
        with self._cards.transaction(alone=f"booking:{booking_id}"):
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
            more = replace(booking, hours=hours)
            self._funding.raise_hold(more.id, hours * MICRO)
            self._experts.put_booking(more)
            self._audit.record("expert.extended", more.id, by, hours=hours)
        return more

    def _mine(self, booking_id: str, by: Caller) -> Booking:
        """Raises NotFound for who neither made it nor is booked."""
        booking = self._experts.booking(booking_id)
        if by.person not in {booking.expert, booking.person}:
            raise NotFound("there is no such booking", fix="fabriek expert bookings")
        return booking

    def bookings(self, *, by: Caller) -> Sequence[Booking]:
        """Those that one made or is booked for, newest first."""
        return self._experts.bookings(by.person)

    def _keep(
        self, kind: CardKind, subject: str, project: str, organisation: str, label: str, face: Face, by: Caller
    ) -> Card:
        known = self._cards.of_subject(subject)
        made = Card(
            self._ids.new("crd"), kind, subject, project, organisation, label, face.title.strip(), face.summary.strip(), face.licence, face.terms,
            face.keywords, face.language, face.text, self._clock.now(),
        )  # fmt: skip
        made = replace(made, id=known.id) if known else made
        cards.check(made)
        with self._cards.transaction(alone=f"card:{subject}"):
            self._cards.put(made)
            self._audit.record("card.published", made.id, by, kind=str(kind), label=label)
        return made
