"""What would become of a job, as both edges show it."""

from fabriek.compute.planning import Plan
from fabriek.funding.resources import Resource
from fabriek.schemas.compute import PlanOut
from fabriek.web.services import Services


def plan_out(found: Plan, services: Services) -> PlanOut:
    resource, names = Resource(found.job.resource), services.simulator.names()
    return PlanOut(
        starts_now=found.starts_now, why=found.reason, elements=found.elements, starting=found.starting, until=found.until,
        label=found.job.label, purpose=found.job.purpose, share=names.get(found.job.share, found.job.share),
        held=resource.counted(found.held_micro), left=resource.counted(found.left_micro),
    )  # fmt: skip
