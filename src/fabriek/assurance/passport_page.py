"""The page of a passport: one file that asks nothing of any network, with the signed statement inside."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from fabriek.schemas.passport import END, START, rest_of

_PLACE = "<!-- the statement -->"


class PassportPages:
    """Renders them."""

    def __init__(self) -> None:
        self._template = _template()

    def drawn(self, said: dict[str, Any], file: str) -> str:
        """The page with a place for its statement. file: what it will be called."""
        page = self._template.render(said=said, file=file, place=_PLACE)
        # What people wrote is escaped, so that neither can stand in it.
        assert page.count(_PLACE) == 1
        assert START not in page
        return page

    def digest(self, drawn: str) -> str:
        """Of all but the statement, for it to name."""
        before, _, after = drawn.partition(_PLACE)
        return hashlib.sha256(rest_of(before.encode(), after.encode())).hexdigest()

    def complete(self, drawn: str, envelope: str, origin: str) -> str:
        """The page as it is handed out. origin: the signed statement of its job; empty for none."""
        held = json.dumps({"passport": envelope, "origin": origin}).replace("<", "\\u003c")
        return drawn.replace(_PLACE, f"{START}{held}{END}")


@cache
def _template() -> Template:
    """Compiled once in a process: it takes longer than all else of an installation that is put together."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return found.get_template("passport.html")
