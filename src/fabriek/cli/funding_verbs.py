"""`fabriek funding` with all its verbs, from the modules that they stand in."""

from fabriek.cli import funding_auditors, funding_correcting, funding_exchange, funding_giving
from fabriek.cli.funding import funding

__all__ = ["funding", "funding_auditors", "funding_correcting", "funding_exchange", "funding_giving"]
