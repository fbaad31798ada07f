"""Classes on the ledger: `teaching` a course with its budget, `places` one seat each."""
