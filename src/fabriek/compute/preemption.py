"""Which jobs are put back into the queue so that another can start: only such as their owners said may be."""

from collections.abc import Callable

from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.jobs import Priority
from fabriek.compute.order import RANK
from fabriek.compute.snapshot import Snapshot
from fabriek.compute.turns import ShareUse


def must_leave(
    waiting: Waiting, snapshot: Snapshot, use: ShareUse, fits_without: Callable[[frozenset[str]], bool]
) -> list[str]:
    """As few as make room, eco first and then those that would stand longest; none where that would not help, or where those that are
    leaving already are enough. Only an urgent job, or one whose share has less than its own, makes others leave, and only such as would
    not have their turn before it: else they would come straight back.
    """
    owed = bool(snapshot.shares) and not use.borrows(waiting.share)
    if not owed and waiting.priority is not Priority.URGENT:
        return []
    leaving = frozenset(one.job for one in snapshot.running if one.leaving)
    able = [one for one in snapshot.running if one.preemptible and not one.leaving and _goes_after(one, waiting, use)]
    able.sort(key=lambda one: (-RANK[one.priority], -one.ends.timestamp(), one.job))
    if not able or fits_without(leaving) or not fits_without(leaving | {one.job for one in able}):
        return []
    chosen = [one.job for one in able]
    for job in reversed(list(chosen)):  # the least deserving were listed first: who came last stays, if it can
        fewer = leaving | {other for other in chosen if other != job}
        if fits_without(fewer):
            chosen.remove(job)
    return chosen


def _goes_after(running: Running, waiting: Waiting, use: ShareUse) -> bool:
    """Whether it would come after the other in the queue, once it is back there."""
    use.take_away(running.share, running.shape)
    turns = [(use.borrows(one.share), RANK[one.priority]) for one in (waiting, running)]
    use.add(running.share, running.shape)
    return turns[0] < turns[1]
