"""What the funders agreed on, as admission reads it: each share's part, and how shares stand to each other. The one way from the policy to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.compute.sharing.rules import RULES_HERE, ShareRules
from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.comparing import View
from fabriek.funding.policy.tree import tree_on


@dataclass(frozen=True, slots=True)
class Agreed:
    """`parts`: share or group → its part of the machine, in millionths."""

    parts: Mapping[str, int]
    rules: ShareRules


def agreed(view: View, shares: Callable[[], Sequence[Share]]) -> Agreed:
    """Of the day of the view. A group has the parts of those within it, as they are that day. shares: asked where rows name any."""
    policy = view.policy
    if not policy.branches and not policy.borrowings:
        return Agreed(view.parts, RULES_HERE)
    tree = tree_on(policy.branches, policy.borrowings, view.day, shares())
    rules = replace(RULES_HERE, parents=tree.parents, ceilings=tree.ceilings, borrowers_yield=tree.borrowers_yield)
    return Agreed(rules.summed(view.parts), rules)
