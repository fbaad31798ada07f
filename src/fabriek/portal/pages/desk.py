"""Questions and their answers."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/questions", access=Right("knowledge.view"))
    def questions(request: Request, caller: CallerDep) -> Response:
        """Questions with their answers, newest first."""
        listed = [
            {
                "title": question.text,
                "answers": [{"text": one.text, "by": services.access.person(one.person).name} for one in answers],
            }
            for question, answers in services.desk.questions(by=caller)
        ]
        return pages.render(request, "questions.html", questions=listed)

    @made.post("/questions", access=Right("knowledge.ask"), once=False)
    async def ask(request: Request, caller: CallerDep) -> Response:
        """Asks, and shows the list again."""
        fields = await read_form(request)
        await run_in_threadpool(services.desk.ask, fields.get("question", ""), by=caller)
        return RedirectResponse("/questions", status_code=303)

    return made
