"""Contributions, shares, allocations and the ledger, for the client."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fabriek.kernel.errors import AlreadyExists
from fabriek.schemas.base import PageOut
from fabriek.schemas.funding import AllocationOut, ChargeOut, EntryOut, LeftOut, ReadingOut, ShareOut, TableOut
from fabriek.schemas.giving import CapOut, ContributionOut, QuarterOut
from fabriek.schemas.spending import RateOut, StandingOut
from fabriek.sdk.client import Client
from fabriek.sdk.funding_policy import FundingPolicy
from fabriek.sdk.ledger_file import check_export


class Funding:
    """Who paid for what."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.policy = FundingPolicy(client)

    def contribute(
        self, funder: str, kind: str, amount_euro: int, hours: Mapping[str, int], *, name: str = ""
    ) -> ShareOut:
        body = {"funder": funder, "kind": kind, "amount_euro": amount_euro, "hours": dict(hours), "name": name or None}
        return ShareOut.model_validate(self._client.post("/api/v1/contributions", json=body))

    def shares(self, *, on: date | None = None) -> Sequence[ShareOut]:
        """on: the day whose parts are meant; today where it is left out."""
        asked = {"on": on.isoformat()} if on else {}
        return PageOut[ShareOut].model_validate(self._client.get("/api/v1/shares", params=asked)).items

    def contributions(self) -> Sequence[ContributionOut]:
        return PageOut[ContributionOut].model_validate(self._client.get("/api/v1/contributions")).items

    def apply(self, funder: str, kind: str, amount_euro: int, *, name: str = "") -> ContributionOut:
        """Money that is asked for: it makes no share until it is granted."""
        body = {"funder": funder, "kind": kind, "amount_euro": amount_euro, "name": name or None}
        return ContributionOut.model_validate(self._client.post("/api/v1/contributions/applied", json=body))

    def step(self, contribution: str, to: str, *, on: date | None = None) -> ContributionOut:
        """to: granted, received or withdrawn; on: today, or a later day."""
        body = {"to": to, "on": on.isoformat() if on else None}
        answer = self._client.post(f"/api/v1/contributions/{contribution}/step", json=body)
        return ContributionOut.model_validate(answer)

    def quarter(self, quarter: str = "") -> QuarterOut:
        """`2026Q4`; the one of today where it is left out."""
        return QuarterOut.model_validate(self._client.get(f"/api/v1/funding/quarters/{quarter or 'now'}"))

    def caps(self) -> Sequence[CapOut]:
        return PageOut[CapOut].model_validate(self._client.get("/api/v1/funding/caps")).items

    def award(
        self, application: str, *, share: str = "", director: bool = False, out_of_turn: str = "", project: str = ""
    ) -> AllocationOut:
        """director: out of the director's part of the share. project: one that goes on with it, in place of a new one."""
        path = f"/api/v1/applications/{application}/award{'/director' if director else ''}"
        return AllocationOut.model_validate(
            self._client.post(path, json={"share": share, "out_of_turn": out_of_turn, "project": project})
        )

    def allocations(self) -> Sequence[AllocationOut]:
        return PageOut[AllocationOut].model_validate(self._client.get("/api/v1/allocations")).items

    def table(self) -> TableOut:
        return TableOut.model_validate(self._client.get("/api/v1/funding/table"))

    def entries(self, *, account: str = "", limit: int = 100) -> Sequence[EntryOut]:
        found = self._client.get("/api/v1/funding/entries", params={"account": account, "limit": limit})
        return PageOut[EntryOut].model_validate(found).items

    def charge(self, named: str) -> ChargeOut:
        """What a job, a reading or a posting charged, and what it stands at."""
        return ChargeOut.model_validate(self._client.get(f"/api/v1/funding/charges/{quote(named, safe='')}"))

    def correct(self, named: str, used: str, reason: str) -> ChargeOut:
        """Sets a charge right: `used` is what it should have been, as decimal text."""
        body = {"charge": named, "used": used, "reason": reason}
        return ChargeOut.model_validate(self._client.post("/api/v1/funding/corrections", json=body))

    def rates(self, *, on: date | None = None) -> Sequence[RateOut]:
        """What an hour costs on a day; today's where none is named."""
        found = self._client.get("/api/v1/funding/rates", params={"on": on.isoformat()} if on else {})
        return PageOut[RateOut].model_validate(found).items

    def standing(self, project: str = "") -> StandingOut:
        """How a project stands with its credits."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/standing"
        return StandingOut.model_validate(self._client.get(path))

    def readings(self, project: str = "", *, limit: int = 100) -> Sequence[ReadingOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/readings"
        return PageOut[ReadingOut].model_validate(self._client.get(path, params={"limit": limit})).items

    def export(self, file: str | Path, *, quarter: str = "", form: str = "csv") -> dict[str, Any]:
        """Writes the ledger into a new file, checks that it is whole, and answers its manifest. quarter: `2026Q4`; all where it is left out.

        Raises AlreadyExists, Damaged.
        """
        asked = {"quarter": quarter, "form": form}
        try:
            with Path(file).open("xb") as out, self._client.stream("/api/v1/funding/export", params=asked) as response:
                for part in response.iter_bytes():
                    out.write(part)
            return check_export(file)
        except FileExistsError:
            raise AlreadyExists(f"{file} is already there", fix="name a new file") from None
        except BaseException:
            Path(file).unlink(missing_ok=True)
            raise

    def credits(self, project: str = "") -> Sequence[LeftOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/credits"
        return PageOut[LeftOut].model_validate(self._client.get(path)).items
