"""Statements of origin over HTTP."""

import base64

from fabriek.schemas.assurance import StatementOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["assurance"])


@router.get("/projects/{project}/jobs/{job}/statement", access=Right("job.view"))
def statement(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> StatementOut:
    """The signed statement of where a job's results came from."""
    found = factory.compute.get(project, job, by=caller)
    envelope = factory.assurance.of_job(found.id, found.project, by=caller)
    return StatementOut(
        job=found.id, envelope=envelope, public_key=base64.b64encode(factory.assurance.public_key()).decode()
    )
