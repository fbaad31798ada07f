"""Lists about data ask the database as often for many rows as for a few."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.vault import fill
from tests.servers.app import serving

LISTS = {
    "datasets": "/api/v1/projects/{project}/datasets",
    "versions": "/api/v1/projects/{project}/datasets/scans/versions",
    "agreements": "/api/v1/projects/{project}/datasets/scans/agreements",
    "requests": "/api/v1/projects/{project}/datasets/scans/access-requests",
    "known requests": "/api/v1/datasets/{project}:scans/access-requests",
    "log": "/api/v1/projects/{project}/datasets/scans/log",
    "grants": "/api/v1/projects/{project}/datasets/scans/grants",
    "acceptances": "/api/v1/projects/{project}/datasets/scans/acceptances",
    "page": "/projects/{project}/datasets/scans",
}


class House:
    """A hospital whose dataset others use, ask for and open: each round adds a person, a project and one of everything."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        owner = town.person("hospital")
        self.project = town.project(owner)
        self.owner = town.again(owner)
        self.services.vault.create(self.project, "scans", by=self.owner)
        self.terms = self.services.vault.set_terms("scans", "Be kind.", project=self.project, by=self.owner)
        dataset = self.services.vault.find("scans", project=self.project, by=self.owner)
        self.dataset = dataset.id
        self.services.vault.publish(dataset.id, by=self.owner)

    def grows(self, number: int) -> None:
        vault, town = self.services.vault, self.town
        version = fill(
            self.services,
            vault.open_upload(self.project, "scans", by=self.owner),
            {"a": bytes([number])},
            by=self.owner,
        )
        vault.create(self.project, f"more-{number}", by=self.owner)
        guest = town.person("university")
        theirs = town.project(guest)
        guest = town.again(guest)
        vault.agree(
            "scans", home=self.project, project=theirs, purposes=["civilian"], right="take_away", until=date(2027, 1, 1),
            by=self.owner,
        )  # fmt: skip
        vault.accept_terms(self.dataset, self.terms.sha256, by=guest)
        vault.open(version.id, project=theirs, by=guest)
        vault.request_access(self.dataset, project=theirs, purpose="dual_use", by=guest)

    def token(self, by: Caller) -> str:
        return self.services.identity.issue_token(by.person, by=by)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that any database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_list_of_many_asks_no_more_often_than_one_of_two(database: Database, tmp_path: Path) -> None:
    town = a_town(database, tmp_path / "home")
    house = House(town)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    headers = {"Authorization": f"Bearer {house.token(house.owner)}"}
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, headers=headers) as client:

        def asked() -> dict[str, tuple[int, int]]:
            """Of each list: how often the database was asked, and how much was shown."""
            found = {}
            for name, path in LISTS.items():
                with counted() as statements:
                    answer = client.get(path.format(project=house.project))
                assert answer.status_code == 200, (name, answer.text)
                found[name] = (len(statements), len(answer.text))
            return found

        for number in range(2):
            house.grows(number)
        asked()  # what is asked once and remembered
        few = asked()
        for number in range(2, 6):
            house.grows(number)
        many = asked()
    assert {name: count for name, (count, _) in many.items()} == {name: count for name, (count, _) in few.items()}
    assert [name for name in LISTS if many[name][1] <= few[name][1]] == []


def test_what_stands_beside_a_list_is_of_the_right_row(database: Database, tmp_path: Path) -> None:
    town = a_town(database, tmp_path / "home")
    house = House(town)
    for number in range(3):
        house.grows(number)
    vault, access = town.services.vault, town.services.access
    versions = vault.versions(house.dataset, by=house.owner)
    assert vault.newest_of([house.dataset, "ds_none"]) == {house.dataset: versions[0]}
    more = vault.find("more-1", project=house.project, by=house.owner).id
    vault.erasing.hold(more, "a court asked", by=town.person("factory", "security_officer"))
    assert vault.erasing.held_among([house.dataset, more]) == {more}
    for one in access.projects_among(
        {two.project for two in vault.agreements_on(house.dataset, by=house.owner)}
    ).values():
        assert access.project(one.id) == one
    with pytest.raises(NotFound):
        access.projects_among({"prj_none"})
    with pytest.raises(NotFound):
        access.people_among({house.owner.person, "per_none"})
