"""What a project is for. The word decides which share may pay and which agreement lets data be used."""

from enum import StrEnum


class Purpose(StrEnum):
    """Dual use counts as a purpose of its own: it is neither civilian nor exclusively military."""

    CIVILIAN = "civilian"
    DUAL_USE = "dual_use"
    EXCLUSIVELY_MILITARY = "exclusively_military"
