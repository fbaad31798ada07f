"""An application sent: checked at once, and awarded at once where its call is decided by the checks alone."""

from fabriek.access.applying.intake import Intake
from fabriek.funding.awarding import Awarding
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, NotPermitted, WrongState


def submit(application_id: str, intake: Intake, awarding: Awarding, *, by: Caller) -> str:
    """What it waits for; empty where it waits for nothing. Raises InvalidInput when incomplete."""
    checked = intake.submit(application_id, by=by)
    if not intake.is_ready(checked):
        return ""
    try:
        awarding.award_short_route(checked, by=by)
    except (CreditsExhausted, NotPermitted) as error:
        return f"a funder's award: {error.detail}"
    except WrongState:  # the worker, which looks at the queue too, was before us
        return ""
    return ""
