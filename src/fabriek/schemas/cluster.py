"""A cluster's accounts on the wire."""

from fabriek.schemas.base import Wire


class SyncIn(Wire):
    """`dry_run`: only say what would be done."""

    dry_run: bool = False


class SyncedOut(Wire):
    """What was to be done, what was done, and what is not as it should be and stays so, each with the reason."""

    planned: list[str]
    done: list[str]
    left: list[str]
