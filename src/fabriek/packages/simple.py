"""The index as installers read it: pages in HTML and in JSON. Source: PyPA, simple repository API 1.1 (PEP 503, 629, 658, 691, 700, 714).

Addresses in it are relative, since jobs and people reach the same pages under different names.
"""

from collections.abc import Sequence
from enum import StrEnum
from html import escape
from typing import Any
from urllib.parse import quote

from fabriek.packages.files import File

API_VERSION = "1.1"
FILES = "../../files/"
"""From the page of a package to its files."""


class Kind(StrEnum):
    """In the order in which they are given to who takes any."""

    HTML = "text/html"
    HTML_1 = "application/vnd.pypi.simple.v1+html"
    JSON_1 = "application/vnd.pypi.simple.v1+json"


LATEST = {
    "application/vnd.pypi.simple.latest+html": Kind.HTML_1,
    "application/vnd.pypi.simple.latest+json": Kind.JSON_1,
}


def choose(accept: str) -> Kind | None:
    """The kind that an Accept header likes best (RFC 9110, section 12.5.1); None where it takes none of ours."""
    best, liked = None, 0.0
    for one in (accept or "*/*").split(","):
        name, _, parameters = one.partition(";")
        kind = _kind(name.strip().lower())
        weight = _weight(parameters)
        if kind is not None and weight > liked:
            best, liked = kind, weight
    return best


def listing(packages: Sequence[str], kind: Kind) -> dict[str, Any] | str:
    """Every package by name: what JSON holds, or the text of a page."""
    if kind is Kind.JSON_1:
        return {"meta": {"api-version": API_VERSION}, "projects": [{"name": name} for name in packages]}
    return _html("Approved packages", [f'<a href="{quote(name)}/">{escape(name)}</a>' for name in packages])


def page(package: str, files: Sequence[File], kind: Kind) -> dict[str, Any] | str:
    """The files of one package."""
    if kind is Kind.JSON_1:
        return {
            "meta": {"api-version": API_VERSION},
            "name": package,
            "versions": sorted({one.version for one in files}),
            "files": [_entry(one) for one in files],
        }
    return _html(package, [_link(one) for one in files])


def _kind(name: str) -> Kind | None:
    if name in {"*/*", "text/*"}:
        return Kind.HTML
    return LATEST.get(name) or (Kind(name) if name in set(Kind) else None)


def _weight(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _entry(file: File) -> dict[str, Any]:
    """Metadata under its new name alone, as PEP 714 asks: pip before 23.2, which Debian 12 has, fails on the old one."""
    python = {"requires-python": file.requires_python} if file.requires_python else {}
    return python | {
        "filename": file.name, "url": FILES + quote(file.name), "hashes": {"sha256": file.sha256}, "size": file.size_bytes,
        "upload-time": f"{file.added_at:%Y-%m-%dT%H:%M:%S.%f}Z", "core-metadata": True, "yanked": False,
    }  # fmt: skip


def _link(file: File) -> str:
    python = f' data-requires-python="{escape(file.requires_python)}"' if file.requires_python else ""
    address = f"{FILES}{quote(file.name)}#sha256={file.sha256}"
    known = ' data-core-metadata="true"'
    return f'<a href="{escape(address)}"{python}{known}>{escape(file.name)}</a>'


def _html(title: str, lines: Sequence[str]) -> str:
    head = f'<meta name="pypi:repository-version" content="{API_VERSION}"><title>{escape(title)}</title>'
    body = "".join(f"{line}<br>\n" for line in lines)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n<h1>{escape(title)}</h1>\n{body}</body></html>\n'
    )
