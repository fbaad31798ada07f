"""What one may do in the vault. The verbs stand in four groups, each on the one before: holding, pushing, opening, sharing."""

from fabriek.vault.desk import Parts
from fabriek.vault.safe import Safe
from fabriek.vault.sharing import Sharing


class Vault(Sharing):
    """The vault of one installation. `safe` seals for the dialects."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.safe = Safe(parts)
