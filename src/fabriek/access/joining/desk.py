"""The services of coming in and going out, together."""

from dataclasses import dataclass

from fabriek.access.joining.appointing import Appointing
from fabriek.access.joining.inviting import Inviting
from fabriek.access.joining.leaving import Leavers
from fabriek.access.joining.proving import Proving
from fabriek.access.joining.quarterly import Quarterly
from fabriek.access.joining.reminding import Reminding
from fabriek.access.joining.steering import Steering


@dataclass(frozen=True, slots=True)
class Joining:
    inviting: Inviting
    appointing: Appointing
    leavers: Leavers
    quarterly: Quarterly
    proving: Proving
    steering: Steering
    reminding: Reminding
