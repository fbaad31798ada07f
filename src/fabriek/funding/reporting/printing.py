"""Reports on paper: tagged PDFs, with the words of a chart beside its picture."""

from dataclasses import asdict
from functools import cache
from importlib.resources import files

from fabriek.adapters.typesetting import typeset
from fabriek.funding.reporting.public import Page
from fabriek.funding.reporting.telling import Told


def printed(told: Told) -> bytes:
    """A funder's report. Raises Unavailable where too many print at once. Slow: never inside a transaction."""
    return typeset(_template("funder.typ"), "report", asdict(told))


def printed_page(page: Page) -> bytes:
    """The page for parliament and press; as `printed`."""
    return typeset(_template("public.typ"), "page", asdict(page))


@cache
def _template(name: str) -> bytes:
    return files("fabriek.funding.reporting").joinpath("data", name).read_bytes()
