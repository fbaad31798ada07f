"""Accounts that another site's `sacct` wrote: its table (`parsable`), its JSON (`slurm_json`), what both say (`fields`), whose they are."""
