"""The ledger taken along: as CSV and JSON lines, with a last line by which a reader sees that nothing is missing."""
