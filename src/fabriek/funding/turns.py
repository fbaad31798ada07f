"""Whose turn it is, and from which share: first in, first out among those that wait for the same share; out of turn only with a reason."""

from collections.abc import Callable, Collection, Sequence

from fabriek.access.applying.applications import Application
from fabriek.funding.giving.shares import Share
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import WrongState


def before_it(
    queue: Sequence[Application],
    application: str,
    wanted: Collection[str],
    pays: Callable[[Application], Collection[str]],
) -> Sequence[Application]:
    """Those that came before it and wait for one of the shares that are wanted. pays: the shares that may pay for one."""
    place = next((number for number, one in enumerate(queue) if one.id == application), 0)
    return [one for one in queue[:place] if not set(wanted).isdisjoint(pays(one))]


def check_turn(earlier: Sequence[Application], application: str) -> None:
    """Raises WrongState naming the one whose turn it is."""
    if earlier:
        others = f", and {len(earlier) - 1} more" if len(earlier) > 1 else ""
        raise WrongState(
            f"first in, first out: application {earlier[0].id} came before {application} and waits for the same share{others}",
            fix=f"fabriek funding award {earlier[0].id}, or say why not: fabriek funding award {application} --out-of-turn REASON",
        )


def may_award_from(share: Share, by: Caller) -> bool:
    """A funder says what becomes of their own share; the director, and whoever looks after the installation, of all."""
    return by is SYSTEM or share.funder == by.organisation or by.may("funding.oversee") or by.may("funding.direct")
