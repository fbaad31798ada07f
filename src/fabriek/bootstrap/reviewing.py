"""Reviewing wired: its docket before intake, and the verbs after funding, whose award a decision carries out."""

from pathlib import Path
from zoneinfo import ZoneInfo

from fabriek.access.applying.call_files import read_calls
from fabriek.access.applying.store import SqlApplications
from fabriek.access.applying.store_editing import SqlEditings
from fabriek.access.reviewing.committee import Committee
from fabriek.access.reviewing.desk import Desk
from fabriek.access.reviewing.docket import Docket
from fabriek.access.reviewing.panel import Panel
from fabriek.access.reviewing.ports import Awards
from fabriek.access.reviewing.service import Reviewing
from fabriek.access.reviewing.store import SqlAssignments, SqlCases, SqlReviewNotices
from fabriek.access.reviewing.terms import read_promises
from fabriek.access.reviewing.working_days import calendar_named, read_calendar
from fabriek.access.store import SqlOrganisations, SqlPeople, SqlProjects
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.kernel.clock import Clock
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.ids import Ids
from fabriek.settings import Settings


def docket_of(settings: Settings, database: Database, audit: Audit, clock: Clock, ids: Ids) -> Docket:
    """What reviewing works on. Raises InvalidInput on terms or a calendar that cannot be read."""
    zone = ZoneInfo(settings.zone)
    calendar = read_calendar(_text(settings.review_calendar, "calendar.toml"))
    return Docket(
        SqlApplications(database), SqlEditings(database), SqlOrganisations(database), SqlPeople(database), SqlProjects(database), SqlCases(database),
        SqlAssignments(database), SqlReviewNotices(database), SqlProjects(database), audit, clock, ids,
        read_calls(settings.calls), read_promises(_text(settings.review_terms, "terms.toml")), calendar_named("office", calendar, zone),
        calendar_named("law", calendar, zone), settings.review_by_person,
    )  # fmt: skip


def reviewing_of(docket: Docket, awards: Awards) -> Reviewing:
    return Reviewing(docket, Desk(docket), Panel(docket), Committee(docket, awards))


def _text(file: Path | None, name: str) -> str:
    if file is None:
        return shipped("fabriek.access.reviewing", name)
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read ({type(error).__name__})", fix="look at that file") from None
