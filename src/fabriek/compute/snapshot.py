"""What admission looks at: the machine, what stands on it, who waits, and what power may be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.order import FirstCome, Order
from fabriek.compute.power import Contract, Limit, PowerTable
from fabriek.compute.sharing.rules import PLAIN, ShareRules


@dataclass(frozen=True, slots=True)
class Lately:
    """The part of the machine, 0..1, that each had in the mean over the time that is remembered."""

    shares: Mapping[str, float] = field(default_factory=dict)
    owners: Mapping[str, float] = field(default_factory=dict)


NOTHING_LATELY = Lately()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one instant, so that deciding needs nothing else.

    shares: share id → its part of the machine in millionths; an unknown share is entitled to nothing and may borrow.
    contract: None where nobody limits the meter. starts_held: why no job may start now, as a sentence's end; empty
    when jobs may. zone: for the clock times in reasons. order: which of a share's jobs goes first. rules: how shares stand to each other.
    lately: what shares and owners used lately, as far as the rules remember it.
    """

    capacity: Capacity
    table: PowerTable
    running: tuple[Running, ...] = ()
    queued: tuple[Waiting, ...] = ()
    shares: Mapping[str, int] = field(default_factory=dict)
    contract: Contract | None = None
    limits: tuple[Limit, ...] = ()
    starts_held: str = ""
    zone: tzinfo = UTC
    order: Order = field(default_factory=FirstCome)
    rules: ShareRules = PLAIN
    lately: Lately = NOTHING_LATELY
