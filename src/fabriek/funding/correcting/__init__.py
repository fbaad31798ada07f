"""Charges that were wrong, set right by counter-entries with their reason."""
