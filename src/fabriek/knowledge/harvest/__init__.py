"""Entries of other catalogues, read where they are: found here, opened there."""
