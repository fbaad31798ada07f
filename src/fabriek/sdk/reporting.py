"""Reports for those who pay, for all, and for a project, for the client."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from fabriek.schemas.base import PageOut
from fabriek.schemas.reporting import BurndownOut, OpenedOut, PublicPageOut, ReportOut, SoldOut
from fabriek.sdk.client import Client

LINES_PER_PAGE = 500


class Reporting:
    """What became of the credits."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def funder(self, share: str, quarter: str) -> ReportOut:
        return ReportOut.model_validate(self._client.get(_of(share, quarter)))

    def funder_csv(self, share: str, quarter: str) -> bytes:
        return self._client.get_bytes(f"{_of(share, quarter)}/report.csv")

    def funder_pdf(self, share: str, quarter: str) -> bytes:
        return self._client.get_bytes(f"{_of(share, quarter)}/report.pdf")

    def entries(self, share: str, quarter: str, row: str, resource: str = "gpu_hour") -> Iterator[OpenedOut]:
        """The lines behind a figure, page by page."""
        after = ""
        while True:
            asked = {"row": row, "resource": resource, "after": after, "limit": LINES_PER_PAGE}
            page = OpenedOut.model_validate(self._client.get(f"{_of(share, quarter)}/entries", params=asked))
            yield page
            if not (after := page.after):
                return

    def public(self, year: int) -> PublicPageOut:
        return PublicPageOut.model_validate(self._client.get(f"/api/v1/funding/public/{year}"))

    def public_pdf(self, year: int) -> bytes:
        return self._client.get_bytes(f"/api/v1/funding/public/{year}/page.pdf")

    def capacity(self) -> Sequence[SoldOut]:
        return PageOut[SoldOut].model_validate(self._client.get("/api/v1/funding/capacity")).items

    def burndown(self, project: str = "") -> Sequence[BurndownOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/burndown"
        return PageOut[BurndownOut].model_validate(self._client.get(path)).items


def _of(share: str, quarter: str) -> str:
    return f"/api/v1/funding/reports/{quote(share, safe='')}/{quote(quarter, safe='')}"
