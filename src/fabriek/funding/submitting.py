"""An application sent: checked at once, and awarded at once where its call is decided by the checks alone."""

from fabriek.access.applying.applications import ApplicationState
from fabriek.access.applying.calls import DecidedBy
from fabriek.access.applying.intake import Intake
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, NotPermitted


def submit(application_id: str, intake: Intake, funding: Funding, *, by: Caller) -> str:
    """What it waits for; empty where it waits for nothing. Raises InvalidInput when incomplete."""
    checked = intake.submit(application_id, by=by)
    if checked.state is not ApplicationState.ELIGIBLE:
        return ""
    decided_by = intake.calls.of(checked.call).decided_by
    if decided_by is not DecidedBy.AUTOMATIC:
        return f"a decision by {'experts' if decided_by is DecidedBy.EXPERTS else 'a person'}"
    try:
        funding.award_short_route(checked, by=by)
    except (CreditsExhausted, NotPermitted) as error:
        return f"a funder's award: {error.detail}"
    return ""
