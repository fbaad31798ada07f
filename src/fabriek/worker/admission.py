"""Deciding which jobs may start: load a snapshot, decide outside any transaction, apply what still holds."""

from fabriek.compute.admission import admit
from fabriek.web.services import Services


def admit_jobs(services: Services) -> int:
    """One decision round; how many jobs were let through."""
    services.progress.drop_hopeless()
    snapshot = services.progress.snapshot()
    if not snapshot.queued:
        services.progress.remember()
        services.queueing.saw(snapshot, (), services.clock.now())
        return 0
    now = services.clock.now()
    decisions = admit(snapshot, now)
    services.queueing.saw(snapshot, decisions, now)
    return services.progress.apply(decisions)
