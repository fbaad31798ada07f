"""`python -m fabriek.cli`: the same as `fabriek`, for a machine whose PATH does not have it."""

from fabriek.cli.main import main

main()
