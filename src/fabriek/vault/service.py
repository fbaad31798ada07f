"""What one may do in the vault. The verbs stand in five groups, each on the one before: holding, pushing, opening, sharing, naming."""

from fabriek.vault.desk import Parts
from fabriek.vault.naming import Naming
from fabriek.vault.safe import Safe


class Vault(Naming):
    """The vault of one installation. `safe` seals for the dialects."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.safe = Safe(parts)
