"""What a search of runs asks for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fabriek.lab.filters import Condition, Order
from fabriek.lab.runs import View


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for. `job`: only its own runs. `hidden`: labels whose runs answer no question about metrics, unless their job is
    among `released`.
    """

    project: str
    experiments: Sequence[str]
    conditions: Sequence[Condition] = ()
    orders: Sequence[Order] = ()
    view: View = View.ACTIVE
    job: str = ""
    hidden: Collection[str] = ()
    released: Collection[str] = ()
