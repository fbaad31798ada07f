"""Which share may pay for which purpose. The rules are dated data; what no rule allows is forbidden."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.giving.shares import Share
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import CreditsExhausted, NotPermitted
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO


@dataclass(frozen=True, slots=True)
class Rule:
    """What the money of one kind of funder pays for, from a day on. `id` is what a refusal names."""

    id: str
    funder: FunderKind
    pays: frozenset[Purpose]
    valid_from: date
    source: str


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules of a TOML text such as data/purposes.toml. Raises InvalidInput."""
    return read_rows(text, "rule", _rule)


def rule_on(kind: FunderKind, rules: Iterable[Rule], on: date) -> Rule:
    """The rule for that kind of money on that day; one that pays for nothing where none is in force."""
    found = in_force((rule for rule in rules if rule.funder is kind), on)
    return found or Rule("purpose.no_rule_in_force", kind, frozenset(), on, "nothing is allowed that no rule allows")


def forbidden_by(share: Share, purpose: Purpose, rules: Iterable[Rule], on: date) -> Rule | None:
    """The rule that keeps this share from paying for this purpose, or None when it may."""
    rule = rule_on(share.kind, rules, on)
    return None if purpose in rule.pays else rule


def may_pay(share: Share, purpose: Purpose, rules: Iterable[Rule], on: date) -> bool:
    return forbidden_by(share, purpose, rules, on) is None


def refuse(share: Share, purpose: Purpose, rule: Rule) -> NotPermitted:
    """The refusal, ready to raise."""
    return NotPermitted(
        f"the share {share.name} may not pay for a purpose that is {purpose.replace('_', ' ')}: {rule.source}",
        rule=rule.id,
        fix="ask for an allocation from a share that may: fabriek funding shares",
    )


def choose_share(
    shares: Sequence[Share],
    purpose: Purpose,
    rules: Sequence[Rule],
    on: date,
    *,
    left: Mapping[str, Mapping[Resource, int]],
    asked: Mapping[Resource, int],
) -> Share:
    """The share to award from: one that may pay and has room for all that is asked.

    left: share id → resource → micro-units not yet awarded. The most restricted money goes first, so that money that may
    pay for anything is kept for what only it can pay; then the share with most left. Raises NotPermitted naming the rule
    when no share may pay, CreditsExhausted when none that may has room.
    """
    paying = [share for share in shares if may_pay(share, purpose, rules, on)]
    if not paying:
        raise _nobody_pays(shares, purpose, rules, on)
    ranked = sorted(
        paying,
        key=lambda share: (len(rule_on(share.kind, rules, on).pays), -_room(left.get(share.id, {}), asked), share.id),
    )
    for share in ranked:
        if all(left.get(share.id, {}).get(resource, 0) >= amount for resource, amount in asked.items()):
            return share
    raise _nobody_has_room(ranked, left, asked)


def _room(left: Mapping[Resource, int], asked: Mapping[Resource, int]) -> int:
    """How many times the scarcest of what is asked fits, in millionths."""
    return min((left.get(resource, 0) * MICRO // amount for resource, amount in asked.items() if amount > 0), default=0)


def _nobody_pays(shares: Sequence[Share], purpose: Purpose, rules: Sequence[Rule], on: date) -> NotPermitted:
    for share in shares:
        rule = forbidden_by(share, purpose, rules, on)
        if rule is not None:
            return refuse(share, purpose, rule)
    return NotPermitted(
        "no share has been granted yet, so nothing can pay", rule="purpose.no_share", fix="fabriek funding contribute"
    )


def _nobody_has_room(
    ranked: Sequence[Share], left: Mapping[str, Mapping[Resource, int]], asked: Mapping[Resource, int]
) -> CreditsExhausted:
    roomiest = max(ranked, key=lambda share: _room(left.get(share.id, {}), asked))
    has = left.get(roomiest.id, {})
    short = next(resource for resource, amount in asked.items() if has.get(resource, 0) < amount)
    return CreditsExhausted(
        f"no share that may pay has {asked[short] / MICRO:,g} {short.plural} left",
        fix="ask for less, or wait for the next contribution",
        left=has.get(short, 0) / MICRO,
        asked=asked[short] / MICRO,
        unit=short.value,
        share=roomiest.id,
    )


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        id=str(row["id"]),
        funder=FunderKind(row["funder"]),
        pays=frozenset(Purpose(purpose) for purpose in row["pays"]),
        valid_from=row["valid_from"],
        source=row["source"],
    )
