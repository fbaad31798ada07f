"""Keeping the catalogue in step with what the factory itself offers."""

from fabriek.knowledge.catalogue.entries import EntryKind
from fabriek.knowledge.offers.faces import faces_on
from fabriek.knowledge.training.faces import taught
from fabriek.web.services import Services


def shelve(services: Services) -> None:
    """What the factory offers today is found in the catalogue, and nothing that it did before."""
    services.catalogue.shelve(EntryKind.SERVICE, faces_on(services.offering.today()))
    services.catalogue.shelve(EntryKind.RECIPE, dict(services.recipes.cards()))
    services.catalogue.shelve(EntryKind.TRAINING, taught(services.training.courses()))
