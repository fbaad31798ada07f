"""Step 9: the expertise centre, which needs no machine at all."""

from fabriek.ops.story.stage import Stage

QUESTION = "How do I know that my classifier is calibrated?"


def centre(stage: Stage) -> str:
    """A question, an answer, an hour with the expert, and the next who searches finds the answer."""
    startup, expert = stage.people["startup"], stage.people["university"]
    asked = startup.desk.ask(QUESTION)
    expert.desk.offer("Statistics for medicine; calibration; small samples.")
    expert.desk.answer(
        asked.id,
        "Draw a reliability curve on data it never saw, and compare the Brier score with that of the base rate.",
    )
    person = expert.access.whoami().person
    before = _hours_left(stage)
    booking = startup.desk.book(person, "Look at our reliability curve together.")
    done = expert.desk.finish(booking.id)
    assert done.state == "done"
    spent = before - _hours_left(stage)
    found = stage.people["hospital"].catalogue.search("calibrated", kind="answer")
    assert [one.subject for one in found.items] == [asked.id]
    return f"one question answered, {spent:g} expert-hour booked, given and in the ledger; the hospital's search finds the answer"


def _hours_left(stage: Stage) -> float:
    return next(float(one.left) for one in stage.people["startup"].funding.credits() if one.resource == "expert_hour")
