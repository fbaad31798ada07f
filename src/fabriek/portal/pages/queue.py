"""Who waits for the machine, in order; and how much of it is sold, free now and free over the next days. In both languages, without any script."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from fabriek.compute.gpus import amount
from fabriek.compute.queue import Place, Shown
from fabriek.funding.reporting.seeing import sees_all
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.portal.form_words import language_of
from fabriek.portal.rendering import Pages
from fabriek.portal.share_words import stands_in_words
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services

SHOWN = 100
LAST_MAX = 10**9

WORDS = {
    "en": {
        "other": "nl", "language": "In het Nederlands", "machine": "The machine", "queue": "The queue", "capacity": "Capacity", "which": "Which jobs",
        "all": "All that wait", "own": "Yours", "waiting": "{of} waiting, {own} of them yours to look at, as it stood at {at}.", "place": "Place",
        "job": "Job", "share": "Share", "size": "Size", "why": "Why it waits", "expected": "Expected to start", "somebody": "somebody's",
        "unknown": "not known", "next": "Further back", "first": "From the front", "nobody": "Nobody waits.", "none_own": "None of yours waits.",
        "free": "Free", "from": "From", "memory": "Memory", "power": "Power", "unlimited": "not limited", "sold": "Sold against there",
        "free_note": "By the latest end of what stands now, and as if nothing more started; waiting for it: {of}.", "until": "Until",
        "to_spend": "Still to be spent", "gives": "The machine gives", "part": "Sold", "over": "more than there is", "now": "now",
        "unsaid": "Nobody said what the machine gives of this.", "stands": "How the shares stand to each other",
        "units": {one: one.plural for one in Resource},
    },
    "nl": {
        "other": "en", "language": "In English", "machine": "De machine", "queue": "De wachtrij", "capacity": "Capaciteit", "which": "Welke taken",
        "all": "Alles wat wacht", "own": "Die van u", "waiting": "{of} wachtend, waarvan u er {own} mag inzien, zoals het stond om {at}.",
        "place": "Plaats", "job": "Taak", "share": "Deel", "size": "Omvang", "why": "Waarom hij wacht", "expected": "Begint naar verwachting",
        "somebody": "van een ander", "unknown": "niet bekend", "next": "Verder naar achteren", "first": "Vanaf het begin", "nobody": "Niemand wacht.",
        "none_own": "Van u wacht er geen.", "free": "Vrij", "from": "Vanaf", "memory": "Geheugen", "power": "Vermogen", "unlimited": "niet begrensd",
        "sold": "Verkocht tegenover aanwezig", "until": "Tot en met", "to_spend": "Nog te besteden", "gives": "De machine geeft", "part": "Verkocht",
        "free_note": "Naar het laatste einde van wat er nu staat, en alsof er niets meer begon; wachtend: {of}.", "now": "nu",
        "over": "meer dan er is", "stands": "Hoe de delen zich tot elkaar verhouden", "unsaid": "Niemand heeft gezegd wat de machine hiervan geeft.",
        "units": {
            Resource.GPU_HOUR: "GPU-uren", Resource.CPU_HOUR: "CPU-uren", Resource.TIB_HOUR: "TiB-uren", Resource.EXPERT_HOUR: "uren van experts",
            Resource.TOKEN: "tokens",
        },
    },
}  # fmt: skip


def _said(request: Request) -> dict[str, Any]:
    lang = language_of(request)
    return {"lang": lang, "w": WORDS[lang]}


def _row(place: Place, shown: Shown, shares: dict[str, str], slugs: dict[str, str]) -> dict[str, Any]:
    """What everybody may know; and of the caller's own also which it is."""
    shape, job = place.waiting.shape, shown.jobs.get(place.waiting.job)
    each = [f"{amount(shape.gpus.milli)} GPU"] if shape.gpus else []
    size = " · ".join([*each, f"{shape.cpus} CPU"])
    return {
        "number": place.number, "share": shares.get(place.waiting.share, ""), "size": f"{shape.nodes} x ({size})" if shape.nodes > 1 else size,
        "wall": shape.wall_seconds_max, "until": place.decision.until, "says": place.decision.reason if job else place.says,
        "name": job.name if job else "", "short": job.short if job else "", "project": slugs[job.project] if job else "", "id": job.id if job else "",
    }  # fmt: skip


def _share(name: str, group: str) -> str:
    return f"{name} ({group})" if group else name


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def slugs(shown: Shown) -> dict[str, str]:
        return {one: services.access.project(one).slug for one in {job.project for job in shown.jobs.values()}}

    @made.get("/queue", access=SIGNED_IN)
    def queue(request: Request, caller: CallerDep, after: int = 0, show: str = "all") -> Response:
        """In the order in which they have their turn; others' jobs by place, share and size only."""
        own = show == "own"
        shown = services.queueing.shown(after=min(max(0, after), LAST_MAX), limit=SHOWN, own_only=own, by=caller)
        tree, known = services.giving.tree(), slugs(shown)
        shares = {one: _share(name, tree.group(one)) for one, name in services.simulator.names().items()}
        rows = [_row(place, shown, shares, known) for place in shown.places]
        return pages.render(
            request, "queue.html", rows=rows, shown=shown, own=own, after=after, at=pages.clock_time(shown.at), **_said(request)
        )  # fmt: skip

    @made.get("/capacity", access=SIGNED_IN)
    def capacity(request: Request, caller: CallerDep) -> Response:
        """What is free, for everybody; what is sold, for who sees all shares."""
        look = services.queueing.look()
        return pages.render(
            request, "capacity.html", machine=services.compute.machine_outlook(), free=look.free, waiting=len(look.places),
            sold=_sold(services, caller), stands=stands_in_words(services.giving.tree(), services.simulator.names(), language_of(request)),
            **_said(request),
        )  # fmt: skip

    return made


def _sold(services: Services, by: Caller) -> list[dict[str, Any]] | None:
    if not by.may("funding.view") or not sees_all(by):
        return None
    found = services.reporting.capacity(by=by)
    return [{"resource": one.resource, "is_known": one.is_known, "dues": one.dues} for one in found]
