"""What a page of another catalogue says: its datasets, as far as each holds together, and where the next page is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.licences import licence_of
from fabriek.kernel.lines import one_line, without_markup
from fabriek.knowledge.catalogue.entries import (
    KEYWORD_CHARACTERS_MAX,
    KEYWORDS_MAX,
    SUMMARY_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Face,
)

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
FOAF, HYDRA = "http://xmlns.com/foaf/0.1/", "http://www.w3.org/ns/hydra/core#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
IDENTIFIER_CHARACTERS_MAX = 500
ADDRESS_CHARACTERS_MAX = 1_000
AUTHORS_MAX, AUTHOR_CHARACTERS_MAX = 10, 200
PLAIN_ADDRESS = re.compile(r"https?://[!-;=?-\[\]_a-z~]+", re.IGNORECASE)
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}:[!-;=?-\[\]_a-z~]+", re.IGNORECASE)
NEXT_LINK = re.compile(r'<([^<>]{1,2000})>\s*;[^,<]*\brel="?next"?')
LANGUAGES = {"en": ("en", "/ENG", "/eng"), "nl": ("nl", "/NLD", "/nld", "/DUT")}
RESTRICTED = ("RESTRICTED", "NON_PUBLIC", "CONFIDENTIAL")
DOI = re.compile(r"https?://(?:dx\.)?doi\.org/(10\.\d{4,9}/[^\s\"<>{}]{1,200})")


@dataclass(frozen=True, slots=True)
class Told:
    """One dataset as its catalogue tells of it. `address`: a page on which it is. `said_at`: when it was issued or changed, if that is said."""

    identifier: str
    address: str
    face: Face
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class PageTold:
    """`left_out`: of datasets that do not hold together, why. `following`: the address of the next page; empty on the last."""

    datasets: Sequence[Told]
    left_out: Sequence[str]
    following: str


def read_page(graph: "Graph", address: str, link: str = "") -> PageTold:
    """link: the header of that name. Raises InvalidInput on what is no catalogue, and on two next pages."""
    from rdflib import URIRef  # noqa: PLC0415

    nodes = sorted(set(graph.subjects(URIRef(RDF_TYPE), URIRef(f"{DCAT}Dataset"))), key=str)
    is_catalogue = any(
        (None, URIRef(RDF_TYPE), URIRef(kind)) in graph for kind in (f"{DCAT}Catalog", f"{HYDRA}Collection", f"{HYDRA}PagedCollection")
    )  # fmt: skip
    if not nodes and not is_catalogue:
        raise InvalidInput("it tells of no catalogue in DCAT", fix="name the address of its DCAT in JSON-LD or Turtle")
    told, left_out = dict[str, Told](), list[str]()
    for node in nodes:
        try:
            one = _Reader(graph, node).told(address)
        except InvalidInput as error:
            left_out.append(f"{one_line(str(node), 120)}: {error.detail}")
            continue
        if one.identifier in told:
            left_out.append(f"{one_line(one.identifier, 120)}: two datasets have this identifier")
            continue
        told[one.identifier] = one
    return PageTold(list(told.values()), left_out, _following(graph, address, link))


def _following(graph: "Graph", address: str, link: str) -> str:
    """Hydra's, of today and of before, and that of the header Link, as LDP has it."""
    from rdflib import URIRef  # noqa: PLC0415

    found = {str(one) for name in ("next", "nextPage") for one in graph.objects(None, URIRef(HYDRA + name))}
    found |= {urljoin(address, one) for one in NEXT_LINK.findall(link)}
    if len(found) > 1:
        raise InvalidInput("it says two next pages")
    return next(iter(found), "")


class _Reader:
    """Of one dataset."""

    def __init__(self, graph: "Graph", node: "Node") -> None:
        self._graph, self._node = graph, node

    def told(self, page: str) -> Told:
        identifier = self._identifier()
        titles = self._texts(f"{DCT}title")
        if not titles:
            raise InvalidInput("it has no title that is a text")
        language = self._language(titles)
        title = one_line(without_markup(_best(titles, language)), TITLE_CHARACTERS_MAX)
        if not title:
            raise InvalidInput("its title says nothing")
        description = without_markup(_best(self._texts(f"{DCT}description"), language)).strip()
        landing = [one for one in self._addresses(f"{DCAT}landingPage") if _is_address(one)]
        address = next(iter(landing), identifier if _is_address(identifier) else page)
        face = Face(
            title, one_line(description, SUMMARY_CHARACTERS_MAX) or title, self._licence(), self._terms(), self._keywords(language), language,
            _shown(description) if len(description) > SUMMARY_CHARACTERS_MAX else "", self._doi(identifier), self._authors(),
        )  # fmt: skip
        return Told(identifier, address, face, self._said_at())

    def _identifier(self) -> str:
        from rdflib import URIRef  # noqa: PLC0415

        said = (
            [str(self._node)]
            if isinstance(self._node, URIRef)
            else [text for text, _ in self._texts(f"{DCT}identifier")]
        )
        for one in said:
            if len(one) <= IDENTIFIER_CHARACTERS_MAX and IDENTIFIER.fullmatch(one):
                return one
        raise InvalidInput("it has no identifier that is an address")

    def _objects(self, name: str, node: "Node | None" = None) -> "list[Node]":
        from rdflib import URIRef  # noqa: PLC0415

        return sorted(self._graph.objects(node or self._node, URIRef(name)), key=str)

    def _texts(self, name: str, node: "Node | None" = None) -> list[tuple[str, str]]:
        """(text, its language): texts alone, and nothing that is a thing or a number of another type."""
        from rdflib import Literal  # noqa: PLC0415

        return [
            (str(one), (one.language or "").lower()[:2])
            for one in self._objects(name, node)
            if isinstance(one, Literal)
        ]

    def _addresses(self, name: str, node: "Node | None" = None) -> list[str]:
        from rdflib import URIRef  # noqa: PLC0415

        return [str(one) for one in self._objects(name, node) if isinstance(one, URIRef)]

    def _language(self, titles: Sequence[tuple[str, str]]) -> str:
        written = {language for _, language in titles}
        for one in LANGUAGES:
            if one in written:
                return one
        said = [text for text, _ in self._texts(f"{DCT}language")] + self._addresses(f"{DCT}language")
        return next((one for one in ("nl", "en") if any(each.endswith(LANGUAGES[one]) for each in said)), "en")

    def _keywords(self, language: str) -> tuple[str, ...]:
        said = [
            one_line(text, 10 * KEYWORD_CHARACTERS_MAX)
            for text, of in self._texts(f"{DCAT}keyword")
            if of in {"", language}
        ]
        return tuple(dict.fromkeys(one for one in said if one and len(one) <= KEYWORD_CHARACTERS_MAX))[:KEYWORDS_MAX]

    def _licence(self) -> str:
        for node in (self._node, *self._objects(f"{DCAT}distribution")):
            for one in self._addresses(f"{DCT}license", node) or [
                text for text, _ in self._texts(f"{DCT}license", node)
            ]:
                return licence_of(one)
        return ""

    def _terms(self) -> str:
        if any(one.endswith(RESTRICTED) for one in self._addresses(f"{DCT}accessRights")):
            return "Restricted: ask where it is kept."
        return ""

    def _authors(self) -> tuple[str, ...]:
        names = [
            one_line(text, AUTHOR_CHARACTERS_MAX)
            for role in (f"{DCT}creator", f"{DCT}publisher")
            for node in self._objects(role)
            for text, _ in self._texts(f"{FOAF}name", node)[:1]
        ]
        return tuple(dict.fromkeys(one for one in names if one))[:AUTHORS_MAX]

    def _doi(self, identifier: str) -> str:
        said = [
            identifier,
            *(text for text, _ in self._texts(f"{DCT}identifier")),
            *self._addresses("http://www.w3.org/ns/adms#identifier"),
        ]
        found = next((match for match in map(DOI.match, said) if match), None)
        return found[1].rstrip(".,;") if found else ""

    def _said_at(self) -> datetime | None:
        read = [
            at for name in ("modified", "issued") for text, _ in self._texts(f"{DCT}{name}") for at in _instants(text)
        ]
        return next(iter(read), None)


def _best(texts: Sequence[tuple[str, str]], language: str) -> str:
    """In that language, else in none, else in whatever there is."""
    for wanted in (language, ""):
        for text, of in texts:
            if of == wanted:
                return text
    return texts[0][0] if texts else ""


def _shown(text: str) -> str:
    """Lines stay, and nothing that cannot be seen."""
    lines = (
        "".join(letter for letter in line if letter.isprintable() or letter == "\t").rstrip()
        for line in text.splitlines()
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))[:TEXT_CHARACTERS_MAX].strip()


def _is_address(said: str) -> bool:
    """A plain address of a page, that a link may lead to."""
    try:
        at: Any = urlsplit(said)
        return (
            len(said) <= ADDRESS_CHARACTERS_MAX
            and PLAIN_ADDRESS.fullmatch(said) is not None
            and bool(at.hostname)
            and at.username is None
        )
    except ValueError:
        return False


def _instants(said: str) -> Iterator[datetime]:
    try:
        read = datetime.fromisoformat(said.strip())
        yield read if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        try:
            yield datetime.combine(date.fromisoformat(said.strip()[:10]), time(), UTC)
        except ValueError:
            return
