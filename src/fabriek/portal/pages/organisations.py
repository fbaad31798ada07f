"""An organisation's page: the proof that it is one, its people, and whom it invited."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.joining.proofs import kind_named, kinds
from fabriek.access.roles import administers
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput
from fabriek.portal.forms import read_form
from fabriek.portal.pages.joining import SHOWN, shown
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services

ONE = "/organisations/{organisation}"
OF_A_FIELD = "field-"
"""Before the name of each field of a proof: they are the data's own names, and `kind` could be one."""


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    inviting, proving = services.joining.inviting, services.joining.proving

    def page(
        request: Request, name: str, caller: Caller, *, status: int = 200, problem: Mapping[str, Any] | None = None,
        filled: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        body = services.access.organisation(name)
        manages = administers(caller, body.id)
        proof = proving.of_organisation(body.id, by=caller)
        invited = inviting.of_organisation(body.id, by=caller)[:SHOWN] if manages else []
        return pages.render(
            request, "organisation.html", status=status, body=body, people=services.access.people_of(body.id, by=caller), manages=manages,
            invitations=[shown(one, services) for one in invited], problem=problem, filled=filled or {},
            proof=proof, proof_due=proof is not None and proof.is_due(services.clock.today()),
            proof_stated=proof is not None and proving.is_only_stated(proof), of_a_field=OF_A_FIELD,
            proof_labels={one.name: one.texts["en"] for one in kind_named(proof.kind).fields} if proof else {}, proof_kinds=kinds().values(),
        )  # fmt: skip

    @made.get(ONE, access=SIGNED_IN)
    def organisation(request: Request, organisation: str, caller: CallerDep) -> Response:
        """Its people and their roles, the proof that it is one, and for its administrators who is invited."""
        return page(request, organisation, caller)

    @made.post(ONE + "/invitations", access=SIGNED_IN, once=False)
    async def invite_person(request: Request, organisation: str, caller: CallerDep) -> Response:
        """Invites a new person of the organisation."""
        fields = await read_form(request)
        given = fields.get("address", ""), fields.get("name", "")[:200]
        sent = await run_in_threadpool(inviting.to_organisation, organisation, *given, by=caller)
        return pages.render(request, "invited.html", sent=sent, back=f"/organisations/{organisation}")

    @made.post(ONE + "/proof", access=SIGNED_IN, once=False)
    async def prove(request: Request, organisation: str, caller: CallerDep) -> Response:
        """Shows that it is one; what is wrong in it comes back with the reason above it."""
        said = await read_form(request)
        given = {name.removeprefix(OF_A_FIELD): one for name, one in said.items() if name.startswith(OF_A_FIELD)}
        try:
            await run_in_threadpool(proving.prove, organisation, said.get("kind", ""), given, by=caller)
        except (InvalidInput, AlreadyExists) as error:
            problem = problem_of(error, request_id(request))
            return await run_in_threadpool(
                page, request, organisation, caller, status=error.meaning.http, problem=problem, filled=said
            )
        return RedirectResponse(f"/organisations/{organisation}#proof", status_code=303)

    return made
