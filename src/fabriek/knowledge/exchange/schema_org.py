"""An entry as search engines for data read it: JSON-LD in the words of schema.org, within the entry's page. https://schema.org/Dataset"""

import json
from typing import Any

from fabriek.knowledge.catalogue.entries import OPEN_LABEL, Entry, EntryKind, Reach

TYPES = {"dataset": "Dataset", "model": "SoftwareSourceCode", "app": "SoftwareApplication", "training": "Course", "recipe": "HowTo",
         "guide": "TechArticle", "service": "Service", "answer": "QAPage"}  # fmt: skip
"""Kind of an entry → what it is called there; anything else is a CreativeWork."""

UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What could end the element that it stands in, or the line; JSON writes each in another way too."""


def is_told(entry: Entry) -> bool:
    """Of what the world may know of, and of nothing that others hold: that is told where it is."""
    return entry.reach is Reach.WORLD and entry.kind is not EntryKind.ELSEWHERE


def schema_org(entry: Entry, owner: str, address: str) -> str:
    """The text of a script element of type application/ld+json. owner: the name of whose it is. address: the page that needs no account."""
    said: dict[str, Any] = {
        "@context": "https://schema.org/", "@type": TYPES.get(str(entry.kind), "CreativeWork"), "@id": address, "url": address, "name": entry.title,
        "description": entry.summary, "inLanguage": entry.language, "datePublished": entry.published_at.date().isoformat(),
        "identifier": f"https://doi.org/{entry.doi}" if entry.doi else entry.id, "provider": {"@type": "Organization", "name": owner},
        "isAccessibleForFree": entry.label == OPEN_LABEL,
    }  # fmt: skip
    if entry.keywords:
        said["keywords"] = list(entry.keywords)
    if entry.licence:
        said["license"] = f"https://spdx.org/licenses/{entry.licence}"
    if entry.authors:
        said["creator"] = [_author(one) for one in entry.authors]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return "".join(UNSAFE.get(letter, letter) for letter in text)


def _author(name: str) -> dict[str, str]:
    """`Family, Given` is a person; anything else is the name of a body."""
    family, comma, given = name.partition(",")
    if not comma:
        return {"@type": "Organization", "name": name}
    return {
        "@type": "Person",
        "familyName": family.strip(),
        "givenName": given.strip(),
        "name": f"{given.strip()} {family.strip()}",
    }
