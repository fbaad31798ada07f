"""A look at the ledger for an auditor who has no account here: by a link, until a day, at nothing else."""
