"""What one may do in the vault. The verbs stand in groups, each on the one before: holding, pushing, opening, sharing, asking, closing,
lowering.
"""

from fabriek.vault.desk import Parts
from fabriek.vault.lowering import Lowering
from fabriek.vault.safe import Safe


class Vault(Lowering):
    """The vault of one installation. `safe` seals for the dialects."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.safe = Safe(parts)
