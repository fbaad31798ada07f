"""A base model's page: what it is, under which licence, and the lines to use it."""

from fastapi import Query, Request
from starlette.responses import Response

from fabriek.lab.base_models.cards import read_card
from fabriek.lab.base_models.models import MAIN
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

FILES_SHOWN = 200


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/base-models/{base_model:path}", access=Right("lab.view"))
    def show(
        request: Request, project: str, base_model: str, caller: CallerDep, revision: str = Query("", max_length=100)
    ) -> Response:
        """Card, licence, files, revisions."""
        home = services.access.project(project)
        model = services.base_models.get(home.id, base_model, by=caller)
        asked = revision or (MAIN if MAIN in model.branches else services.base_models.newest(model).commit)
        model, found = services.base_models.revision(home.id, base_model, asked, by=caller)
        files = services.base_models.files(found, by=caller)
        return pages.render(
            request, "base_model.html", project=home, model=model, revision=found, asked=asked, files=files[:FILES_SHOWN],
            more=len(files) - FILES_SHOWN, card=read_card(found.card).text, pinned=asked == found.commit,
            for_transformers=any(one.path == "config.json" for one in files),
        )  # fmt: skip

    return made
