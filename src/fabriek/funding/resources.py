"""The currencies of the ledger: each kind of resource is counted in its own, and none is ever exchanged for another."""

from collections.abc import Mapping
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO, shown


class Resource(StrEnum):
    """Amounts of each are integers in millionths of the unit named here."""

    GPU_HOUR = "gpu_hour"
    CPU_HOUR = "cpu_hour"
    TIB_HOUR = "tib_hour"
    EXPERT_HOUR = "expert_hour"
    TOKEN = "token"  # noqa: S105  # what a served model reads and writes

    @property
    def plural(self) -> str:
        """The unit as a sentence writes it: `GPU-hours`."""
        return _PLURALS[self]

    def counted(self, amount_micro: int) -> str:
        """An amount with its unit, whole: `1 CPU-hour`, `0.25 GPU-hours`."""
        unit = self.plural.removesuffix("s") if amount_micro == MICRO else self.plural
        return f"{shown(amount_micro)} {unit}"


HOURS_MAX = 10**12
"""At once: a thousand years of a hundred thousand GPUs, and far from where a database's integers end."""

_PLURALS = {
    Resource.GPU_HOUR: "GPU-hours",
    Resource.CPU_HOUR: "CPU-hours",
    Resource.TIB_HOUR: "TiB-hours",
    Resource.EXPERT_HOUR: "expert-hours",
    Resource.TOKEN: "tokens",
}


def amounts_of(hours: Mapping[str, int | float]) -> dict[Resource, int]:
    """Whole units by name → micro-units; those of nothing are left out. Raises InvalidInput."""
    for name, amount in hours.items():
        if (
            isinstance(amount, bool)
            or not isinstance(amount, int | float)
            or not (isinstance(amount, int) or amount.is_integer())
        ):
            raise InvalidInput(f"{amount} {name} is no whole number of hours", fix="name whole hours")
        if amount < 0:
            raise InvalidInput(f"{amount} {name} is below zero", fix="name hours above zero")
        if amount > HOURS_MAX:
            raise InvalidInput(f"that is more {name} than is counted at once", fix=f"name at most {HOURS_MAX}")
    try:
        return {Resource(name): int(amount) * MICRO for name, amount in hours.items() if int(amount)}
    except ValueError as error:
        raise InvalidInput(f"{error}", fix=f"resources are {', '.join(Resource)}") from None
