"""Contributions, shares, allocations and the ledger, for the client."""

from collections.abc import Mapping, Sequence
from datetime import date

from fabriek.schemas.base import PageOut
from fabriek.schemas.funding import AllocationOut, EntryOut, LeftOut, ReadingOut, ShareOut, TableOut
from fabriek.schemas.spending import RateOut, StandingOut
from fabriek.sdk.client import Client


class Funding:
    """Who paid for what."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def contribute(
        self, funder: str, kind: str, amount_euro: int, hours: Mapping[str, int], *, name: str = ""
    ) -> ShareOut:
        body = {"funder": funder, "kind": kind, "amount_euro": amount_euro, "hours": dict(hours), "name": name or None}
        return ShareOut.model_validate(self._client.post("/api/v1/contributions", json=body))

    def shares(self) -> Sequence[ShareOut]:
        return PageOut[ShareOut].model_validate(self._client.get("/api/v1/shares")).items

    def award(self, application: str, *, share: str = "", out_of_turn: str = "") -> AllocationOut:
        return AllocationOut.model_validate(
            self._client.post(
                f"/api/v1/applications/{application}/award", json={"share": share, "out_of_turn": out_of_turn}
            )
        )

    def allocations(self) -> Sequence[AllocationOut]:
        return PageOut[AllocationOut].model_validate(self._client.get("/api/v1/allocations")).items

    def table(self) -> TableOut:
        return TableOut.model_validate(self._client.get("/api/v1/funding/table"))

    def entries(self, *, account: str = "", limit: int = 100) -> Sequence[EntryOut]:
        found = self._client.get("/api/v1/funding/entries", params={"account": account, "limit": limit})
        return PageOut[EntryOut].model_validate(found).items

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

    def credits(self, project: str = "") -> Sequence[LeftOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/credits"
        return PageOut[LeftOut].model_validate(self._client.get(path)).items
