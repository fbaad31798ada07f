"""Bringing in what was handed over: a version in the vault, or a base model, and its entry in the catalogue. Once more changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.catalogue import EntryOut
from fabriek.sdk.base_models import Watching
from fabriek.sdk.facade import Fabriek
from fabriek.sdk.importing.croissant import read_croissant
from fabriek.sdk.importing.handed import Handed, surveyed
from fabriek.sdk.importing.hub import read_hub

DOCUMENTS = ("croissant.json", "metadata.json")
"""What a document in Croissant is called in a folder."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came in. `version`: its number, or the commit of a base model. `unchanged`: it was here already, to the byte."""

    handed: Handed
    name: str
    version: str
    unchanged: bool
    entry: EntryOut


def read_handed(place: Path) -> Handed:
    """A document, or a folder with one or with a card of the Hub. Raises InvalidInput."""
    if place.is_dir():
        document = next((place / one for one in DOCUMENTS if (place / one).is_file()), None)
        return read_croissant(document) if document is not None else read_hub(place)
    if place.suffix.lower() in {".json", ".jsonld"}:
        return read_croissant(place)
    raise InvalidInput(
        f"{place} is neither a folder nor a document in Croissant",
        fix="fabriek catalogue import FILE.json, or a FOLDER",
    )


def bring_in(
    factory: Fabriek, place: Path, *, name: str = "", label: str = "", reach: str = "project", project: str = "", allow_code: bool = False,
    watching: Watching | None = None, tell: Callable[[str], None] = lambda _: None,
) -> Imported:  # fmt: skip
    """Everything is read and checked before anything is sent. Raises InvalidInput, NotPermitted naming the rule."""
    handed, watching = read_handed(place), watching or Watching()
    called = name or handed.name
    if handed.kind == "model":
        pushed = factory.base_models.push(
            handed.root, called, label=label, allow_code=allow_code, project=project, watching=watching,
        )  # fmt: skip
        version, unchanged = pushed.commit, not pushed.new
    else:
        sent = factory.vault.push(
            handed.root, called, label=label, project=project, progress=watching.sent, expect=watching.sized, tell=tell,
            take=partial(surveyed, paths=handed.paths),
        )  # fmt: skip
        version, unchanged = str(sent.version.number), sent.unchanged
    face = {key: value for key, value in handed.face.items() if isinstance(value, str)}
    entry = factory.catalogue.publish(
        handed.kind,
        called,
        reach=reach,
        keywords=list(handed.face["keywords"]),
        authors=list(handed.face["authors"]),
        project=project,
        **face,
    )
    return Imported(handed, called, version, unchanged, entry)
