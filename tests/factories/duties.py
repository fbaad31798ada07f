"""Awards that oblige to reports, and answers to their forms, for tests."""

from dataclasses import replace
from datetime import timedelta

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.kernel.callers import Caller
from tests.factories.services import Town

INTERIM = {
    "results": "Two of five languages.",
    "hours": "Training, as planned.",
    "part_used": 50,
    "changed": "Nothing.",
}
FINAL = {
    "results": "Five languages.", "benefit": "Five regions.", "hours": "Training.", "changed": "Nothing.", "publish": True,
}  # fmt: skip


def decided(town: Town, by: Caller, *, call: str = "science", months: str = "6", **answers: object) -> Application:
    """An application as it stands before a committee: what reviewing asks is shown elsewhere."""
    said = {"title": "Speech", "purpose": "civilian", "gpu_hours": 200, "months": months} | answers
    filed = town.services.intake.file(call, said, by=by)
    before = replace(filed, state=ApplicationState.COMMITTEE, submitted_at=filed.made_at)
    with town.services.database.transaction():
        town.services.reviewing.docket.applications.save(before)
    return before


def a_science_project(town: Town, by: Caller, *, gpu_hours: int = 200, **answers: object) -> tuple[str, str]:
    """The project's slug, and the id of its allocation."""
    application = decided(town, by, **answers)
    made, project = town.services.awarding.award_decided(application, gpu_hours, share="", by=town.operator)
    return project.slug, made.id


def days(town: Town, count: int) -> None:
    town.clock.move(timedelta(days=count))
