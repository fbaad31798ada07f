"""The catalogue as DCAT-AP 3.0.1, with ODRL policies, in JSON-LD and Turtle, in pages of Hydra.

https://semiceu.github.io/DCAT-AP/releases/3.0.1/
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabriek.knowledge.catalogue.entries import OPEN_LABEL, Entry

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#", "odrl": "http://www.w3.org/ns/odrl/2/", "adms": "http://www.w3.org/ns/adms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#", "skos": "http://www.w3.org/2004/02/skos/core#",
}  # fmt: skip
AUTHORITY = "http://publications.europa.eu/resource/authority"
LANGUAGES = {"nl": f"{AUTHORITY}/language/NLD", "en": f"{AUTHORITY}/language/ENG"}
PUBLIC, RESTRICTED = f"{AUTHORITY}/access-right/PUBLIC", f"{AUTHORITY}/access-right/RESTRICTED"


@dataclass(frozen=True, slots=True)
class Page:
    """`entries`: those of this page, each with the name of whose it is. `start`: how many lie before it, of `total`; each page has `size` at most."""

    entries: Sequence[tuple[Entry, str]]
    start: int
    size: int
    total: int


def json_ld(page: Page, base: str, house: str) -> dict[str, Any]:
    """base: the portal's address. house: the name of the installation, which publishes the catalogue."""
    here, catalogue = f"{base}/catalog.jsonld", f"{base}/catalogue"
    datasets = [part for entry, owner in page.entries for part in _dataset(entry, owner, base)]
    view: dict[str, Any] = {
        "@id": f"{here}?start={page.start}", "@type": "hydra:PartialCollectionView", "hydra:first": {"@id": f"{here}?start=0"},
    }  # fmt: skip
    if page.start + page.size < page.total:
        view["hydra:next"] = {"@id": f"{here}?start={page.start + page.size}"}
    if page.start:
        view["hydra:previous"] = {"@id": f"{here}?start={max(0, page.start - page.size)}"}
    listed: dict[str, Any] = {
        "@id": catalogue, "@type": ["dcat:Catalog", "hydra:Collection"], "hydra:totalItems": page.total, "hydra:view": {"@id": view["@id"]},
        "dct:title": {"@value": f"Catalogue of {house}", "@language": "en"},
        "dct:description": {"@value": "What this AI factory holds and the world may know of.", "@language": "en"},
        "dct:publisher": _agent(base, "house", house), "foaf:homepage": {"@id": f"{base}/"},
        "dct:language": [{"@id": one} for one in LANGUAGES.values()],
        "dcat:dataset": [{"@id": _uri(base, entry)} for entry, _ in page.entries],
    }  # fmt: skip
    return {"@context": CONTEXT, "@graph": [listed, view, *datasets]}


def turtle(page: Page, base: str, house: str) -> str:
    """The same in Turtle."""
    from rdflib import Graph  # noqa: PLC0415  # a quarter of a second, which only who fetches Turtle should cost

    return str(Graph().parse(data=json.dumps(json_ld(page, base, house)), format="json-ld").serialize(format="turtle"))


def _dataset(entry: Entry, owner: str, base: str) -> list[dict[str, Any]]:
    uri = _uri(base, entry)
    is_open = entry.label == OPEN_LABEL
    said: dict[str, Any] = {
        "@id": uri, "@type": "dcat:Dataset", "dct:identifier": entry.id, "dct:title": _text(entry.title, entry),
        "dct:description": _text(entry.summary, entry), "dct:publisher": _agent(base, entry.organisation, owner),
        "dct:issued": {"@value": entry.published_at.isoformat(), "@type": "xsd:dateTime"},
        "dct:language": {"@id": LANGUAGES[entry.language]}, "dct:accessRights": {"@id": PUBLIC if is_open else RESTRICTED},
        "dcat:landingPage": {"@id": f"{uri}/open"}, "dcat:distribution": {"@id": f"{uri}#access"}, "odrl:hasPolicy": {"@id": f"{uri}#policy"},
    }  # fmt: skip
    if entry.keywords:
        said["dcat:keyword"] = [_text(one, entry) for one in entry.keywords]
    if entry.doi:
        known = {"@value": f"https://doi.org/{entry.doi}", "@type": "xsd:anyURI"}
        said["adms:identifier"] = {
            "@id": f"https://doi.org/{entry.doi}",
            "@type": "adms:Identifier",
            "skos:notation": known,
        }
    distribution: dict[str, Any] = {
        "@id": f"{uri}#access", "@type": "dcat:Distribution", "dcat:accessURL": {"@id": f"{uri}/open"}, "dct:title": _text(entry.title, entry),
    }  # fmt: skip
    if entry.licence:
        distribution["dct:license"] = {
            "@id": f"https://spdx.org/licenses/{entry.licence}",
            "@type": "dct:LicenseDocument",
        }
    return [said, distribution, _policy(entry, uri, is_open=is_open)]


def _policy(entry: Entry, uri: str, *, is_open: bool) -> dict[str, Any]:
    """Whoever may read may use it; of what is not open, after its holders agreed."""
    permission: dict[str, Any] = {
        "@type": "odrl:Permission",
        "odrl:target": {"@id": uri},
        "odrl:action": {"@id": "odrl:use"},
    }
    if not is_open:
        permission["odrl:duty"] = {"@type": "odrl:Duty", "odrl:action": {"@id": "odrl:obtainConsent"}}
    policy: dict[str, Any] = {
        "@id": f"{uri}#policy",
        "@type": "odrl:Offer",
        "odrl:uid": {"@id": f"{uri}#policy"},
        "odrl:permission": permission,
    }
    if entry.terms:
        policy["dct:description"] = _text(entry.terms, entry)
    return policy


def _agent(base: str, name: str, said: str) -> dict[str, Any]:
    return {"@id": f"{base}/#{name}", "@type": "foaf:Agent", "foaf:name": said}


def _text(text: str, entry: Entry) -> dict[str, str]:
    return {"@value": text, "@language": entry.language}


def _uri(base: str, entry: Entry) -> str:
    return f"{base}/catalogue/{entry.id}"
