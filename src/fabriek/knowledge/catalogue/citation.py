"""How an entry is cited: as CITATION.cff, which GitHub, Zenodo and Zotero read (https://citation-file-format.github.io, 1.2.0)."""

from typing import Any

import yaml

from fabriek.knowledge.catalogue.entries import Entry, EntryKind

TYPES = {EntryKind.DATASET: "dataset", EntryKind.MODEL: "software"}


def cff(entry: Entry, organisation: str, address: str) -> str:
    """organisation: the name of whose it is. address: the page of the entry."""
    authors = [_author(one) for one in entry.authors] or [{"name": organisation}]
    said: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this, please cite it as below.",
        "title": entry.title,
        "abstract": entry.summary,
        "authors": authors,
        "date-released": entry.published_at.date().isoformat(),
        "url": address,
    }
    if entry.kind in TYPES:
        said["type"] = TYPES[entry.kind]
    if entry.doi:
        said["doi"] = entry.doi
    if entry.licence:
        said["license"] = entry.licence
    if entry.keywords:
        said["keywords"] = list(entry.keywords)
    return str(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120))


def _author(name: str) -> dict[str, str]:
    """`Family, Given` is a person; anything else is the name of a body or a person as it is written."""
    family, comma, given = name.partition(",")
    return {"family-names": family.strip(), "given-names": given.strip()} if comma else {"name": name}
