"""A dataset as Croissant 1.1: its card, its files, and the columns of its tables. https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html

Files are named by their paths, so that the document is read beside the files of a version, as `fabriek data pull` puts them: data leaves
sealed, and is opened where it is read.
"""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fabriek.knowledge.catalogue.entries import Entry
from fabriek.knowledge.exchange.columns import Column

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
FILES_MAX = 2_000
"""Of more files those of a kind are told together."""

CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "excludes": "cr:excludes",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
    "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform", "arrayShape": "cr:arrayShape", "isArray": "cr:isArray",
}  # fmt: skip

MEDIA_TYPES = {
    "csv": "text/csv", "tsv": "text/tab-separated-values", "parquet": "application/x-parquet", "json": "application/json",
    "jsonl": "application/jsonlines", "txt": "text/plain", "md": "text/markdown", "pdf": "application/pdf", "xml": "application/xml",
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "tif": "image/tiff", "tiff": "image/tiff", "wav": "audio/wav",
    "mp3": "audio/mpeg", "mp4": "video/mp4", "zip": "application/zip", "tar": "application/x-tar", "gz": "application/gzip",
    "h5": "application/x-hdf5", "yaml": "application/yaml", "yml": "application/yaml", "html": "text/html",
}  # fmt: skip
ANY_TYPE = "application/octet-stream"
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class TellingFile:
    """A file of a version. `sha256`: of all its bytes; empty where only its blocks have hashes, as those of large files do."""

    path: str
    size: int
    sha256: str
    columns: Sequence[Column] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a version holds, for who may read it. `number`: of the version. `files` are at most FILES_MAX; where there are more, it is empty, and
    `kinds` has the endings of their names.
    """

    number: int
    files: Sequence[TellingFile] = ()
    kinds: Sequence[str] = ()


def croissant(entry: Entry, owner: str, address: str, contents: Contents | None) -> dict[str, Any]:
    """owner: the name of whose it is. address: the entry's page. contents: None for who may not read it, who gets the card alone."""
    said: dict[str, Any] = {
        "@context": {"@language": entry.language, **CONTEXT}, "@type": "sc:Dataset", "@id": address, "conformsTo": CONFORMS_TO, "name": entry.title,
        "description": entry.summary, "url": address, "datePublished": entry.published_at.date().isoformat(), "inLanguage": entry.language,
        "creator": [_person(one) for one in entry.authors] or [{"@type": "sc:Organization", "name": owner}],
        "publisher": {"@type": "sc:Organization", "name": owner}, "citeAs": _citation(entry, owner, address),
    }  # fmt: skip
    if entry.licence:
        said["license"] = f"https://spdx.org/licenses/{quote(entry.licence)}"
    if entry.keywords:
        said["keywords"] = list(entry.keywords)
    if entry.terms:
        said["usageInfo"] = entry.terms
    if entry.doi:
        said["sameAs"] = f"https://doi.org/{entry.doi}"
    if contents is None:
        return said
    said["version"] = f"{contents.number}.0.0"
    said["distribution"] = [_file(one) for one in contents.files] + [_kind(one) for one in contents.kinds]
    taken = {one["@id"] for one in said["distribution"]}
    sets = [_records(one, taken) for one in contents.files if one.columns and one.sha256]
    return said | ({"recordSet": sets} if sets else {})


def media_type(path: str) -> str:
    """By the ending of a name."""
    return MEDIA_TYPES.get(path.rpartition(".")[2].lower(), ANY_TYPE)


def _file(file: TellingFile) -> dict[str, Any]:
    """Without a hash of the whole it is a set of one: Croissant asks a file object for one that a reader checks."""
    told = {"@id": _id(file.path), "name": file.path, "encodingFormat": media_type(file.path)}
    if not file.sha256:
        return {"@type": "cr:FileSet", **told, "includes": glob.escape(file.path)}
    return {
        "@type": "cr:FileObject", **told, "contentUrl": file.path, "contentSize": f"{file.size} B", "sha256": file.sha256,
    }  # fmt: skip


def _kind(ending: str) -> dict[str, Any]:
    name = f"all-{ending}" if ending else "all"
    includes = f"**/*.{glob.escape(ending)}" if ending else "**/*"
    encoding = media_type(f"x.{ending}")
    return {"@type": "cr:FileSet", "@id": _id(name), "name": name, "encodingFormat": encoding, "includes": includes}


def _records(file: TellingFile, taken: set[str]) -> dict[str, Any]:
    name = file.path.rpartition(".")[0]
    while _id(name) in taken:
        name += "-records"
    taken.add(_id(name))
    fields = [
        {
            "@type": "cr:Field", "@id": f"{_id(name)}/{_field_id(column, number)}", "name": column.name, "dataType": column.type,
            "source": {"fileObject": {"@id": _id(file.path)}, "extract": {"column": column.name}},
        }
        for number, column in enumerate(file.columns)
    ]  # fmt: skip
    return {"@type": "cr:RecordSet", "@id": _id(name), "name": name, "field": fields}


def _field_id(column: Column, number: int) -> str:
    return column.name if PLAIN_NAME.fullmatch(column.name) else f"_{number}"


def _person(name: str) -> dict[str, str]:
    """`Family, Given` is a person; anything else is the name of a body, or of a person as it is written."""
    family, comma, given = name.partition(",")
    return (
        {"@type": "sc:Person", "name": f"{given.strip()} {family.strip()}"}
        if comma
        else {"@type": "sc:Organization", "name": name}
    )


def _citation(entry: Entry, owner: str, address: str) -> str:
    where = f"https://doi.org/{entry.doi}" if entry.doi else address
    return f"{'; '.join(entry.authors) or owner} ({entry.published_at.year}). {entry.title}. {where}"


def _id(path: str) -> str:
    """A path as an identifier may be written: relative, and never one with a scheme."""
    return quote(path, safe="/")
