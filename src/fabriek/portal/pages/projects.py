"""A project's page."""

from fastapi import Request
from starlette.responses import Response

from fabriek.kernel.units import shown
from fabriek.portal.pages.access import left_of
from fabriek.portal.pages.cases import case_shown
from fabriek.portal.pages.duties import owed_shown
from fabriek.portal.pages.funding import burndown_shown
from fabriek.portal.pages.joining import people_shown
from fabriek.portal.pages.models import models_shown
from fabriek.portal.pages.secrets import secrets_shown
from fabriek.portal.pages.serving import served_shown
from fabriek.portal.rendering import Pages
from fabriek.schemas.sessions import KINDS
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

SHOWN = 10
BASES_SHOWN = 50
ACTIVE_SHOWN = 100
"""Jobs that have not ended, among which one's sessions are looked for."""


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}", access=Right("project.view"))
    def show(request: Request, project: str, caller: CallerDep) -> Response:
        """Credits, people, data, jobs, runs and models."""
        found = services.access.project(project)
        held = services.vault.list(project, limit=50, by=caller)
        newest = services.vault.newest_of([one.id for one in held])
        datasets = [
            {"name": one.name, "label": one.label, "newest": newest[one.id].number if one.id in newest else 0}
            for one in held
        ]
        active = services.compute.list(project, limit=ACTIVE_SHOWN, cursor="", active=True, by=caller).items
        sessions = [one for one in active if one.terms.port and not one.terms.serves and one.person == caller.person]
        jobs = services.compute.list(project, limit=SHOWN, cursor="", by=caller).items
        runs = [one.run for one in services.lab.search(found.id, [], filter_text="", order_by=[], by=caller)[:SHOWN]]
        bases = [
            (one, services.base_models.newest(one))
            for one in services.base_models.all(found.id, by=caller)[:BASES_SHOWN]
        ]
        elsewhere = [
            {
                "site": one.site,
                "jobs": one.jobs,
                "resource": one.resource,
                "used": shown(one.used),
                "over": shown(one.over),
            }
            for one in services.bridge.totals_of(project, by=caller)
        ]
        return pages.render(
            request, "project.html", project=found, left=left_of(services, found.id), people=people_shown(services, project, caller),
            contact=services.joining.steering.contact(project, by=caller), changes=services.joining.steering.waiting(project, by=caller),
            datasets=datasets, recent=jobs, standing=services.running_out.overview(project, by=caller),
            project_of=lambda _job: found.slug, runs=runs, models=models_shown(services, found, caller), bases=bases,
            owed=owed_shown(services, services.duties.reporting.of_project(project, by=caller)),
            extension=services.duties.extending.offered(project, by=caller),
            thanks=services.duties.acknowledging.of_project(project, "en", by=caller),
            kinds=KINDS, sessions=sessions, elsewhere=elsewhere, packs=services.packing.list(project, by=caller)[:SHOWN],
            burning=burndown_shown(services, project, caller),
            secrets=secrets_shown(services, project, caller), manages=caller.may("project.manage", project=found.id),
            mails=bool(services.relay.host), served=served_shown(services, project, caller),
            cases=[case_shown(one, services) for one in services.casework.of_project(project, by=caller)],
        )  # fmt: skip

    return made
