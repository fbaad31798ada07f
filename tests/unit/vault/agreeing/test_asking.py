"""Terms that people accept, and requests on their way to an agreement."""

from datetime import date

import pytest

from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, WrongState
from fabriek.vault.agreeing.requests import TRANSITIONS, RequestState
from tests.factories.vault import World, a_push
from tests.unit.vault.test_opening import FILES, agree, inputs, refused

UNTIL = date(2026, 12, 24)


def published(world: World) -> str:
    a_push(world, "biopsies", FILES, label="special-category")
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    world.vault.publish(dataset.id, by=world.hanna)
    return dataset.id


def test_nobody_computes_under_an_agreement_before_accepting_its_terms(world: World) -> None:
    dataset = published(world)
    terms = world.vault.set_terms(dataset, "# Terms\n\nBe kind.", by=world.hanna)
    agree(world)
    assert refused(lambda: inputs(world)) == "agreement.terms"
    assert [one.number for one in world.vault.terms_to_accept(dataset, by=world.stef)] == [1]
    world.vault.accept_terms(dataset, terms.sha256, by=world.stef)
    world.vault.accept_terms(dataset, terms.sha256, by=world.stef)
    assert inputs(world)
    assert world.vault.terms_to_accept(dataset, by=world.stef) == []
    # Each person for themselves: that one member accepted lets no other in.
    assert refused(lambda: inputs(world, by=world.hanna)) == "agreement.terms"
    assert [one.person for one in world.vault.acceptances_on(dataset, by=world.hanna)] == ["per_stef"]


def test_terms_for_taking_away_are_accepted_first_too(world: World) -> None:
    dataset = published(world)
    terms = world.vault.set_terms(dataset, "Be kind.", by=world.hanna)
    agree(world, right="take_away")
    assert refused(lambda: world.vault.open("biopsies", project="lab", by=world.stef)) == "agreement.terms"
    world.vault.accept_terms(dataset, terms.sha256, by=world.stef)
    assert world.vault.open("biopsies", project="lab", by=world.stef)


def test_new_terms_bind_new_agreements_and_leave_signed_ones(world: World) -> None:
    dataset = published(world)
    first = world.vault.set_terms(dataset, "First.", by=world.hanna)
    agree(world)
    world.vault.accept_terms(dataset, first.sha256, by=world.stef)
    second = world.vault.set_terms(dataset, "Second.", by=world.hanna)
    assert (second.number, world.vault.terms_of(dataset, number=1, by=world.uma).text) == (2, "First.\n")
    assert inputs(world)
    agree(world, project="campus")
    with pytest.raises(WrongState):
        world.vault.accept_terms(dataset, first.sha256, by=world.uma)
    assert refused(lambda: inputs(world, "lab/biopsies", project="prj_2", by=world.uma)) == "agreement.terms"


@pytest.mark.parametrize(
    "bad",
    [
        {"text": ""},
        {"text": "a\x1b[2Jb"},
        {"text": "x" * 100_001},
        {"text": "ok", "questions": ["a", " a "]},
        {"text": "ok", "questions": ["x" * 301]},
        {"text": "ok", "questions": [str(number) for number in range(21)]},
    ],
)
def test_terms_and_forms_that_cannot_be_are_refused(world: World, bad: dict[str, object]) -> None:
    dataset = published(world)
    with pytest.raises(InvalidInput):
        world.vault.set_terms(dataset, **bad, by=world.hanna)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        world.vault.terms_of(dataset, by=world.hanna)
    assert refused(lambda: world.vault.set_terms(dataset, "Mine.", by=world.stef)) == "data.owner"


def test_a_request_is_sent_returned_sent_again_reviewed_and_approved(world: World) -> None:
    dataset = published(world)
    world.vault.set_terms(dataset, "Be kind.", questions=["What for?"], by=world.hanna)
    with pytest.raises(InvalidInput):
        world.vault.request_access(dataset, project="campus", purpose="civilian", by=world.uma)
    draft = world.vault.request_access(dataset, project="campus", purpose="civilian", draft=True, by=world.uma)
    assert world.vault.requests_on(dataset, by=world.hanna) == []
    move = world.vault.move_request
    with pytest.raises(InvalidInput):
        move(draft.id, "sent", by=world.uma)
    move(draft.id, "sent", answers={"What for?": "A study"}, by=world.uma)
    with pytest.raises(InvalidInput):
        move(draft.id, "returned", by=world.hanna)
    move(draft.id, "returned", words="Which study?", by=world.hanna)
    move(draft.id, "sent", answers={"What for?": "The study of trees"}, by=world.uma)
    move(draft.id, "review", by=world.hanna)
    agreement = world.vault.approve_request(draft.id, until=UNTIL, places=["nl"], words="Good luck", by=world.hanna)
    assert (agreement.project, agreement.terms, agreement.places) == ("prj_2", 1, ("NL",))
    shown = world.vault.request(draft.id, by=world.uma)
    assert [str(step.state) for step in shown.steps] == ["draft", "sent", "returned", "sent", "review", "approved"]
    assert shown.answers == {"What for?": "The study of trees"}
    with pytest.raises(WrongState):
        world.vault.approve_request(draft.id, until=UNTIL, by=world.hanna)


def test_each_side_takes_its_own_steps_only(world: World) -> None:
    dataset = published(world)
    asked = world.vault.request_access(dataset, project="campus", purpose="civilian", by=world.uma)
    for state in ("review", "rejected"):
        assert refused(lambda: world.vault.move_request(asked.id, state, words="x", by=world.uma)) == "request.side"  # noqa: B023
    assert refused(lambda: world.vault.move_request(asked.id, "sent", by=world.hanna)) == "request.side"
    assert refused(lambda: world.vault.approve_request(asked.id, until=UNTIL, by=world.uma)) == "request.side"
    with pytest.raises(NotFound):
        world.vault.move_request(asked.id, "closed", by=world.stef)
    for state in ("approved", "draft", "granted"):
        with pytest.raises(InvalidInput):
            world.vault.move_request(asked.id, state, by=world.hanna)
    world.vault.move_request(asked.id, "rejected", words="No.", by=world.hanna)
    world.vault.move_request(asked.id, "closed", by=world.uma)
    assert world.vault.request_access(dataset, project="campus", purpose="civilian", by=world.uma).id != asked.id


def test_where_a_committee_decides_the_owner_does_not(world: World) -> None:
    dataset = published(world)
    world.vault.withdraw(dataset, by=world.hanna)
    world.vault.set_terms(dataset, "Be kind.", committee=["per_uma"], by=world.hanna)
    asked = world.vault.request_access(dataset, project="lab", purpose="civilian", by=world.stef)
    with pytest.raises(NotFound):
        world.vault.approve_request(asked.id, until=UNTIL, by=world.hanna)
    assert [one.id for one in world.vault.requests_on(dataset, by=world.uma)] == [asked.id]
    assert world.vault.approve_request(asked.id, until=UNTIL, by=world.uma).project == "prj_1"
    # Who decides about data may not open it for that.
    assert refused(lambda: world.vault.open(dataset, by=world.uma)) == "data.take_away"
    with pytest.raises(NotFound):
        world.vault.set_terms(dataset, "More.", committee=["per_nobody"], by=world.hanna)


def test_nobody_of_a_committee_decides_about_what_they_asked_for_themselves(world: World) -> None:
    dataset = published(world)
    world.vault.set_terms(dataset, "Be kind.", committee=["per_uma", "per_hanna"], by=world.hanna)
    asked = world.vault.request_access(dataset, project="campus", purpose="civilian", by=world.uma)
    assert refused(lambda: world.vault.approve_request(asked.id, until=UNTIL, by=world.uma)) == "request.side"
    assert refused(lambda: world.vault.move_request(asked.id, "review", by=world.uma)) == "request.side"
    assert world.vault.approve_request(asked.id, until=UNTIL, by=world.hanna).project == "prj_2"


def test_new_words_leave_the_form_and_the_committee_as_they_were(world: World) -> None:
    dataset = published(world)
    world.vault.set_terms(dataset, "First.", questions=["What for?"], committee=["per_uma"], by=world.hanna)
    second = world.vault.set_terms(dataset, "Second.", by=world.hanna)
    assert (second.number, second.questions, second.committee) == (2, ("What for?",), ("per_uma",))
    asked = world.vault.request_access(
        dataset, project="lab", purpose="civilian", answers={"What for?": "A study"}, by=world.stef
    )
    with pytest.raises(NotFound):
        world.vault.approve_request(asked.id, until=UNTIL, by=world.hanna)
    third = world.vault.set_terms(dataset, "Third.", questions=[], by=world.hanna)
    assert (third.questions, third.committee) == ((), ("per_uma",))
    # Who decided and has left keeps nobody from saying it better.
    del world.directory.callers["uma"]
    assert world.vault.set_terms(dataset, "Fourth.", by=world.hanna).committee == ("per_uma",)
    assert world.vault.set_terms(dataset, "Fifth.", committee=(), by=world.hanna).committee == ()
    assert world.vault.approve_request(asked.id, until=UNTIL, by=world.hanna).project == "prj_1"


def test_nobody_signs_what_answers_a_request_about_which_others_decide(world: World) -> None:
    dataset = published(world)
    world.vault.set_terms(dataset, "Be kind.", committee=["per_hanna", "per_uma"], by=world.hanna)
    own = world.vault.request_access(dataset, project="lab", purpose="civilian", by=world.hanna)
    for more in ({}, {"right": "take_away"}, {"purposes": ["civilian", "dual_use"]}):
        assert refused(lambda: agree(world, **more)) == "request.side"  # noqa: B023
    assert world.vault.agreements_on(dataset, by=world.hanna) == []
    # Nor by saying yes to a colleague.
    other = world.vault.request_access(dataset, project="lab", purpose="civilian", by=world.stef)
    world.vault.approve_request(other.id, until=UNTIL, by=world.hanna)
    assert world.vault.request(own.id, by=world.hanna).state is RequestState.SENT
    # What answers nothing is the owner's to sign, and others answer theirs.
    assert agree(world, project="campus")
    assert world.vault.approve_request(own.id, until=UNTIL, by=world.uma).project == "prj_1"


def test_the_owner_signs_nothing_that_answers_what_waits_for_the_committee(world: World) -> None:
    dataset = published(world)
    world.vault.set_terms(dataset, "Be kind.", committee=["per_uma"], by=world.hanna)
    asked = world.vault.request_access(dataset, project="lab", purpose="civilian", by=world.stef)
    assert refused(lambda: agree(world)) == "request.side"
    assert world.vault.request(asked.id, by=world.stef).state is RequestState.SENT
    world.vault.move_request(asked.id, "rejected", words="No.", by=world.uma)
    assert agree(world)


def test_without_a_committee_an_agreement_answers_what_the_owner_asked_too(world: World) -> None:
    dataset = published(world)
    asked = world.vault.request_access(dataset, project="lab", purpose="civilian", by=world.hanna)
    agree(world)
    assert world.vault.request(asked.id, by=world.hanna).state is RequestState.APPROVED


def test_a_request_without_a_project_is_not_approved(world: World) -> None:
    dataset = published(world)
    asked = world.vault.request_access(dataset, purpose="civilian", by=world.uma)
    with pytest.raises(WrongState):
        world.vault.approve_request(asked.id, until=UNTIL, by=world.hanna)
    assert world.vault.request(asked.id, by=world.uma).state is RequestState.SENT


def test_an_agreement_that_gives_less_than_was_asked_leaves_the_request_waiting(world: World) -> None:
    dataset = published(world)
    asked = world.vault.request_access(dataset, project="campus", purpose="civilian", right="take_away", by=world.uma)
    agree(world, project="campus")
    assert world.vault.request(asked.id, by=world.uma).state is RequestState.SENT
    with pytest.raises(AlreadyExists):
        world.vault.request_access(dataset, project="campus", purpose="civilian", right="take_away", by=world.uma)


def test_no_way_in_the_table_leads_back_from_an_answer() -> None:
    answers = {RequestState.APPROVED, RequestState.REJECTED, RequestState.CLOSED}
    assert set(TRANSITIONS) == set(RequestState)
    assert all(TRANSITIONS[state] <= {RequestState.CLOSED} for state in answers)
