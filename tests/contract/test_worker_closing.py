"""The worker's round closes what no agreement opens any more: one that ran out, and one that ended while a key was being handed out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotPermitted
from fabriek.vault.opening import Opened
from fabriek.worker.closing import CLOSING_SECONDS
from fabriek.worker.upkeep import Upkeep
from tests.factories.services import Town, a_town
from tests.factories.vault import fill


@dataclass
class Share:
    """Data of a hospital that a start-up's project may take away until tonight, and a worker whose upkeep the test calls."""

    town: Town
    owner: Caller
    holder: Caller
    reference: str
    project: str
    agreement: str
    upkeep: Upkeep

    def open(self) -> Opened:
        return self.town.services.vault.open(self.reference, project=self.project, by=self.holder)

    def end(self) -> None:
        self.town.services.vault.end_agreement(self.agreement, by=self.owner)

    def round(self) -> None:
        """One of the worker's upkeep, and to its end what that began beside it."""
        self.upkeep.round()
        assert self.upkeep._closer.beside.wait()

    def rule(self, opened: Opened) -> str:
        """Why the grant gives no key; empty when it does."""
        try:
            self.town.services.vault.grant(opened.grant.id, by=self.holder)
        except NotPermitted as error:
            return str(error.fields["rule"])
        return ""

    def closed(self, opened: Opened) -> list[str]:
        """The rules by which the log says that it was closed."""
        log = self.town.services.audit.events(by=self.town.operator, limit=50, subject=opened.grant.id).items
        return [str(json.loads(event.facts)["rule"]) for event in log if event.action == "grant.closed"]


@pytest.fixture
def share(database: Database, tmp_path: Path) -> Iterator[Share]:
    town = a_town(database, tmp_path / "home")
    services, owner, holder = town.services, town.person("hospital"), town.person("weefsel")
    home, project = town.project(owner), town.project(holder)
    owner, holder = town.again(owner), town.again(holder)
    services.vault.create(home, "biopsies", by=owner)
    fill(services, services.vault.open_upload(home, "biopsies", by=owner), {"a": b"1"}, by=owner)
    agreement = services.vault.agree(
        "biopsies", home=home, project=project, purposes=["civilian"], right="take_away", until=town.clock.today(), by=owner
    )  # fmt: skip
    made = Share(town, owner, holder, f"{home}/biopsies", project, agreement.id, Upkeep(services))
    made.round()
    yield made
    made.upkeep.close()


def test_a_grant_closes_in_the_round_after_its_agreement_ran_out(share: Share) -> None:
    opened = share.open()
    share.town.clock.move(timedelta(seconds=CLOSING_SECONDS))
    share.round()
    assert (share.rule(opened), share.closed(opened)) == ("", [])
    midnight = timedelta(hours=14)  # the town's day begins at ten in the morning, where it lies
    share.town.clock.move(midnight - timedelta(seconds=CLOSING_SECONDS + 1))
    late = share.open()
    share.round()
    assert (share.rule(late), share.closed(late)) == ("", [])
    share.town.clock.move(timedelta(seconds=CLOSING_SECONDS))
    share.round()
    assert (share.rule(late), share.closed(late)) == ("grant.ended", ["data.take_away"])


def test_a_grant_that_was_being_handed_out_while_its_agreement_ended_closes_in_the_next_round(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    cipher = share.town.services.vault._parts.cipher
    unwrap = cipher.unwrap

    def ends_meanwhile(*asked: object) -> bytes:
        """Between the question to the rules and the record of the grant."""
        monkeypatch.undo()
        share.end()
        return unwrap(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(cipher, "unwrap", ends_meanwhile)
    opened = share.open()
    assert share.rule(opened) == "", "nobody has looked yet"
    share.round()
    assert share.rule(opened) == "", "its time has not come"
    share.town.clock.move(timedelta(seconds=CLOSING_SECONDS))
    share.round()
    assert (share.rule(opened), share.closed(opened)) == ("grant.ended", ["data.take_away"])
    with pytest.raises(NotPermitted):
        share.open()
