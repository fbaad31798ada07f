"""The verbs of this room together."""

from dataclasses import dataclass

from fabriek.funding.duties.acknowledging import Acknowledging
from fabriek.funding.duties.extending import Extending
from fabriek.funding.duties.reminding import Reminding
from fabriek.funding.duties.reporting import Reporting


@dataclass(frozen=True, slots=True)
class Duties:
    """What an award obliges to."""

    reporting: Reporting
    extending: Extending
    acknowledging: Acknowledging
    reminding: Reminding
