"""From a template to a page: escaping always on, and a few filters for how people read things."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from fabriek import __version__
from fabriek.access.login.providers import Provider
from fabriek.compute.gpus import amount
from fabriek.funding.resources import Resource
from fabriek.kernel.units import shown, shown_bytes, shown_short
from fabriek.portal.forms import seal_of
from fabriek.portal.markdown import rendered

HERE = Path(__file__).parent


class Pages:
    """Renders templates; times are shown in the installation's zone."""

    def __init__(self, zone: str, providers: Sequence[Provider] = ()) -> None:
        self._zone = ZoneInfo(zone)
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["providers"] = [{"name": one.name, "title": one.title} for one in providers]
        self._templates.filters |= {
            "moment": self._moment,
            "bytes": shown_bytes,
            "duration": _duration,
            "words": lambda text: str(text).replace("_", " "),
            "capitalize_first": lambda text: text[:1].upper() + text[1:],
            "thousandths": amount,
            "units": shown,
            "units_short": shown_short,
            "unit": lambda resource: Resource(resource).plural,
            "highlighted": highlighted,
            "markdown": rendered,
        }

    def render(self, request: Request, template: str, *, status: int = 200, **shown: Any) -> Response:
        caller = getattr(request.state, "caller", None)
        page = self._templates.get_template(template).render(
            caller=caller,
            here=request.url.path,
            seal=seal_of(request),
            version=__version__,
            base=str(request.base_url).rstrip("/"),
            **shown,
        )
        return HTMLResponse(page, status_code=status)

    def clock_time(self, at: datetime | None) -> str:
        """Hours and minutes in the installation's zone."""
        return f"{at.astimezone(self._zone):%H:%M}" if at else ""

    def _moment(self, at: datetime | None) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}" if at else ""


_WRITTEN = re.compile(r"(?:^|(?<= ))#{1,6} |`+|\*\*")
"""Headings, code and strong words. A passage has no lines any more by which a list would be told from a dash."""


def highlighted(passage: str) -> Markup:
    """A passage of a search, without what Markdown marks by: escaped, then the marks around hits turned into ours."""
    return Markup(str(escape(_WRITTEN.sub("", passage))).replace("\x02", "<mark>").replace("\x03", "</mark>"))  # noqa: S704  # escaped on this very line


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return (
        " ".join(
            part
            for part in (
                f"{hours} h" if hours else "",
                f"{minutes} min" if minutes else "",
                f"{left} s" if left else "",
            )
            if part
        )
        or "0 s"
    )
